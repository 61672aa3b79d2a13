//! Sessions. One that was ended, removed or revoked stays, with its status, until its user goes.
//! Not mirrored unless asked for: they are many, and say where people are.
//!
//! The user that a session nests is no version of the user: whoever wants users has their events.

use super::column::{boolean, id, text, time};
use super::declaration::{Entity, Parent};

pub(super) const SESSION: Entity = Entity {
    name: "session",
    table: "sessions",
    upserted_by: &[
        "session.created",
        "session.updated",
        "session.pending",
        "session.ended",
        "session.removed",
        "session.revoked",
    ],
    parents: &[Parent { entity: "user", column: "user_id" }],
    columns: &[
        id("id"),
        id("user_id").from(&[&["user_id"], &["user", "id"]]).indexed(),
        id("client_id"),
        text("status"),
        id("last_active_organization_id"),
        id("actor_sub").from(&[&["actor", "sub"]]),
        id("latest_activity_id").from(&[&["latest_activity", "id"]]),
        text("device_type").from(&[&["latest_activity", "device_type"]]),
        boolean("is_mobile").from(&[&["latest_activity", "is_mobile"]]),
        text("browser_name").from(&[&["latest_activity", "browser_name"]]),
        text("browser_version").from(&[&["latest_activity", "browser_version"]]),
        text("ip_address").from(&[&["latest_activity", "ip_address"]]),
        text("city").from(&[&["latest_activity", "city"]]),
        text("country").from(&[&["latest_activity", "country"]]),
        time("last_active_at"),
        time("expire_at").from(&[&["expire_at"], &["expires_at"]]),
        time("abandon_at"),
        time("created_at"),
        time("updated_at"),
    ],
    by_default: false,
    ..Entity::PLAIN
};
