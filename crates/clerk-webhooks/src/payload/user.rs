//! `User`, the payload of `user.created` and `user.updated`.

use serde_json::{Map, Value};

use crate::payload::account::{EnterpriseAccount, ExternalAccount, SamlAccount, ScimUser};
use crate::payload::fields::{Extra, entity};
use crate::payload::full_name::full_name;
use crate::payload::identifier::{EmailAddress, Passkey, PhoneNumber, Web3Wallet};
use crate::payload::membership::OrganizationMembership;
use crate::payload::sensitive::Sensitive;
use crate::time::UnixMillis;

/// A user.
///
/// ```
/// use clerk_webhooks::payload::User;
/// use serde_json::json;
///
/// let user: User = serde_json::from_value(json!({
///     "id": "user_2a",
///     "first_name": "Ada",
///     "last_name": null,
///     "email_addresses": [
///         {"id": "idn_1", "email_address": "old@example.com"},
///         {"id": "idn_2", "email_address": "ada@example.com"},
///     ],
///     "primary_email_address_id": "idn_2",
///     "shoe_size": 38,
/// }))?;
/// assert_eq!(user.primary_email_address(), Some("ada@example.com"));
/// assert_eq!(user.full_name().as_deref(), Some("Ada"));
/// assert_eq!(user.extra["shoe_size"], 38);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Such as `user_29w83sxmDNGwOuEthce5gg56FcC`.
    pub id: String,
    /// Always `user`.
    pub object: Option<String>,
    /// The id of the user in your own system, where you gave one.
    pub external_id: Option<String>,
    /// Which of `email_addresses` is the primary one.
    pub primary_email_address_id: Option<String>,
    /// Which of `phone_numbers` is the primary one.
    pub primary_phone_number_id: Option<String>,
    /// Which of `web3_wallets` is the primary one.
    pub primary_web3_wallet_id: Option<String>,
    /// The user's name for signing in.
    pub username: Option<String>,
    /// Given name.
    pub first_name: Option<String>,
    /// Family name.
    pub last_name: Option<String>,
    /// Language and region, such as `en-US`.
    pub locale: Option<String>,
    /// The time zone, such as `Europe/Stockholm`.
    pub timezone: Option<String>,
    /// Where the avatar is.
    pub image_url: Option<String>,
    /// The avatar's older address.
    pub profile_image_url: Option<String>,
    /// Whether the user uploaded an image; else the avatar is a generated one.
    pub has_image: Option<bool>,
    /// Metadata that frontends may read.
    pub public_metadata: Option<Map<String, Value>>,
    /// Metadata for backends only.
    pub private_metadata: Option<Sensitive<Map<String, Value>>>,
    /// Metadata that frontends may read and write: trust nothing in it.
    pub unsafe_metadata: Option<Map<String, Value>>,
    /// Every email address; may be empty.
    pub email_addresses: Option<Vec<EmailAddress>>,
    /// Every phone number.
    pub phone_numbers: Option<Vec<PhoneNumber>>,
    /// Every wallet.
    pub web3_wallets: Option<Vec<Web3Wallet>>,
    /// Every passkey.
    pub passkeys: Option<Vec<Passkey>>,
    /// Accounts at OAuth providers.
    pub external_accounts: Option<Vec<ExternalAccount>>,
    /// Accounts at SAML identity providers.
    pub saml_accounts: Option<Vec<SamlAccount>>,
    /// Accounts of enterprise single sign-on.
    pub enterprise_accounts: Option<Vec<EnterpriseAccount>>,
    /// Memberships; seldom there.
    pub organization_memberships: Option<Vec<OrganizationMembership>>,
    /// Whether the user has a password.
    pub password_enabled: Option<bool>,
    /// Whether a second factor is asked for.
    pub two_factor_enabled: Option<bool>,
    /// Whether an authenticator app is a second factor.
    pub totp_enabled: Option<bool>,
    /// Whether backup codes are a second factor.
    pub backup_code_enabled: Option<bool>,
    /// When a second factor was turned on.
    pub mfa_enabled_at: Option<UnixMillis>,
    /// When it was turned off.
    pub mfa_disabled_at: Option<UnixMillis>,
    /// When the password last changed.
    pub password_last_updated_at: Option<UnixMillis>,
    /// When the user last signed in.
    pub last_sign_in_at: Option<UnixMillis>,
    /// When the user was last active, to the day.
    pub last_active_at: Option<UnixMillis>,
    /// When the legal terms were accepted.
    pub legal_accepted_at: Option<UnixMillis>,
    /// Whether the user may not sign in.
    pub banned: Option<bool>,
    /// Whether too many failed tries lock the user out for now.
    pub locked: Option<bool>,
    /// Whether directory sync took the user's access away: no `user.deleted` follows.
    pub deprovisioned: Option<bool>,
    /// For how many seconds the lock holds.
    pub lockout_expires_in_seconds: Option<i64>,
    /// How many tries are left before the lock.
    pub verification_attempts_remaining: Option<i64>,
    /// Whether the user may delete the account.
    pub delete_self_enabled: Option<bool>,
    /// Whether the user may create organizations.
    pub create_organization_enabled: Option<bool>,
    /// How many organizations the user may create.
    pub create_organizations_limit: Option<i64>,
    /// Whether a new device needs no confirmation.
    pub bypass_client_trust: Option<bool>,
    /// What directory sync knows of the user.
    pub scim: Option<ScimUser>,
    /// Gone since 2024; then often an empty text.
    pub birthday: Option<String>,
    /// Gone since 2024; then often an empty text.
    pub gender: Option<String>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(User: id {
    object, external_id, primary_email_address_id, primary_phone_number_id,
    primary_web3_wallet_id, username, first_name, last_name, locale, timezone, image_url,
    profile_image_url, has_image, public_metadata, private_metadata, unsafe_metadata,
    email_addresses, phone_numbers, web3_wallets, passkeys, external_accounts, saml_accounts,
    enterprise_accounts, organization_memberships, password_enabled, two_factor_enabled,
    totp_enabled, backup_code_enabled, mfa_enabled_at, mfa_disabled_at, password_last_updated_at,
    last_sign_in_at, last_active_at, legal_accepted_at, banned, locked, deprovisioned,
    lockout_expires_in_seconds, verification_attempts_remaining, delete_self_enabled,
    create_organization_enabled, create_organizations_limit, bypass_client_trust, scim, birthday,
    gender, created_at, updated_at,
});

