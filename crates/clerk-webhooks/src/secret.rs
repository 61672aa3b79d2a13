//! A signing secret: parsed once, redacted in `Debug`, wiped from memory on drop.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ed25519_dalek::{SigningKey, VerifyingKey};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Secrets are copied by hand, and often lose their trailing `=`.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL_SAFE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// One signing secret of a webhook endpoint.
///
/// - `whsec_…`, or the same base64 without the prefix: the shared key of `v1` signatures (HMAC-SHA256). This is what
///   Clerk's dashboard shows as the endpoint's *Signing Secret*.
/// - `whpk_…`: a public key of `v1a` signatures (Ed25519), which can verify only.
/// - `whsk_…`: a private key of `v1a` signatures, which can verify and sign.
///
/// The key is wiped from memory on drop, and `Debug` shows only its kind.
///
/// ```
/// use clerk_webhooks::{Secret, SecretError};
///
/// let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")?;
/// assert_eq!(format!("{secret:?}"), "Secret(v1, redacted)");
/// assert!(matches!(Secret::parse("sk_test_x"), Err(SecretError::ApiKey { .. })));
/// # Ok::<(), SecretError>(())
/// ```
#[derive(Clone)]
pub struct Secret(Material);

#[derive(Clone)]
pub(crate) enum Material {
    Hmac(Zeroizing<Vec<u8>>),
    Public(Box<VerifyingKey>),
    Private(Box<SigningKey>),
}

impl Secret {
    /// Reads one secret. White space around it and missing `=` at its end do no harm.
    ///
    /// # Errors
    /// [`SecretError`] names the mistake; it never repeats the text.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        refuse_other_things(text)?;
        if let Some(key) = text.strip_prefix("whpk_") {
            return Ok(Self(Material::Public(Box::new(public_key(&decode(key)?)?))));
        }
        if let Some(key) = text.strip_prefix("whsk_") {
            return Ok(Self(Material::Private(Box::new(private_key(&decode(key)?)?))));
        }
        let key = decode(text.strip_prefix("whsec_").unwrap_or(text))?;
        Self::from_bytes(key)
    }

    /// Reads the secrets of a rotation: several, separated by white space or commas, in the order given.
    ///
    /// # Errors
    /// [`SecretListError`] says which one is wrong. A list without any secret is [`SecretError::Empty`].
    pub fn parse_list(text: &str) -> Result<Vec<Self>, SecretListError> {
        let parts =
            text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty());
        let secrets = parts
            .enumerate()
            .map(|(index, part)| {
                Self::parse(part).map_err(|source| SecretListError { position: index + 1, source })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if secrets.is_empty() {
            return Err(SecretListError { position: 1, source: SecretError::Empty });
        }
        Ok(secrets)
    }

    /// Makes a `v1` secret of raw key bytes, as they are after base64 decoding.
    ///
    /// # Errors
    /// [`SecretError::Empty`] without any bytes: everybody can sign with an empty key.
    pub fn from_bytes(key: impl Into<Vec<u8>>) -> Result<Self, SecretError> {
        let key = Zeroizing::new(key.into());
        if key.is_empty() { Err(SecretError::Empty) } else { Ok(Self(Material::Hmac(key))) }
    }

    pub(crate) fn material(&self) -> &Material {
        &self.0
    }
}

/// Whether both are the same key; in constant time where it is a secret one.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Material::Hmac(one), Material::Hmac(other)) => {
                one.as_slice().ct_eq(other.as_slice()).into()
            }
            (Material::Public(one), Material::Public(other)) => one == other,
            (Material::Private(one), Material::Private(other)) => {
                one.as_bytes().ct_eq(other.as_bytes()).into()
            }
            _ => false,
        }
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Material::Hmac(_) => "Secret(v1, redacted)",
            Material::Public(_) => "Secret(v1a public key, redacted)",
            Material::Private(_) => "Secret(v1a private key, redacted)",
        })
    }
}

impl std::str::FromStr for Secret {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        Self::parse(text)
    }
}

