//! Roles of organizations, and the permissions that each gives.
//!
//! A permission that a role lists is no version of the permission: it is listed as it was when the
//! role last changed. One that is deleted leaves the roles too: Clerk sends no version of these.

use super::column::{boolean, id, text, time};
use super::declaration::{Children, Entity};

pub(super) const ROLE: Entity = Entity {
    name: "role",
    table: "roles",
    upserted_by: &["role.created", "role.updated"],
    deleted_by: &["role.deleted"],
    columns: &[
        id("id"),
        text("name"),
        text("key").indexed(),
        text("description"),
        boolean("is_creator_eligible"),
        time("created_at"),
        time("updated_at"),
    ],
    children: &[PERMISSIONS],
    ..Entity::PLAIN
};

const PERMISSIONS: Children = Children {
    table: "role_permissions",
    list: "permissions",
    parent: "role_id",
    columns: &[
        id("id").from(&[&["id"], &["key"]]),
        text("name"),
        text("key").indexed(),
        text("description"),
        text("type"),
        time("created_at"),
        time("updated_at"),
    ],
    of: Some("permission"),
};
