//! Invitations: into an organization, into the application, and the waitlist before them.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::membership::PublicUserData;
use crate::payload::organization::PublicOrganizationData;
use crate::payload::sensitive::Sensitive;
use crate::text_enum::text_enum;
use crate::time::UnixMillis;

/// An invitation into an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrganizationInvitation {
    /// Such as `orginv_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Always `organization_invitation`.
    pub object: Option<String>,
    /// Who is invited.
    pub email_address: Option<String>,
    /// The key of the role that the invited will have.
    pub role: Option<String>,
    /// The name of that role.
    pub role_name: Option<String>,
    /// The organization.
    pub organization_id: Option<String>,
    /// The user who invites.
    pub inviter_id: Option<String>,
    /// The user who invites.
    pub public_inviter_data: Option<PublicUserData>,
    /// What became of it.
    pub status: Option<InvitationStatus>,
    /// Who accepted it, in `organizationInvitation.accepted`.
    pub user_id: Option<String>,
    /// Metadata for the membership, that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Metadata for the membership, for backends only.
    pub private_metadata: Option<Sensitive<Map<String, Value>>>,
    /// The link in the email: it lets its bearer in.
    pub url: Option<Sensitive<String>>,
    /// Until when it can be accepted.
    pub expires_at: Option<UnixMillis>,
    /// The organization, where it stands at this place.
    pub public_organization_data: Option<PublicOrganizationData>,
    /// The organization, where it stands one level down.
    pub data: Option<OrganizationInvitationData>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(OrganizationInvitation: id {
    object, email_address, role, role_name, organization_id, inviter_id, public_inviter_data,
    status, user_id, public_metadata, private_metadata, url, expires_at,
    public_organization_data, data, created_at, updated_at,
});

impl OrganizationInvitation {
    /// The organization, at whichever of its two places it stands.
    #[must_use]
    pub fn organization(&self) -> Option<&PublicOrganizationData> {
        let nested = || self.data.as_ref()?.public_organization_data.as_ref();
        self.public_organization_data.as_ref().or_else(nested)
    }

    /// The id of the organization, from wherever it is.
    #[must_use]
    pub fn organization_id(&self) -> Option<&str> {
        let id = || self.organization()?.id.as_deref();
        self.organization_id.as_deref().or_else(id)
    }
}

/// The `data` inside an invitation into an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrganizationInvitationData {
    /// The organization.
    pub public_organization_data: Option<PublicOrganizationData>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(OrganizationInvitationData { public_organization_data });

/// An invitation to sign up for the application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invitation {
    /// Such as `inv_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Always `invitation`.
    pub object: Option<String>,
    /// Who is invited.
    pub email_address: Option<String>,
    /// Metadata for the user to be, that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Whether it was withdrawn.
    pub revoked: Option<bool>,
    /// What became of it.
    pub status: Option<InvitationStatus>,
    /// The link in the email: it lets its bearer sign up.
    pub url: Option<Sensitive<String>>,
    /// Until when it can be accepted.
    pub expires_at: Option<UnixMillis>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Invitation: id {
    object, email_address, public_metadata, revoked, status, url, expires_at, created_at,
    updated_at,
});

/// What became of an invitation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InvitationStatus {
    /// Sent, not answered.
    Pending,
    /// Accepted.
    Accepted,
    /// Withdrawn.
    Revoked,
    /// Not accepted in time.
    Expired,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(InvitationStatus { Pending = "pending", Accepted = "accepted", Revoked = "revoked", Expired = "expired" });

/// A place on the waitlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WaitlistEntry {
    /// Such as `wle_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// `waitlist_entry`, or in older payloads `waitlistEntry`.
    pub object: Option<String>,
    /// Who waits.
    pub email_address: Option<String>,
    /// How far it is.
    pub status: Option<WaitlistStatus>,
    /// Whether a batch is being worked on, so that it cannot be changed.
    pub is_locked: Option<bool>,
    /// The invitation that ended the wait.
    pub invitation: Option<Invitation>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(WaitlistEntry: id {
    object, email_address, status, is_locked, invitation, created_at, updated_at,
});

/// How far a place on the waitlist is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitlistStatus {
    /// Waiting.
    Pending,
    /// Invited to sign up.
    Invited,
    /// Refused.
    Rejected,
    /// Signed up.
    Completed,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(WaitlistStatus { Pending = "pending", Invited = "invited", Rejected = "rejected", Completed = "completed" });
