//! The token that opens every route but the public ones.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// The admin token. Its text shows nowhere; it is compared in constant time.
#[derive(Clone)]
pub struct AdminToken(Zeroizing<String>);

impl AdminToken {
    /// A token with this text, or `None` where it is empty: an empty token would open every door.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        let token = Self(Zeroizing::new(text));
        (!token.0.trim().is_empty()).then_some(token)
    }

    /// Whether the request bears it: `Authorization: Bearer TOKEN`.
    pub(crate) fn admits(&self, headers: &HeaderMap) -> bool {
        headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().strip_prefix(b"Bearer "))
            .is_some_and(|shown| bool::from(shown.trim_ascii().ct_eq(self.0.as_bytes())))
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(authorization: &str) -> HeaderMap {
        HeaderMap::from_iter([(AUTHORIZATION, authorization.parse().unwrap())])
    }

    #[test]
    fn only_the_token_itself_is_admitted() {
        let token = AdminToken::new("s3cret".into()).unwrap();
        assert!(token.admits(&asking("Bearer s3cret")));
        for wrong in ["Bearer s3cre", "Bearer s3cret2", "Bearer ", "s3cret", "Basic s3cret", ""] {
            assert!(!token.admits(&asking(wrong)), "{wrong:?}");
        }
        assert!(!token.admits(&HeaderMap::new()));
    }

    #[test]
    fn an_empty_token_is_none() {
        assert!(AdminToken::new(String::new()).is_none());
        assert!(AdminToken::new("  ".into()).is_none());
    }

    #[test]
    fn its_text_shows_nowhere() {
        assert_eq!(format!("{:?}", AdminToken::new("s3cret".into())), "Some(AdminToken(redacted))");
    }
}
