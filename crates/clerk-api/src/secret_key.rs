//! The secret key of a Clerk instance: checked once, redacted in `Debug`, wiped from memory on drop.

use std::fmt;

use zeroize::Zeroizing;

const PRODUCTION_PREFIX: &str = "sk_live_";
const DEVELOPMENT_PREFIX: &str = "sk_test_";
pub(crate) const REDACTED: &str = "<redacted>";

/// A secret key, `sk_live_…` or `sk_test_…`.
///
/// ```
/// use clerk_api::{Environment, SecretKey, SecretKeyError};
///
/// let key = SecretKey::parse("sk_test_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n")?;
/// assert_eq!(key.environment(), Environment::Development);
/// assert_eq!(format!("{key:?}"), "SecretKey(<redacted>)");
/// assert!(matches!(SecretKey::parse("pk_test_x"), Err(SecretKeyError::PublishableKey)));
/// # Ok::<(), SecretKeyError>(())
/// ```
#[derive(Clone)]
pub struct SecretKey(Zeroizing<String>);

/// Which kind of Clerk instance a key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    Production,
    Development,
}

/// Why a text is no secret key. The text is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretKeyError {
    #[error("the secret key is empty")]
    Empty,
    #[error("expected a secret key (`sk_…`), found a publishable key (`pk_…`)")]
    PublishableKey,
    #[error("expected a secret key (`sk_…`), found the signing secret of a webhook (`whsec_…`)")]
    SigningSecret,
    #[error("expected a secret key that begins with `sk_live_` or `sk_test_`")]
    Prefix,
    #[error("expected letters, digits, `_` and `-` alone in the secret key")]
    Characters,
}

impl SecretKey {
    /// Reads a key. White space around it is ignored.
    ///
    /// # Errors
    /// [`SecretKeyError`] names the mistake.
    pub fn parse(text: &str) -> Result<Self, SecretKeyError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SecretKeyError::Empty);
        }
        if text.starts_with("pk_") {
            return Err(SecretKeyError::PublishableKey);
        }
        if text.starts_with("whsec_") {
            return Err(SecretKeyError::SigningSecret);
        }
        let prefixes = [PRODUCTION_PREFIX, DEVELOPMENT_PREFIX];
        match prefixes.iter().find_map(|prefix| text.strip_prefix(prefix)) {
            None | Some("") => Err(SecretKeyError::Prefix),
            Some(rest) if rest.bytes().all(is_of_a_key) => {
                Ok(Self(Zeroizing::new(text.to_owned())))
            }
            Some(_) => Err(SecretKeyError::Characters),
        }
    }

    /// Whether the key is of a production or of a development instance.
    #[must_use]
    pub fn environment(&self) -> Environment {
        if self.0.starts_with(PRODUCTION_PREFIX) {
            Environment::Production
        } else {
            Environment::Development
        }
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretKey({REDACTED})")
    }
}

fn is_of_a_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mistake_is_named() {
        for (text, expected) in [
            ("sk_live_Ab3", None),
            (" sk_test_Ab-3_\n", None),
            ("", Some(SecretKeyError::Empty)),
            (" \n", Some(SecretKeyError::Empty)),
            ("pk_live_Ab3", Some(SecretKeyError::PublishableKey)),
            ("whsec_Ab3", Some(SecretKeyError::SigningSecret)),
            ("sk_Ab3", Some(SecretKeyError::Prefix)),
            ("sk_live_", Some(SecretKeyError::Prefix)),
            ("SK_LIVE_Ab3", Some(SecretKeyError::Prefix)),
            ("sk_live_a b", Some(SecretKeyError::Characters)),
            ("sk_live_ä", Some(SecretKeyError::Characters)),
            ("sk_live_\"a\"", Some(SecretKeyError::Characters)),
        ] {
            assert_eq!(SecretKey::parse(text).err(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_key_is_not_shown() {
        let key = SecretKey::parse("sk_live_Ab3Cd4").unwrap();
        assert_eq!(key.environment(), Environment::Production);
        assert_eq!(format!("{key:?}"), "SecretKey(<redacted>)");
    }
}
