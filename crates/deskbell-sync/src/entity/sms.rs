//! Text messages that Clerk sends, or leaves to the application: who, to whom and which, never what
//! they say. Not mirrored unless asked for. They stay when their user goes.

use super::column::{boolean, id, text, time};
use super::declaration::{Entity, Raw};

pub(super) const SMS: Entity = Entity {
    name: "sms",
    table: "sms",
    upserted_by: &["sms.created"],
    columns: &[
        id("id"),
        text("slug"),
        id("user_id").indexed(),
        id("phone_number_id"),
        text("to_phone_number").indexed(),
        text("from_phone_number"),
        text("status"),
        boolean("delivered_by_clerk"),
        time("created_at").from(&[&["created_at"], &["created_at_ms"]]),
        time("updated_at"),
    ],
    raw: Raw::Columns,
    by_default: false,
    ..Entity::PLAIN
};
