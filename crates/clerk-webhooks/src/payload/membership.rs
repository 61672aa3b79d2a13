//! `OrganizationMembership`, the payload of all three `organizationMembership` events.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::full_name::full_name;
use crate::payload::organization::Organization;
use crate::payload::sensitive::Sensitive;
use crate::time::UnixMillis;

/// That a user belongs to an organization, and in which role.
///
/// `organizationMembership.deleted` bears all of it too, as it was at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrganizationMembership {
    /// Such as `orgmem_29wAbjiJs6aZuPq7AzmkW9dwmyl`.
    pub id: String,
    /// Always `organization_membership`.
    pub object: Option<String>,
    /// The key of the role, such as `org:admin`; before 2024 `admin` and `basic_member`.
    pub role: Option<String>,
    /// The name of the role.
    pub role_name: Option<String>,
    /// The keys of what the role permits.
    pub permissions: Option<Vec<String>>,
    /// Metadata that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Metadata for backends only.
    pub private_metadata: Option<Sensitive<Map<String, Value>>>,
    /// The organization.
    pub organization: Option<Organization>,
    /// The user.
    pub public_user_data: Option<PublicUserData>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(OrganizationMembership: id {
    object, role, role_name, permissions, public_metadata, private_metadata, organization,
    public_user_data, created_at, updated_at,
});

impl OrganizationMembership {
    /// The id of the member.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.public_user_data.as_ref()?.user_id.as_deref()
    }

    /// The id of the organization.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        self.organization.as_ref().map(|organization| organization.id.as_str())
    }
}

/// What members of an organization may see of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublicUserData {
    /// The id of the user.
    pub user_id: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Where the avatar is.
    pub image_url: Option<String>,
    /// The avatar's older address.
    pub profile_image_url: Option<String>,
    /// Whether the user uploaded an image.
    pub has_image: Option<bool>,
    /// What the user signs in with: an address, a number or a name.
    pub identifier: Option<String>,
    /// The user's name for signing in.
    pub username: Option<String>,
    /// Whether the user may not sign in.
    pub banned: Option<bool>,
    /// Whether directory sync took the user's access away.
    pub deprovisioned: Option<bool>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PublicUserData {
    user_id,
    first_name,
    last_name,
    image_url,
    profile_image_url,
    has_image,
    identifier,
    username,
    banned,
    deprovisioned,
});

impl PublicUserData {
    /// First and last name with a space between, or the one that there is.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }
}
