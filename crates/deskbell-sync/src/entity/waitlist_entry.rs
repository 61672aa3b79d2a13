//! Entries of the waitlist.
//!
//! The invitation that an entry nests is no version of the invitation: the entry does not change
//! with it, so that a row made from here would stay open for ever.

use super::column::{boolean, id, text, time};
use super::declaration::Entity;

pub(super) const WAITLIST_ENTRY: Entity = Entity {
    name: "waitlist_entry",
    table: "waitlist_entries",
    upserted_by: &["waitlistEntry.created", "waitlistEntry.updated"],
    columns: &[
        id("id"),
        text("email_address").indexed(),
        text("status"),
        boolean("is_locked"),
        id("invitation_id").from(&[&["invitation", "id"], &["invitation_id"]]),
        time("created_at"),
        time("updated_at"),
    ],
    ..Entity::PLAIN
};
