//! `OrganizationDomain`, the payload of `organizationDomain.created` and `.updated`.

use crate::payload::fields::{Extra, entity};
use crate::payload::identifier::Verification;
use crate::payload::organization::PublicOrganizationData;
use crate::text_enum::text_enum;
use crate::time::UnixMillis;

/// A domain whose users may join an organization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrganizationDomain {
    /// Such as `orgdmn_29w9IfBrPmcpi0IeBVaKtA7R94W`.
    pub id: String,
    /// Always `organization_domain`.
    pub object: Option<String>,
    /// The organization that it belongs to.
    pub organization_id: Option<String>,
    /// The domain.
    pub name: Option<String>,
    /// How its users come in.
    pub enrollment_mode: Option<EnrollmentMode>,
    /// The address through which the domain was claimed.
    pub affiliation_email_address: Option<String>,
    /// Whether that claim was verified.
    pub affiliation_verification: Option<Verification>,
    /// Whether the ownership of the domain was proven.
    pub ownership_verification: Option<Verification>,
    /// The older name of `affiliation_verification`.
    pub verification: Option<Verification>,
    /// How many invitations are open.
    pub total_pending_invitations: Option<i64>,
    /// How many suggestions are open.
    pub total_pending_suggestions: Option<i64>,
    /// The organization.
    pub public_organization_data: Option<PublicOrganizationData>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(OrganizationDomain: id {
    object, organization_id, name, enrollment_mode, affiliation_email_address,
    affiliation_verification, ownership_verification, verification, total_pending_invitations,
    total_pending_suggestions, public_organization_data, created_at, updated_at,
});

/// How users with an address in a domain come into the organization.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EnrollmentMode {
    /// Somebody invites them.
    ManualInvitation,
    /// They are invited when they sign up.
    AutomaticInvitation,
    /// They may ask to join.
    AutomaticSuggestion,
    /// They join by single sign-on.
    EnterpriseSso,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(EnrollmentMode { ManualInvitation = "manual_invitation", AutomaticInvitation = "automatic_invitation", AutomaticSuggestion = "automatic_suggestion", EnterpriseSso = "enterprise_sso" });
