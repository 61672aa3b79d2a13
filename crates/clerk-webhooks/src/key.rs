//! The two signature schemes, with the work of a key done once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::secret::{Material, Secret};

/// 32 bytes of HMAC-SHA256 in base64.
const V1_TEXT_BYTES: usize = 44;

/// Of a comparison: [`V1_TEXT_BYTES`] is a multiple of it, so that nothing is left over.
const WORD_BYTES: usize = 4;
const _: () = assert!(V1_TEXT_BYTES.is_multiple_of(WORD_BYTES));

/// A key of either scheme, as a verifier uses it.
pub(crate) enum Key {
    V1(HmacKey),
    V1a(Box<VerifyingKey>),
}

impl Key {
    pub(crate) fn new(secret: &Secret) -> Self {
        match secret.material() {
            Material::Hmac(key) => Self::V1(HmacKey::new(key)),
            Material::Public(key) => Self::V1a(key.clone()),
            Material::Private(key) => Self::V1a(Box::new(key.verifying_key())),
        }
    }
}

/// What is signed: `{id}.{timestamp}.{body}`.
#[derive(Clone, Copy)]
pub(crate) struct Content<'a> {
    pub(crate) id: &'a str,
    pub(crate) timestamp: &'a str,
    pub(crate) body: &'a [u8],
}

impl Content<'_> {
    fn to_bytes(self) -> Vec<u8> {
        [self.id.as_bytes(), b".", self.timestamp.as_bytes(), b".", self.body].concat()
    }
}

/// A `v1` key with its inner and outer hash states computed: a message costs a copy of them and no key schedule.
#[derive(Clone)]
pub(crate) struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    pub(crate) fn new(key: &[u8]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes keys of any length"))
    }

    /// The signature's text after `v1,`.
    pub(crate) fn sign(&self, content: Content<'_>) -> V1Text {
        let mut mac = self.0.clone();
        mac.update(content.id.as_bytes());
        mac.update(b".");
        mac.update(content.timestamp.as_bytes());
        mac.update(b".");
        mac.update(content.body);
        let mut text = [0; V1_TEXT_BYTES];
        STANDARD
            .encode_slice(mac.finalize().into_bytes(), &mut text)
            .expect("32 bytes are 44 characters of base64");
        V1Text(text)
    }
}

/// The one text that a right `v1` signature has.
pub(crate) struct V1Text([u8; V1_TEXT_BYTES]);

impl V1Text {
    /// Compares in a time that does not depend on where the texts differ. By words, since `subtle` compares slices byte
    /// by byte, at a tenth of what the HMAC costs.
    pub(crate) fn matches(&self, signature: &[u8]) -> bool {
        let Ok(signature) = <&[u8; V1_TEXT_BYTES]>::try_from(signature) else { return false };
        let (expected, _) = self.0.as_chunks::<WORD_BYTES>();
        let (found, _) = signature.as_chunks::<WORD_BYTES>();
        let words = expected.iter().zip(found);
        let same = words.map(|(a, b)| u32::from_ne_bytes(*a).ct_eq(&u32::from_ne_bytes(*b)));
        same.fold(Choice::from(1), |all, one| all & one).into()
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("base64 is ASCII")
    }
}

/// Whether `signature`, the text after `v1a,`, is by the key.
pub(crate) fn ed25519_matches(key: &VerifyingKey, content: &[u8], signature: &[u8]) -> bool {
    let mut bytes = [0; Signature::BYTE_SIZE];
    matches!(STANDARD.decode_slice(signature, &mut bytes), Ok(Signature::BYTE_SIZE))
        && key.verify_strict(content, &Signature::from_bytes(&bytes)).is_ok()
}

/// The signature's text after `v1a,`.
pub(crate) fn ed25519_sign(key: &SigningKey, content: Content<'_>) -> String {
    STANDARD.encode(key.sign(&content.to_bytes()).to_bytes())
}

/// The content in one piece, which Ed25519 needs; made at the first use.
pub(crate) struct LazyContent<'a>(Content<'a>, Option<Vec<u8>>);

impl<'a> LazyContent<'a> {
    pub(crate) fn new(content: Content<'a>) -> Self {
        Self(content, None)
    }

    pub(crate) fn get(&mut self) -> &[u8] {
        self.1.get_or_insert_with(|| self.0.to_bytes())
    }
}
