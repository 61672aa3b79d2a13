//! Memberships of users in organizations:
//! <https://clerk.com/docs/reference/backend/types/backend-organization-membership>.
//!
//! The names of its organization and its user are those of when the membership last changed.

use super::column::{id, json, text, time};
use super::declaration::{Entity, Parent};

pub(super) const ORGANIZATION_MEMBERSHIP: Entity = Entity {
    name: "organization_membership",
    table: "organization_memberships",
    upserted_by: &["organizationMembership.created", "organizationMembership.updated"],
    deleted_by: &["organizationMembership.deleted"],
    parents: &[
        Parent { entity: "organization", column: "organization_id" },
        Parent { entity: "user", column: "user_id" },
    ],
    columns: &[
        id("id"),
        id("organization_id").from(&[&["organization", "id"], &["organization_id"]]).indexed(),
        id("user_id").from(&[&["public_user_data", "user_id"], &["user_id"]]).indexed(),
        text("organization_name").from(&[&["organization", "name"]]),
        text("organization_slug").from(&[&["organization", "slug"]]),
        text("user_identifier").from(&[&["public_user_data", "identifier"]]),
        text("user_first_name").from(&[&["public_user_data", "first_name"]]),
        text("user_last_name").from(&[&["public_user_data", "last_name"]]),
        text("user_image_url").from(&[&["public_user_data", "image_url"]]),
        text("role"),
        text("role_name"),
        json("permissions"),
        json("public_metadata"),
        json("private_metadata"),
        time("created_at"),
        time("updated_at"),
    ],
    nested_as: &["organization_memberships"],
    ..Entity::PLAIN
};
