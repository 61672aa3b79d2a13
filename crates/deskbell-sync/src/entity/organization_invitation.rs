//! Invitations into organizations. One that is revoked or accepted stays, with its status.

use super::column::{id, json, text, time};
use super::declaration::{Entity, Parent};

pub(super) const ORGANIZATION_INVITATION: Entity = Entity {
    name: "organization_invitation",
    table: "organization_invitations",
    upserted_by: &[
        "organizationInvitation.created",
        "organizationInvitation.accepted",
        "organizationInvitation.revoked",
    ],
    parents: &[Parent { entity: "organization", column: "organization_id" }],
    columns: &[
        id("id"),
        id("organization_id")
            .from(&[
                &["organization_id"],
                &["public_organization_data", "id"],
                &["data", "public_organization_data", "id"],
            ])
            .indexed(),
        text("email_address").indexed(),
        text("role"),
        text("role_name"),
        text("status"),
        id("inviter_id").from(&[&["inviter_id"], &["public_inviter_data", "user_id"]]),
        id("user_id"),
        text("url"),
        json("public_metadata"),
        json("private_metadata"),
        time("expires_at").from(&[&["expires_at"], &["expire_at"]]),
        time("created_at"),
        time("updated_at"),
    ],
    ..Entity::PLAIN
};
