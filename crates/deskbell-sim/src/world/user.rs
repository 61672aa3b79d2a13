//! A user: how one signs up, what changes in one's life, the payload that says so, and the row that must come of it.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use super::identification::{EmailAddress, ExternalAccount, PhoneNumber, Web3Wallet};
use super::ids::entity_id;
use super::metadata::{self, Metadata};
use super::names;
use crate::truth::{Row, json, time, time_or_null};

const EMAIL_ADDRESSES_MAX: usize = 4;

/// A user's state; serialised, it is the payload's `data`, every field in alphabetical order as Clerk writes them.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct User {
    backup_code_enabled: bool,
    banned: bool,
    bypass_client_trust: bool,
    create_organization_enabled: bool,
    create_organizations_limit: Option<u32>,
    created_at: i64,
    delete_self_enabled: bool,
    deprovisioned: bool,
    email_addresses: Vec<EmailAddress>,
    enterprise_accounts: [(); 0],
    external_accounts: Vec<ExternalAccount>,
    pub(crate) external_id: Option<String>,
    pub(crate) first_name: Option<String>,
    has_image: bool,
    pub(crate) id: String,
    pub(crate) image_url: String,
    last_active_at: Option<i64>,
    pub(crate) last_name: Option<String>,
    last_sign_in_at: Option<i64>,
    legal_accepted_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<String>,
    locked: bool,
    lockout_expires_in_seconds: Option<u32>,
    mfa_disabled_at: Option<i64>,
    mfa_enabled_at: Option<i64>,
    object: &'static str,
    passkeys: [(); 0],
    password_enabled: bool,
    password_last_updated_at: Option<i64>,
    phone_numbers: Vec<PhoneNumber>,
    primary_email_address_id: Option<String>,
    primary_phone_number_id: Option<String>,
    primary_web3_wallet_id: Option<String>,
    private_metadata: Option<Metadata>,
    profile_image_url: String,
    public_metadata: Metadata,
    saml_accounts: [(); 0],
    scim: Option<()>,
    totp_enabled: bool,
    two_factor_enabled: bool,
    unsafe_metadata: Metadata,
    pub(crate) updated_at: i64,
    username: Option<String>,
    verification_attempts_remaining: Option<u32>,
    web3_wallets: Vec<Web3Wallet>,
    /// The memberships that this user holds, for the cascade.
    #[serde(skip)]
    pub(crate) membership_ids: Vec<String>,
    /// What else ends with it: its table and id.
    #[serde(skip)]
    pub(crate) dependants: Vec<(&'static str, String)>,
    #[serde(skip)]
    pub(crate) has_subscription: bool,
}

impl User {
    /// Signs a user up: by email, by Google account, by username alone, or by wallet.
    pub(crate) fn sign_up(at_ms: i64, rng: &mut ChaCha8Rng) -> Self {
        let image_url = image_url(rng);
        let mut user = Self {
            id: entity_id("user_", at_ms, rng),
            object: "user",
            profile_image_url: image_url.clone(),
            image_url,
            create_organization_enabled: true,
            delete_self_enabled: true,
            verification_attempts_remaining: Some(100),
            created_at: at_ms,
            updated_at: at_ms,
            ..Self::default()
        };
        match rng.random_range(0..20) {
            0..=10 => user.with_emails(at_ms, rng),
            11..=16 => user.with_google(at_ms, rng),
            17 => user.username = Some(names::username(rng)),
            18 => user.with_wallet(at_ms, rng),
            _ => user.with_phone(at_ms, rng),
        }
        if rng.random_bool(0.6) {
            user.first_name = Some(names::first_name(rng));
        }
        if rng.random_bool(0.5) {
            user.last_name = Some(names::last_name(rng));
        }
        user.public_metadata = metadata::public(rng);
        user.unsafe_metadata = metadata::r#unsafe(rng);
        user.private_metadata = rng.random_bool(0.9).then(|| metadata::private(rng));
        user.legal_accepted_at = rng.random_bool(0.3).then_some(at_ms);
        user.locale = rng.random_bool(0.5).then(|| names::locale(rng));
        user
    }

    /// Changes something that a person, an administrator or a directory would change.
    pub(crate) fn change(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.updated_at = at_ms;
        match rng.random_range(0..22) {
            0..=3 => self.sign_in(at_ms),
            4..=6 => self.rename(rng),
            7..=10 => self.public_metadata = metadata::public(rng),
            11 => self.unsafe_metadata = metadata::r#unsafe(rng),
            12 => self.private_metadata = Some(metadata::private(rng)),
            13 => self.add_email(at_ms, rng),
            14 | 15 => self.remove_email(rng),
            16 => self.choose_primary_email(rng),
            17 => self.banned = !self.banned,
            18 => self.locked = !self.locked,
            19 => self.deprovisioned = !self.deprovisioned,
            20 => self.secure(at_ms, rng),
            _ => self.take_image(rng),
        }
    }

    /// The row of table `users`.
    pub(crate) fn row(&self) -> Row {
        Row::from([
            ("id", self.id.as_str().into()),
            ("external_id", self.external_id.as_deref().into()),
            ("username", self.username.as_deref().into()),
            ("first_name", self.first_name.as_deref().into()),
            ("last_name", self.last_name.as_deref().into()),
            ("primary_email_address", self.primary_email_address().into()),
            ("primary_email_address_id", self.primary_email_address_id.as_deref().into()),
            ("primary_phone_number", self.primary_phone_number().into()),
            ("primary_phone_number_id", self.primary_phone_number_id.as_deref().into()),
            ("primary_web3_wallet", self.primary_web3_wallet().into()),
            ("image_url", self.image_url.as_str().into()),
            ("has_image", self.has_image.into()),
            ("banned", self.banned.into()),
            ("locked", self.locked.into()),
            ("deprovisioned", self.deprovisioned.into()),
            ("password_enabled", self.password_enabled.into()),
            ("two_factor_enabled", self.two_factor_enabled.into()),
            ("public_metadata", json(&self.public_metadata)),
            ("unsafe_metadata", json(&self.unsafe_metadata)),
            ("locale", self.locale.as_deref().into()),
            ("last_sign_in_at", time_or_null(self.last_sign_in_at)),
            ("last_active_at", time_or_null(self.last_active_at)),
            ("legal_accepted_at", time_or_null(self.legal_accepted_at)),
            ("created_at", time(self.created_at)),
            ("updated_at", time(self.updated_at)),
        ])
    }

