//! A token that opens admin routes: random, shown once, and stored as a hash alone.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What every token begins with, so that scanners for secrets find it.
const PREFIX: &str = "dbt_";
const BYTES: usize = 32;

/// A token's text. It shows only where it is asked for.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

/// The SHA-256 of a token's text: enough, as a token is 32 random bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TokenHash([u8; BYTES]);

/// What a token allows. Each role allows what those before it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRole {
    /// Reads, without the personal data of payloads.
    Viewer,
    /// Reads payloads and rows too.
    Reader,
    /// Everything.
    Admin,
}

/// A text that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub struct MalformedToken {
    expected: &'static str,
}

impl AccessToken {
    /// A new random token.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{PREFIX}{}", Hex(&rand::rng().random())))
    }

    /// Its text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// By what it is stored and found.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl FromStr for AccessToken {
    type Err = MalformedToken;

    /// A text that could be a token; another one is not worth a look into the store.
    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        let digits = text.strip_prefix(PREFIX).and_then(bytes);
        digits.ok_or(MalformedToken { expected: "`dbt_` and 64 hexadecimal digits" })?;
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(redacted)")
    }
}

impl TokenHash {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(redacted)")
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        Hex(&hash.0).to_string()
    }
}

impl TryFrom<String> for TokenHash {
    type Error = MalformedToken;

    fn try_from(text: String) -> Result<Self, MalformedToken> {
        bytes(&text).map(Self).ok_or(MalformedToken { expected: "64 hexadecimal digits" })
    }
}

impl TokenRole {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Reader, Self::Admin];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reader => "reader",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for TokenRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TokenRole {
    type Err = MalformedToken;

    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(MalformedToken { expected: "`viewer`, `reader` or `admin`" })
    }
}

struct Hex<'a>(&'a [u8; BYTES]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The bytes of lower-case hexadecimal digits, if there are just enough.
fn bytes(digits: &str) -> Option<[u8; BYTES]> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() != 2 * BYTES || !digits.bytes().all(is_digit) {
        return None;
    }
    let mut bytes = [0; BYTES];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_random_and_is_known_by_the_hash_of_its_text() {
        let (one, other) = (AccessToken::random(), AccessToken::random());
        assert_ne!(one, other);
        assert_eq!(one.expose().parse(), Ok(one.clone()));
        assert!(one.expose().starts_with("dbt_") && one.expose().len() == 4 + 64);
        assert_ne!(one.hash(), other.hash());
        let known: AccessToken = format!("dbt_{}", "0".repeat(64)).parse().unwrap();
        // printf 'dbt_%064d' 0 | sha256sum
        let hash = String::from(known.hash());
        assert_eq!(hash, "c99b3381e1dffa1c97dd1635f03573b2531380be0a47780986451abe6a3ec8fb");
        assert_eq!(TokenHash::try_from(hash), Ok(known.hash()));
        assert_eq!(
            format!("{known:?} {:?}", known.hash()),
            "AccessToken(redacted) TokenHash(redacted)"
        );
    }

    #[test]
    fn other_texts_are_no_tokens() {
        let digits = "0f".repeat(32);
        for text in [
            "",
            "dbt_",
            "dbt_00",
            &digits,
            &format!("dbt_{digits}0"),
            &format!("dbt_{}ä", &digits[2..]),
        ] {
            assert!(text.parse::<AccessToken>().is_err(), "{text}");
        }
        assert!(format!("dbt_{digits}").parse::<AccessToken>().is_ok());
        assert!(format!("dbt_{}", digits.to_uppercase()).parse::<AccessToken>().is_err());
    }

    #[test]
    fn a_role_allows_what_those_before_it_do() {
        assert!(TokenRole::Viewer < TokenRole::Reader && TokenRole::Reader < TokenRole::Admin);
        for role in TokenRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert!("root".parse::<TokenRole>().is_err());
    }
}
