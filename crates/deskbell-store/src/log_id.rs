//! The random name of one log, by which a checkpoint knows whether it belongs to it.

use std::fmt;
use std::str::FromStr;

use rand::Rng;

/// The random id that a store is given when it is created, and keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogId(u128);

impl LogId {
    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        Self(rand::rng().random())
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log_{:032x}", self.0)
    }
}

impl FromStr for LogId {
    type Err = ParseLogIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.strip_prefix("log_")
            .filter(|digits| digits.len() == 32)
            .and_then(|digits| u128::from_str_radix(digits, 16).ok())
            .map(Self)
            .ok_or(ParseLogIdError)
    }
}

/// The text is not `log_` and 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a log id is `log_` and 32 hexadecimal digits")]
pub struct ParseLogIdError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_its_own_text() {
        let id = LogId::random();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "log_", "log_12", "0123456789abcdef0123456789abcdef", "log_g"] {
            assert_eq!(text.parse::<LogId>(), Err(ParseLogIdError), "{text}");
        }
    }
}
