//! Domains of organizations, by which people are let in.

use super::column::{id, integer, text, time};
use super::declaration::{Entity, Parent};

pub(super) const ORGANIZATION_DOMAIN: Entity = Entity {
    name: "organization_domain",
    table: "organization_domains",
    upserted_by: &["organizationDomain.created", "organizationDomain.updated"],
    deleted_by: &["organizationDomain.deleted"],
    parents: &[Parent { entity: "organization", column: "organization_id" }],
    columns: &[
        id("id"),
        id("organization_id")
            .from(&[&["organization_id"], &["public_organization_data", "id"]])
            .indexed(),
        text("name").indexed(),
        text("enrollment_mode"),
        text("affiliation_email_address"),
        text("verification_status").from(&[&["verification", "status"]]),
        text("verification_strategy").from(&[&["verification", "strategy"]]),
        integer("verification_attempts").from(&[&["verification", "attempts"]]),
        time("verification_expire_at")
            .from(&[&["verification", "expire_at"], &["verification", "expires_at"]]),
        time("verification_verified_at").from(&[&["verification", "verified_at"]]),
        text("affiliation_verification_status").from(&[&["affiliation_verification", "status"]]),
        text("affiliation_verification_strategy")
            .from(&[&["affiliation_verification", "strategy"]]),
        time("affiliation_verification_verified_at")
            .from(&[&["affiliation_verification", "verified_at"]]),
        text("ownership_verification_status").from(&[&["ownership_verification", "status"]]),
        text("ownership_verification_strategy").from(&[&["ownership_verification", "strategy"]]),
        time("ownership_verification_verified_at")
            .from(&[&["ownership_verification", "verified_at"]]),
        integer("total_pending_invitations"),
        integer("total_pending_suggestions"),
        time("created_at"),
        time("updated_at"),
    ],
    ..Entity::PLAIN
};
