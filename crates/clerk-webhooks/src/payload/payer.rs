//! `Payer`, who pays: a user or an organization.

use crate::payload::fields::{Extra, entity};
use crate::payload::full_name::full_name;
use crate::time::UnixMillis;

/// Who pays: a user or an organization.
///
/// Clerk writes an empty text for what a payer does not have; here that is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Payer {
    /// Such as `cpayer_29w9IfBrPmcpi0IeBVaKtA7R94W`: not the id of a user or an organization.
    pub id: Option<String>,
    /// `commerce_payer`.
    pub object: Option<String>,
    /// The Clerk instance.
    pub instance_id: Option<String>,
    /// The user who pays.
    pub user_id: Option<String>,
    /// Given name of that user.
    pub first_name: Option<String>,
    /// Family name of that user.
    pub last_name: Option<String>,
    /// Where bills go.
    pub email: Option<String>,
    /// The organization that pays.
    pub organization_id: Option<String>,
    /// Its name.
    pub organization_name: Option<String>,
    /// Where the avatar or logo is.
    pub image_url: Option<String>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(
    Payer,
    drop_empty_texts {
        id,
        object,
        instance_id,
        user_id,
        first_name,
        last_name,
        email,
        organization_id,
        organization_name,
        image_url,
        created_at,
        updated_at,
    }
);

impl Payer {
    /// Whether an organization pays.
    #[must_use]
    pub fn is_organization(&self) -> bool {
        self.organization_id.is_some()
    }

    /// The id of the organization that pays, or else of the user.
    #[must_use]
    pub fn owner_id(&self) -> Option<&str> {
        self.organization_id.as_deref().or(self.user_id.as_deref())
    }

    /// The name of the organization that pays, or else of the user.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let user = || full_name(self.first_name.as_deref(), self.last_name.as_deref());
        self.organization_name.clone().or_else(user)
    }
}
