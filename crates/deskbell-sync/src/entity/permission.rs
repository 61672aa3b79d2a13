//! Permissions, which roles give.

use super::column::{id, text, time};
use super::declaration::Entity;

pub(super) const PERMISSION: Entity = Entity {
    name: "permission",
    table: "permissions",
    upserted_by: &["permission.created", "permission.updated"],
    deleted_by: &["permission.deleted"],
    columns: &[
        id("id"),
        text("name"),
        text("key").indexed(),
        text("description"),
        text("type"),
        time("created_at"),
        time("updated_at"),
    ],
    nested_as: &["permissions"],
    ..Entity::PLAIN
};
