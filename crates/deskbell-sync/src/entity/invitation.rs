//! Invitations to sign up. One that is revoked or accepted stays, with its status.

use super::column::{boolean, id, json, text, time};
use super::declaration::Entity;

pub(super) const INVITATION: Entity = Entity {
    name: "invitation",
    table: "invitations",
    upserted_by: &["invitation.created", "invitation.accepted", "invitation.revoked"],
    columns: &[
        id("id"),
        text("email_address").indexed(),
        text("status"),
        boolean("revoked"),
        text("url"),
        json("public_metadata"),
        time("expires_at").from(&[&["expires_at"], &["expire_at"]]),
        time("created_at"),
        time("updated_at"),
    ],
    nested_as: &["invitation"],
    ..Entity::PLAIN
};