impl User {
    /// The address that `primary_email_address_id` names: none where it names none, though there may
    /// be others.
    #[must_use]
    pub fn primary_email_address(&self) -> Option<&str> {
        self.primary_email()?.email_address.as_deref()
    }

    /// The entry behind [`primary_email_address`](Self::primary_email_address), with its verification.
    #[must_use]
    pub fn primary_email(&self) -> Option<&EmailAddress> {
        let id = self.primary_email_address_id.as_deref()?;
        self.email_addresses.iter().flatten().find(|address| address.id.as_deref() == Some(id))
    }

    /// The number that `primary_phone_number_id` names.
    #[must_use]
    pub fn primary_phone_number(&self) -> Option<&str> {
        self.primary_phone()?.phone_number.as_deref()
    }

    /// The entry behind [`primary_phone_number`](Self::primary_phone_number), with its verification.
    #[must_use]
    pub fn primary_phone(&self) -> Option<&PhoneNumber> {
        let id = self.primary_phone_number_id.as_deref()?;
        self.phone_numbers.iter().flatten().find(|number| number.id.as_deref() == Some(id))
    }

    /// The wallet that `primary_web3_wallet_id` names.
    #[must_use]
    pub fn primary_web3_wallet(&self) -> Option<&str> {
        let id = self.primary_web3_wallet_id.as_deref()?;
        let mut wallets = self.web3_wallets.iter().flatten();
        wallets.find(|wallet| wallet.id.as_deref() == Some(id))?.web3_wallet.as_deref()
    }

    /// First and last name with a space between, or the one that there is; none where both are
    /// missing or blank.
    #[must_use]
    pub fn full_name(&self) -> Option<String> {
        full_name(self.first_name.as_deref(), self.last_name.as_deref())
    }
}