/// Why a text is no signing secret. No variant holds any of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// Nothing, or nothing after the prefix.
    #[error(
        "the signing secret is empty: copy the endpoint's Signing Secret, `whsec_…`, from the Webhooks page of Clerk's dashboard"
    )]
    Empty,
    /// A key of Clerk's API, not a webhook's secret.
    #[error(
        "this is an API key (`{prefix}…`), not a webhook signing secret: copy the endpoint's Signing Secret, `whsec_…`, from the Webhooks page of Clerk's dashboard"
    )]
    ApiKey {
        /// `sk_` or `pk_`.
        prefix: &'static str,
    },
    /// Quotes around the secret, as a `.env` file or a shell leaves them.
    #[error("the signing secret has quotes around it: remove them")]
    Quoted,
    /// `-` and `_` where base64 has `+` and `/`.
    #[error(
        "the signing secret is in the URL-safe base64 alphabet: use the standard one (`+` for `-`, `/` for `_`)"
    )]
    UrlSafe,
    /// Something else than base64, or a part of it: a character lost or added in copying.
    #[error("the signing secret is not `whsec_` and base64: copy the complete secret again")]
    NotBase64,
    /// A `whpk_` key that is not 32 bytes, or a `whsk_` key that is not 32 or 64.
    #[error("the `{prefix}` key decodes to {found_bytes} bytes: copy the complete key again")]
    KeyLength {
        /// `whpk_` or `whsk_`.
        prefix: &'static str,
        /// The length found.
        found_bytes: usize,
    },
    /// Bytes of the right length that are no Ed25519 key.
    #[error("the `{prefix}` key is not an Ed25519 key")]
    NotAKey {
        /// `whpk_` or `whsk_`.
        prefix: &'static str,
    },
}

impl SecretError {
    /// A stable name for the mistake.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::ApiKey { .. } => "api_key",
            Self::Quoted => "quoted",
            Self::UrlSafe => "url_safe",
            Self::NotBase64 => "not_base64",
            Self::KeyLength { .. } => "key_length",
            Self::NotAKey { .. } => "not_a_key",
        }
    }
}

/// Which secret of a list is wrong, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("secret {position} of the list: {source}")]
pub struct SecretListError {
    /// The place in the list, from 1.
    pub position: usize,
    /// What is wrong with it.
    pub source: SecretError,
}

/// The things that people paste in place of a signing secret.
fn refuse_other_things(text: &str) -> Result<(), SecretError> {
    const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];
    if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        return Err(SecretError::Quoted);
    }
    match ["sk_", "pk_"].into_iter().find(|prefix| text.starts_with(prefix)) {
        Some(prefix) => Err(SecretError::ApiKey { prefix }),
        None => Ok(()),
    }
}

fn decode(text: &str) -> Result<Vec<u8>, SecretError> {
    BASE64.decode(text).map_err(|_| {
        let url_safe = text.contains(['-', '_']) && BASE64_URL_SAFE.decode(text).is_ok();
        if url_safe { SecretError::UrlSafe } else { SecretError::NotBase64 }
    })
}

fn public_key(bytes: &[u8]) -> Result<VerifyingKey, SecretError> {
    const PREFIX: &str = "whpk_";
    let bytes = bytes
        .try_into()
        .map_err(|_| SecretError::KeyLength { prefix: PREFIX, found_bytes: bytes.len() })?;
    match VerifyingKey::from_bytes(bytes) {
        // A key of small order verifies signatures that nobody made.
        Ok(key) if !key.is_weak() => Ok(key),
        _ => Err(SecretError::NotAKey { prefix: PREFIX }),
    }
}

/// The 32-byte seed, or the seed and the public key in one, which is how Standard Webhooks writes it.
fn private_key(bytes: &[u8]) -> Result<SigningKey, SecretError> {
    const PREFIX: &str = "whsk_";
    if let Ok(seed) = bytes.try_into() {
        return Ok(SigningKey::from_bytes(seed));
    }
    let pair = bytes
        .try_into()
        .map_err(|_| SecretError::KeyLength { prefix: PREFIX, found_bytes: bytes.len() })?;
    SigningKey::from_keypair_bytes(pair).map_err(|_| SecretError::NotAKey { prefix: PREFIX })
}
