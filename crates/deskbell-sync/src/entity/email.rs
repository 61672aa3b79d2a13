//! Emails that Clerk sends, or leaves to the application: who, to whom and which, never what they
//! say. Not mirrored unless asked for. They stay when their user goes.

use super::column::{boolean, id, text, time};
use super::declaration::{Entity, Raw};

pub(super) const EMAIL: Entity = Entity {
    name: "email",
    table: "emails",
    upserted_by: &["email.created"],
    columns: &[
        id("id"),
        text("slug"),
        id("user_id").indexed(),
        id("email_address_id"),
        text("to_email_address").indexed(),
        text("from_email_name"),
        text("reply_to_email_name"),
        text("status"),
        text("suppression_reason"),
        boolean("delivered_by_clerk"),
        time("created_at").from(&[&["created_at"], &["created_at_ms"]]),
        time("updated_at"),
    ],
    raw: Raw::Columns,
    by_default: false,
    ..Entity::PLAIN
};
