//! `Organization`, the payload of `organization.created` and `organization.updated`.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::sensitive::Sensitive;
use crate::time::UnixMillis;

/// An organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Organization {
    /// Such as `org_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Always `organization`.
    pub object: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The name in addresses.
    pub slug: Option<String>,
    /// Where the logo is.
    pub image_url: Option<String>,
    /// The logo's older address.
    pub logo_url: Option<String>,
    /// Whether a logo was uploaded; else it is a generated one.
    pub has_image: Option<bool>,
    /// How many members it has.
    pub members_count: Option<i64>,
    /// Whether nobody is left who may manage it.
    pub missing_member_with_elevated_permissions: Option<bool>,
    /// How many invitations are open.
    pub pending_invitations_count: Option<i64>,
    /// How many members it may have; 0 is no limit.
    pub max_allowed_memberships: Option<i64>,
    /// Whether its administrators may delete it.
    pub admin_delete_enabled: Option<bool>,
    /// Metadata that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Metadata for backends only.
    pub private_metadata: Option<Sensitive<Map<String, Value>>>,
    /// The id of the user who created it; often missing in memberships.
    pub created_by: Option<String>,
    /// The set of roles that it uses.
    pub role_set_key: Option<String>,
    /// When a member was last active.
    pub last_active_at: Option<UnixMillis>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Organization: id {
    object, name, slug, image_url, logo_url, has_image, members_count,
    missing_member_with_elevated_permissions, pending_invitations_count, max_allowed_memberships,
    admin_delete_enabled, public_metadata, private_metadata, created_by, role_set_key,
    last_active_at, created_at, updated_at,
});

/// What an invited person may see of an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicOrganizationData {
    /// Its kind, where it is there.
    pub object: Option<String>,
    /// The id of the organization.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The name in addresses.
    pub slug: Option<String>,
    /// Where the logo is.
    pub image_url: Option<String>,
    /// Whether a logo was uploaded.
    pub has_image: Option<bool>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PublicOrganizationData { object, id, name, slug, image_url, has_image });
