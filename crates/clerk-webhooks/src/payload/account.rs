//! A user's accounts elsewhere: OAuth, SAML, enterprise single sign-on, directory sync.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::identifier::Verification;
use crate::time::UnixMillis;

/// An account at an OAuth provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalAccount {
    /// Such as `eac_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// `external_account`, or for older ones `google_account` and `facebook_account`.
    pub object: Option<String>,
    /// Such as `oauth_google`.
    pub provider: Option<String>,
    /// Its place among the user's identifications.
    pub identification_id: Option<String>,
    /// Its id under another name, in newer payloads.
    pub external_account_id: Option<String>,
    /// The user's id at the provider.
    pub provider_user_id: Option<String>,
    /// The user's id at Google, in `google_account` objects.
    pub google_id: Option<String>,
    /// The user's id at Facebook, in `facebook_account` objects.
    pub facebook_id: Option<String>,
    /// What was consented to, separated by spaces.
    pub approved_scopes: Option<String>,
    /// The address that the provider gave.
    pub email_address: Option<String>,
    /// Whether the provider says that it verified the address.
    pub email_address_verified: Option<bool>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Given name, in `google_account` objects.
    pub given_name: Option<String>,
    /// Family name, in `google_account` objects.
    pub family_name: Option<String>,
    /// Where the avatar is.
    pub image_url: Option<String>,
    /// The avatar's older address.
    pub avatar_url: Option<String>,
    /// The avatar's address, in `google_account` objects.
    pub picture: Option<String>,
    /// The name at the provider.
    pub username: Option<String>,
    /// The number that the provider gave.
    pub phone_number: Option<String>,
    /// Metadata that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// A name that tells accounts at the same provider apart.
    pub label: Option<String>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(ExternalAccount {
    id,
    object,
    provider,
    identification_id,
    external_account_id,
    provider_user_id,
    google_id,
    facebook_id,
    approved_scopes,
    email_address,
    email_address_verified,
    first_name,
    last_name,
    given_name,
    family_name,
    image_url,
    avatar_url,
    picture,
    username,
    phone_number,
    public_metadata,
    label,
    verification,
    created_at,
    updated_at,
});

/// An account at a SAML identity provider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamlAccount {
    /// Such as `samlacc_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Always `saml_account`.
    pub object: Option<String>,
    /// Such as `saml_okta`.
    pub provider: Option<String>,
    /// Whether it is in use.
    pub active: Option<bool>,
    /// The address that the provider gave.
    pub email_address: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The user's id at the provider.
    pub provider_user_id: Option<String>,
    /// When it was last used.
    pub last_authenticated_at: Option<UnixMillis>,
    /// Metadata that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// The connection that it came through.
    pub saml_connection: Option<SsoConnection>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(SamlAccount {
    id,
    object,
    provider,
    active,
    email_address,
    first_name,
    last_name,
    provider_user_id,
    last_authenticated_at,
    public_metadata,
    verification,
    saml_connection,
});

/// An account of enterprise single sign-on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnterpriseAccount {
    /// Such as `entacc_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Always `enterprise_account`.
    pub object: Option<String>,
    /// `saml` or `oauth`.
    pub protocol: Option<String>,
    /// Such as `saml_okta`.
    pub provider: Option<String>,
    /// Whether it is in use.
    pub active: Option<bool>,
    /// The address that the provider gave.
    pub email_address: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// The user's id at the provider.
    pub provider_user_id: Option<String>,
    /// The id of the connection that it came through.
    pub enterprise_connection_id: Option<String>,
    /// When it was last used.
    pub last_authenticated_at: Option<UnixMillis>,
    /// Metadata that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// The connection that it came through.
    pub enterprise_connection: Option<SsoConnection>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(EnterpriseAccount {
    id,
    object,
    protocol,
    provider,
    active,
    email_address,
    first_name,
    last_name,
    provider_user_id,
    enterprise_connection_id,
    last_authenticated_at,
    public_metadata,
    verification,
    enterprise_connection,
});

/// A connection of enterprise single sign-on, SAML or OAuth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SsoConnection {
    /// Such as `samlc_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Its kind.
    pub object: Option<String>,
    /// `saml` or `oauth`.
    pub protocol: Option<String>,
    /// Such as `saml_okta`.
    pub provider: Option<String>,
    /// The name that users see.
    pub name: Option<String>,
    /// Where its logo is.
    pub logo_public_url: Option<String>,
    /// The domain that it is for; `domains` has all.
    pub domain: Option<String>,
    /// The domains that it is for.
    pub domains: Option<Vec<String>>,
    /// Whether it is in use.
    pub active: Option<bool>,
    /// Whether each sign-in renews the user's names.
    pub sync_user_attributes: Option<bool>,
    /// Whether it holds for subdomains too.
    pub allow_subdomains: Option<bool>,
    /// Whether the provider may begin a sign-in.
    pub allow_idp_initiated: Option<bool>,
    /// Whether its users may add no other addresses.
    pub disable_additional_identifications: Option<bool>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(SsoConnection {
    id,
    object,
    protocol,
    provider,
    name,
    logo_public_url,
    domain,
    domains,
    active,
    sync_user_attributes,
    allow_subdomains,
    allow_idp_initiated,
    disable_additional_identifications,
    created_at,
    updated_at,
});

/// What directory sync (SCIM) knows of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScimUser {
    /// The directory that the user comes from.
    pub directory_id: Option<String>,
    /// Whether that directory is in use.
    pub directory_enabled: Option<bool>,
    /// The user's id in the directory.
    pub external_id: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(ScimUser { directory_id, directory_enabled, external_id });
