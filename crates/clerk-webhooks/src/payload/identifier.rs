//! What a user can be reached or recognised by: addresses, numbers, wallets, passkeys.

use serde_json::{Map, Value};

use crate::payload::fields::{Extra, entity};
use crate::payload::sensitive::Sensitive;
use crate::text_enum::text_enum;
use crate::time::UnixMillis;

/// An email address of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct EmailAddress {
    /// Such as `idn_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Always `email_address`.
    pub object: Option<String>,
    /// The address.
    pub email_address: Option<String>,
    /// Whether it is held back for an unfinished sign-up.
    pub reserved: Option<bool>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// The accounts that vouch for it.
    pub linked_to: Option<Vec<IdentificationLink>>,
    /// Whether its domain belongs to enterprise single sign-on.
    pub matches_sso_connection: Option<bool>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(EmailAddress {
    id,
    object,
    email_address,
    reserved,
    verification,
    linked_to,
    matches_sso_connection,
    created_at,
    updated_at,
});

/// A phone number of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PhoneNumber {
    /// Such as `idn_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Always `phone_number`.
    pub object: Option<String>,
    /// The number in E.164 form.
    pub phone_number: Option<String>,
    /// Whether it serves as a second factor.
    pub reserved_for_second_factor: Option<bool>,
    /// Whether it is the second factor that is asked for first.
    pub default_second_factor: Option<bool>,
    /// Whether it is held back for an unfinished sign-up.
    pub reserved: Option<bool>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// The accounts that vouch for it.
    pub linked_to: Option<Vec<IdentificationLink>>,
    /// Codes that sign the user in: real ones.
    pub backup_codes: Option<Sensitive<Vec<String>>>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(PhoneNumber {
    id,
    object,
    phone_number,
    reserved_for_second_factor,
    default_second_factor,
    reserved,
    verification,
    linked_to,
    backup_codes,
    created_at,
    updated_at,
});

/// A wallet of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Web3Wallet {
    /// Such as `idn_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Always `web3_wallet`.
    pub object: Option<String>,
    /// The wallet's address.
    pub web3_wallet: Option<String>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Web3Wallet { id, object, web3_wallet, verification, created_at, updated_at });

/// A passkey of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Passkey {
    /// Such as `idn_29w83yL7CwVlJXylYLxcslromF1`.
    pub id: Option<String>,
    /// Always `passkey`.
    pub object: Option<String>,
    /// The name that the user sees.
    pub name: Option<String>,
    /// When it was last used.
    pub last_used_at: Option<UnixMillis>,
    /// Whether and how it was verified.
    pub verification: Option<Verification>,
    /// When it was created.
    pub created_at: Option<UnixMillis>,
    /// When it last changed.
    pub updated_at: Option<UnixMillis>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Passkey { id, object, name, last_used_at, verification, created_at, updated_at });

/// How something was verified, or is being. One type for all of Clerk's kinds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verification {
    /// The kind, such as `verification_otp`.
    pub object: Option<String>,
    /// How far it is.
    pub status: Option<VerificationStatus>,
    /// The means, such as `email_code` or `oauth_google`.
    pub strategy: Option<String>,
    /// How many tries there were.
    pub attempts: Option<i64>,
    /// Until when it can be completed.
    pub expire_at: Option<UnixMillis>,
    /// When the ownership of a domain was proven.
    pub verified_at: Option<UnixMillis>,
    /// The client that completed it.
    pub verified_at_client: Option<String>,
    /// How a code was sent, such as `sms`.
    pub channel: Option<String>,
    /// What a wallet or passkey had to sign.
    pub nonce: Option<Sensitive<String>>,
    /// The message that a wallet had to sign.
    pub message: Option<Sensitive<String>>,
    /// Where the provider's consent page is.
    pub external_verification_redirect_url: Option<Sensitive<String>>,
    /// Why it failed.
    pub error: Option<VerificationFailure>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(Verification {
    object, status, strategy, attempts, expire_at = "expire_at" | "expires_at", verified_at,
    verified_at_client, channel, nonce, message, external_verification_redirect_url, error,
});

/// How far a verification is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VerificationStatus {
    /// Begun, or not begun.
    Unverified,
    /// Done.
    Verified,
    /// Given up after too many tries.
    Failed,
    /// Not done in time.
    Expired,
    /// The account belongs to another user, to whom it can be moved.
    Transferable,
    /// One that this version does not know.
    Unknown(String),
}

text_enum!(VerificationStatus { Unverified = "unverified", Verified = "verified", Failed = "failed", Expired = "expired", Transferable = "transferable" });

/// Why a verification failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerificationFailure {
    /// A stable name of the reason.
    pub code: Option<String>,
    /// What happened, for developers.
    pub message: Option<String>,
    /// What happened, for users.
    pub long_message: Option<String>,
    /// More, by reason.
    pub meta: Option<Map<String, Value>>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(VerificationFailure { code, message, long_message, meta });

/// An account that vouches for an address or a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentificationLink {
    /// The id of that account's identification.
    pub id: Option<String>,
    /// Its kind, such as `oauth_google`.
    pub link_type: Option<String>,
    /// Every other member, and those whose value does not fit.
    pub extra: Extra,
}

entity!(IdentificationLink {
    id, link_type = "type",
});
