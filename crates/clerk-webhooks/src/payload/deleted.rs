//! `DeletedObject`, what is left of a deleted entity.

use crate::payload::fields::{Extra, entity};

/// A deleted entity. It bears no time of its own: the event's counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedObject {
    /// The id of what was deleted; Clerk never uses it again.
    pub id: String,
    /// The kind of what was deleted, such as `user`.
    pub object: Option<String>,
    /// Always true.
    pub deleted: Option<bool>,
    /// The slug of a deleted organization.
    pub slug: Option<String>,
    /// The id of a deleted user in your own system.
    pub external_id: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(DeletedObject: id {
    object, deleted, slug, external_id,
});
