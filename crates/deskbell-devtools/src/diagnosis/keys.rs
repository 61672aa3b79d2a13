//! The keys that a request may have been signed with by mistake.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use clerk_webhooks::{Secret, Signer};

use super::causes::{Cause, CauseCode};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ALPHABETS: [GeneralPurpose; 2] =
    [GeneralPurpose::new(&STANDARD, LENIENT), GeneralPurpose::new(&URL_SAFE, LENIENT)];
const PREFIX: &str = "whsec_";

/// A secret with its text, and where it is from.
#[derive(Clone)]
pub struct NamedSecret {
    pub name: String,
    /// Empty where it is not known.
    pub text: String,
    pub secret: Secret,
}

impl std::fmt::Debug for NamedSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NamedSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A key to try.
pub(super) struct Key {
    /// The secret that it is made of, by its name.
    pub(super) name: String,
    pub(super) signer: Signer,
    /// What was done wrong if it is this one; `None` for the right one.
    pub(super) cause: Option<Cause>,
}

/// Those of the endpoint first, as they should be; then what else the sender may have used.
pub(super) fn candidates(secrets: &[NamedSecret], own: usize) -> Vec<Key> {
    let mut keys = Vec::new();
    for (index, named) in secrets.iter().enumerate() {
        let other = (index >= own).then(|| {
            CauseCode::SecretOfOtherSource
                .found(format!("it is signed with the secret of {}", named.name))
        });
        keys.extend(key(named, Signer::new(&named.secret).ok(), other));
    }
    for named in secrets.iter().filter(|named| !named.text.is_empty()) {
        let text = named.text.trim();
        let bare = text.strip_prefix(PREFIX).unwrap_or(text);
        let raw = |text: &str| Some(text.as_bytes().to_vec());
        let once = decoded(bare.as_bytes());
        let twice = once.as_deref().and_then(decoded);
        for (bytes, code, found) in [
            (raw(text), CauseCode::SecretNotDecoded, "it is signed with the text of the secret"),
            (
                raw(bare),
                CauseCode::SecretNotDecoded,
                "it is signed with the text of the secret after whsec_",
            ),
            (
                raw(&format!("{PREFIX}{bare}")),
                CauseCode::SecretNotDecoded,
                "it is signed with the text of the secret, whsec_ included",
            ),
            (from_hex(bare), CauseCode::SecretHex, "it is signed with the secret read as hex"),
            (
                twice,
                CauseCode::SecretDecodedTwice,
                "it is signed with the secret decoded from base64 twice",
            ),
        ] {
            let secret = bytes.and_then(|bytes| Secret::from_bytes(bytes).ok());
            let signer = secret.and_then(|secret| Signer::new(&secret).ok());
            keys.extend(key(named, signer, Some(code.found(found))));
        }
    }
    keys
}

fn key(named: &NamedSecret, signer: Option<Signer>, cause: Option<Cause>) -> Option<Key> {
    Some(Key { name: named.name.clone(), signer: signer?, cause })
}

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    ALPHABETS.iter().find_map(|alphabet| alphabet.decode(text).ok())
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}