    /// What others see as the user's name at sign-in: the primary email address, else the username.
    pub(crate) fn identifier(&self) -> Option<&str> {
        self.primary_email_address().or(self.username.as_deref())
    }

    pub(crate) fn has_image(&self) -> bool {
        self.has_image
    }

    /// Email, and the id of the address, that a code would be sent to.
    pub(crate) fn primary_email(&self) -> Option<&EmailAddress> {
        let id = self.primary_email_address_id.as_deref()?;
        self.email_addresses.iter().find(|email| email.id == id)
    }

    fn primary_email_address(&self) -> Option<&str> {
        self.primary_email().map(|email| email.email_address.as_str())
    }

    fn primary_phone_number(&self) -> Option<&str> {
        let id = self.primary_phone_number_id.as_deref()?;
        let phone = self.phone_numbers.iter().find(|phone| phone.id == id)?;
        Some(&phone.phone_number)
    }

    fn primary_web3_wallet(&self) -> Option<&str> {
        let id = self.primary_web3_wallet_id.as_deref()?;
        let wallet = self.web3_wallets.iter().find(|wallet| wallet.id == id)?;
        Some(&wallet.web3_wallet)
    }

    fn with_emails(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.password_enabled = rng.random_bool(0.7);
        self.password_last_updated_at = self.password_enabled.then_some(at_ms);
        for _ in 0..=rng.random_range(0..6_usize).saturating_sub(3) {
            self.email_addresses.push(EmailAddress::new(at_ms, rng));
        }
        self.choose_primary_email(rng);
    }

    fn with_google(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        let mut email = EmailAddress::new(at_ms, rng);
        self.external_accounts.push(ExternalAccount::google(at_ms, &mut email, rng));
        self.primary_email_address_id = Some(email.id.clone());
        self.email_addresses.push(email);
        self.has_image = true;
        self.sign_in(at_ms);
    }

    fn with_wallet(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        let wallet = Web3Wallet::new(at_ms, rng);
        self.primary_web3_wallet_id = Some(wallet.id.clone());
        self.web3_wallets.push(wallet);
    }

    fn with_phone(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        let phone = PhoneNumber::new(at_ms, rng);
        self.primary_phone_number_id.get_or_insert_with(|| phone.id.clone());
        self.phone_numbers.push(phone);
    }

    fn sign_in(&mut self, at_ms: i64) {
        self.last_sign_in_at = Some(at_ms);
        self.last_active_at = Some(at_ms);
    }

    fn rename(&mut self, rng: &mut ChaCha8Rng) {
        self.first_name = rng.random_bool(0.9).then(|| names::first_name(rng));
        self.last_name = rng.random_bool(0.9).then(|| names::last_name(rng));
        if rng.random_bool(0.2) {
            self.username = Some(names::username(rng));
        }
        if rng.random_bool(0.1) {
            self.external_id = Some(format!("ext-{:08x}", rng.random::<u32>()));
        }
    }

    fn add_email(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        if self.email_addresses.len() < EMAIL_ADDRESSES_MAX {
            self.email_addresses.push(EmailAddress::new(at_ms, rng));
        }
        if self.primary_email_address_id.is_none() {
            self.choose_primary_email(rng);
        }
    }

    fn remove_email(&mut self, rng: &mut ChaCha8Rng) {
        if self.email_addresses.is_empty() {
            return;
        }
        let index = rng.random_range(0..self.email_addresses.len());
        let removed = self.email_addresses.remove(index);
        if self.primary_email_address_id.as_deref() == Some(&removed.id) {
            self.primary_email_address_id = None;
            self.choose_primary_email(rng);
        }
    }

    /// Any address may be the primary one; handlers that take the first of the list get many wrong.
    fn choose_primary_email(&mut self, rng: &mut ChaCha8Rng) {
        if !self.email_addresses.is_empty() {
            let index = rng.random_range(0..self.email_addresses.len());
            self.primary_email_address_id = Some(self.email_addresses[index].id.clone());
        }
    }

    fn secure(&mut self, at_ms: i64, rng: &mut ChaCha8Rng) {
        self.two_factor_enabled = !self.two_factor_enabled;
        self.totp_enabled = self.two_factor_enabled;
        self.backup_code_enabled = self.two_factor_enabled;
        if self.two_factor_enabled {
            self.mfa_enabled_at = Some(at_ms);
            self.with_phone(at_ms, rng);
        } else {
            self.mfa_disabled_at = Some(at_ms);
        }
    }

    fn take_image(&mut self, rng: &mut ChaCha8Rng) {
        self.image_url = image_url(rng);
        self.profile_image_url.clone_from(&self.image_url);
        self.has_image = true;
    }
}

/// An address of Clerk's image host: its last segment is base64 of a JSON text.
pub(crate) fn image_url(rng: &mut ChaCha8Rng) -> String {
    let letters: String = (0..64).map(|_| char::from(rng.random_range(b'a'..=b'z'))).collect();
    format!("https://img.clerk.com/{letters}")
}
