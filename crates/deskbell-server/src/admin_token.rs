//! The token that opens every route but the public ones.

use std::fmt;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const SCHEME: &[u8] = b"Bearer ";

/// The admin token. Its text shows nowhere; it is compared in constant time.
#[derive(Clone)]
pub struct AdminToken(Zeroizing<String>);

impl AdminToken {
    /// A token with this text. `None` where it is empty, which would admit everybody, or has white
    /// space in it or around it, which a header does not bring over as it is.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        let token = Self(Zeroizing::new(text));
        let is_good = !token.0.is_empty() && !token.0.contains(char::is_whitespace);
        is_good.then_some(token)
    }

    /// Whether this is it.
    pub(crate) fn is(&self, shown: &[u8]) -> bool {
        shown.ct_eq(self.0.as_bytes()).into()
    }
}

/// What the request shows as its token: `Authorization: Bearer TOKEN`, the scheme in any case.
pub(crate) fn shown_token(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, shown) = value.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| shown.trim_ascii())
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
        let admits =
            |headers: &HeaderMap| shown_token(headers).is_some_and(|shown| token.is(shown));
        for right in ["Bearer s3cret", "bearer s3cret", "BEARER  s3cret"] {
            assert!(admits(&asking(right)), "{right:?}");
        }
        for wrong in ["Bearer s3cre", "Bearer s3cret2", "Bearer ", "s3cret", "Basic s3cret", ""] {
            assert!(!admits(&asking(wrong)), "{wrong:?}");
        }
        assert!(!admits(&HeaderMap::new()));
    }

    #[test]
    fn an_empty_token_is_none_nor_is_one_with_white_space() {
        assert!(AdminToken::new(String::new()).is_none());
        for spaced in ["  ", " s3cret", "s3cret\n", "s3 cret", "s3\tcret"] {
            assert!(AdminToken::new(spaced.into()).is_none(), "{spaced:?}");
        }
    }

    #[test]
    fn its_text_shows_nowhere() {
        assert_eq!(format!("{:?}", AdminToken::new("s3cret".into())), "Some(AdminToken(redacted))");
    }
}
