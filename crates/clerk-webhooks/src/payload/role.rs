//! `Role` and `Permission`, the payloads of the events of those names.

use crate::payload::fields::{Extra, entity};
use crate::time::UnixMillis;

/// A role that members of organizations can have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Role {
    /// Such as `role_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Always `role`.
    pub object: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// Such as `org:billing`.
    pub key: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Whether the creator of an organization can have it.
    pub is_creator_eligible: Option<bool>,
    /// What it permits.
    pub permissions: Option<Vec<Permission>>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Role: id {
    object, name, key, description, is_creator_eligible, permissions, created_at, updated_at,
});

/// Something that a role can permit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Permission {
    /// Such as `perm_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Always `permission`.
    pub object: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// Such as `org:invoices:read`.
    pub key: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// `system` or `user`: who made it.
    pub permission_type: Option<String>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Permission: id {
    object, name, key, description, permission_type = "type", created_at, updated_at,
});
