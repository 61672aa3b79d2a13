//! A token of Clerk's sender: redacted in `Debug`, wiped from memory on drop.

use std::fmt;

use zeroize::Zeroizing;

use crate::secret_key::REDACTED;

/// Bytes of a token; a longer one is refused.
const BYTES_MAX: usize = 8 << 10;

/// A token, which may stand in a header.
#[derive(Clone)]
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    /// The token; `None` if the text cannot be one.
    pub(crate) fn parse(text: String) -> Option<Self> {
        let text = Zeroizing::new(text);
        let is_token = !text.is_empty()
            && text.len() <= BYTES_MAX
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        is_token.then_some(Self(text))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(REDACTED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_can_stand_in_a_header_and_is_not_shown() {
        for (text, expected) in [
            ("testtk_Ab3.Cd-4+/=", true),
            ("", false),
            ("a b", false),
            ("a\r\nhost: b", false),
            ("ä", false),
            (&"a".repeat(BYTES_MAX + 1), false),
        ] {
            assert_eq!(Token::parse(text.to_owned()).is_some(), expected, "{text}");
        }
        assert_eq!(format!("{:?}", Token::parse("secret".to_owned())), "Some(<redacted>)");
    }
}
