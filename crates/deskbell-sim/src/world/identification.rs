//! The ways to reach a user that hang on a user's payload: email addresses, phone numbers, wallets, accounts elsewhere.
//!
//! Fields stand in alphabetical order, as Clerk writes them.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::{Map, Value};

use super::ids::entity_id;
use super::names;

/// Begins every phone backup code of the simulation, so that a leak into a mirror can be found.
pub(crate) const BACKUP_CODE_MARKER: &str = "simbackup";

#[derive(Debug, Clone, Serialize)]
pub(crate) struct EmailAddress {
    created_at: i64,
    pub(crate) email_address: String,
    pub(crate) id: String,
    linked_to: Vec<LinkedTo>,
    matches_sso_connection: bool,
    object: &'static str,
    reserved: bool,
    updated_at: i64,
    verification: Option<Verification>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct PhoneNumber {
    backup_codes: Option<Vec<String>>,
    created_at: i64,
    default_second_factor: bool,
    pub(crate) id: String,
    linked_to: Vec<LinkedTo>,
    object: &'static str,
    pub(crate) phone_number: String,
    reserved: bool,
    reserved_for_second_factor: bool,
    updated_at: i64,
    verification: Option<Verification>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Web3Wallet {
    created_at: i64,
    pub(crate) id: String,
    object: &'static str,
    updated_at: i64,
    verification: Option<Verification>,
    pub(crate) web3_wallet: String,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct ExternalAccount {
    approved_scopes: &'static str,
    created_at: i64,
    email_address: String,
    email_address_verified: bool,
    first_name: String,
    pub(crate) id: String,
    identification_id: String,
    image_url: Option<String>,
    label: Option<String>,
    last_name: String,
    object: &'static str,
    phone_number: Option<String>,
    provider: &'static str,
    provider_user_id: String,
    public_metadata: Map<String, Value>,
    updated_at: i64,
    username: Option<String>,
    verification: Option<Verification>,
}

#[derive(Debug, Clone, Serialize)]
struct LinkedTo {
    id: String,
    r#type: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Verification {
    attempts: Option<u8>,
    expire_at: Option<i64>,
    object: &'static str,
    status: &'static str,
    strategy: &'static str,
}

impl EmailAddress {
    pub(crate) fn new(at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            created_at: at_ms,
            email_address: names::email_address(rng),
            id: entity_id("idn_", at_ms, rng),
            linked_to: Vec::new(),
            matches_sso_connection: false,
            object: "email_address",
            reserved: false,
            updated_at: at_ms,
            verification: Verification::by_code("email_code", at_ms, rng),
        }
    }
}

impl PhoneNumber {
    pub(crate) fn new(at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        let second_factor = rng.random_bool(0.5);
        Self {
            backup_codes: second_factor.then(|| backup_codes(rng)),
            created_at: at_ms,
            default_second_factor: second_factor,
            id: entity_id("idn_", at_ms, rng),
            linked_to: Vec::new(),
            object: "phone_number",
            phone_number: names::phone_number(rng),
            reserved: false,
            reserved_for_second_factor: second_factor,
            updated_at: at_ms,
            verification: Verification::by_code("phone_code", at_ms, rng),
        }
    }
}

impl Web3Wallet {
    pub(crate) fn new(at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        Self {
            created_at: at_ms,
            id: entity_id("idn_", at_ms, rng),
            object: "web3_wallet",
            updated_at: at_ms,
            verification: Verification::by_code("web3_metamask_signature", at_ms, rng),
            web3_wallet: format!("0x{:032x}{:08x}", rng.random::<u128>(), rng.random::<u32>()),
        }
    }
}

impl ExternalAccount {
    /// An account elsewhere, linked to the email address that it brought.
    pub(crate) fn google(at_ms: i64, email: &mut EmailAddress, rng: &mut ChaCha8Rng) -> Self {
        let id = entity_id("eac_", at_ms, rng);
        email.linked_to.push(LinkedTo { id: id.clone(), r#type: "oauth_google" });
        Self {
            approved_scopes: "email https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile openid profile",
            created_at: at_ms,
            email_address: email.email_address.clone(),
            email_address_verified: true,
            first_name: names::first_name(rng),
            id,
            identification_id: entity_id("idn_", at_ms, rng),
            image_url: None,
            label: None,
            last_name: names::last_name(rng),
            object: "external_account",
            phone_number: None,
            provider: "oauth_google",
            provider_user_id: rng.random_range(10_u64.pow(17)..10_u64.pow(18)).to_string(),
            public_metadata: Map::new(),
            updated_at: at_ms,
            username: None,
            verification: Some(Verification::new("verified", "oauth_google")),
        }
    }
}

impl Verification {
    fn new(status: &'static str, strategy: &'static str) -> Self {
        Self { attempts: None, expire_at: None, object: "verification", status, strategy }
    }

    /// Most are verified by a code; some by an administrator; a few not yet, or not at all.
    fn by_code(strategy: &'static str, at_ms: i64, rng: &mut ChaCha8Rng) -> Option<Self> {
        let code = |status| Self {
            attempts: Some(1),
            expire_at: Some(at_ms + 600_000),
            ..Self::new(status, strategy)
        };
        match rng.random_range(0..20) {
            0 => None,
            1 | 2 => Some(Self::new("verified", "admin")),
            3 => Some(code("unverified")),
            _ => Some(code("verified")),
        }
    }
}

fn backup_codes(rng: &mut ChaCha8Rng) -> Vec<String> {
    (0..10).map(|_| format!("{BACKUP_CODE_MARKER}{:08x}", rng.random::<u32>())).collect()
}
