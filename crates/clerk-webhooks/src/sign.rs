//! Signing: what Clerk's sender does, for forwarding, tests and tools.

use std::fmt;

use ed25519_dalek::SigningKey;
use http::header::InvalidHeaderValue;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::headers::HeaderFamily;
use crate::key::{Content, HmacKey, ed25519_sign};
use crate::secret::{Material, Secret};

/// Signs messages with one secret, or with all of a rotation.
///
/// ```
/// use clerk_webhooks::{HeaderFamily, Secret, Signer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let old = Secret::parse("whsec_b2xk")?;
/// let new = Secret::parse("whsec_bmV3")?;
/// let signed = Signer::with_secrets([&old, &new])?.sign("msg_1", 1_700_000_000, b"{}");
/// assert_eq!(signed.signature().split(' ').count(), 2);
/// for (name, value) in signed.iter(HeaderFamily::Svix) {
///     println!("{name}: {value}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Signer {
    keys: Vec<Key>,
}

#[derive(Clone)]
enum Key {
    V1(HmacKey),
    V1a(Box<SigningKey>),
}

impl Signer {
    /// Signs with one secret.
    ///
    /// # Errors
    /// [`CannotSign`], where it is a public key (`whpk_…`).
    pub fn new(secret: &Secret) -> Result<Self, CannotSign> {
        Self::with_secrets([secret])
    }

    /// Signs with each of several secrets, as a sender does during a rotation: a receiver takes any one.
    ///
    /// # Errors
    /// [`CannotSign`], where one is a public key (`whpk_…`), or there is none.
    pub fn with_secrets<'a>(
        secrets: impl IntoIterator<Item = &'a Secret>,
    ) -> Result<Self, CannotSign> {
        let keys = secrets.into_iter().map(Key::new).collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(CannotSign::NoSecret);
        }
        Ok(Self { keys })
    }

    /// Signs one attempt at a message. `timestamp_seconds` is when it is sent; `id` stays the same for every attempt.
    ///
    /// An `id` with a line break can be signed but not sent: making a header of it fails.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp_seconds: u64, body: &[u8]) -> SignedHeaders {
        let timestamp = timestamp_seconds.to_string();
        let content = Content { id, timestamp: &timestamp, body };
        let signatures: Vec<String> = self.keys.iter().map(|key| key.sign(content)).collect();
        SignedHeaders { id: id.to_owned(), signature: signatures.join(" "), timestamp }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("secrets", &self.keys.len()).finish()
    }
}

impl Key {
    fn new(secret: &Secret) -> Result<Self, CannotSign> {
        match secret.material() {
            Material::Hmac(key) => Ok(Self::V1(HmacKey::new(key))),
            Material::Private(key) => Ok(Self::V1a(key.clone())),
            Material::Public(_) => Err(CannotSign::PublicKey),
        }
    }

    fn sign(&self, content: Content<'_>) -> String {
        match self {
            Self::V1(key) => format!("v1,{}", key.sign(content).as_str()),
            Self::V1a(key) => format!("v1a,{}", ed25519_sign(key, content)),
        }
    }
}

/// The three header values of a signed message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedHeaders {
    id: String,
    timestamp: String,
    signature: String,
}

impl SignedHeaders {
    /// Names and values under one family's names.
    pub fn iter(&self, family: HeaderFamily) -> impl Iterator<Item = (&'static str, &str)> {
        let names = family.names().iter().map(HeaderName::as_str);
        names.zip([self.id.as_str(), self.timestamp.as_str(), self.signature.as_str()])
    }

    /// The same as an [`http::HeaderMap`].
    ///
    /// # Errors
    /// Where the id holds what no header may, such as a line break.
    pub fn to_map(&self, family: HeaderFamily) -> Result<HeaderMap, InvalidHeaderValue> {
        let values = self.iter(family).map(|(_, value)| HeaderValue::from_str(value));
        let names = family.names().iter().cloned();
        names.zip(values).map(|(name, value)| Ok((name, value?))).collect()
    }

    /// The message id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The timestamp, in seconds, as text.
    #[must_use]
    pub fn timestamp(&self) -> &str {
        &self.timestamp
    }

    /// The signatures, each with its version, separated by spaces.
    #[must_use]
    pub fn signature(&self) -> &str {
        &self.signature
    }
}

/// Why secrets cannot sign.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CannotSign {
    /// A `whpk_…` key can only verify; the `whsk_…` key of the pair signs.
    #[error("a public key (`whpk_…`) cannot sign: use the private one (`whsk_…`)")]
    PublicKey,
    /// No secret at all.
    #[error("no signing secret given")]
    NoSecret,
}
