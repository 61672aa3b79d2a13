//! Why a message was not accepted.

use std::fmt;
use std::time::Duration;

/// Why a message was not accepted. The text is for the operator's log: tell a sender no more than that verification failed.
///
/// The signature is checked before the age, so [`TooOld`](Self::TooOld) and [`TooNew`](Self::TooNew) mean that the
/// sender is the right one, and a clock or the delivery is late.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Neither header family is complete.
    #[error(
        "header {name} is missing or blank (present: {present}): is this request from Clerk, and does a proxy drop its headers?"
    )]
    MissingHeader {
        /// The first header that is missing of the family that has more.
        name: &'static str,
        /// The headers that were there.
        present: PresentHeaders,
    },
    /// An id or a timestamp on two lines: which one was signed is anybody's guess.
    #[error("header {name} is repeated")]
    RepeatedHeader {
        /// The header.
        name: &'static str,
    },
    /// An id or a timestamp with characters that are not printable ASCII.
    #[error("header {name} contains characters that are not printable ASCII")]
    MalformedHeader {
        /// The header.
        name: &'static str,
    },
    /// A timestamp that is not a number of seconds in ASCII digits.
    #[error("header {name}: expected a number of seconds in digits")]
    MalformedTimestamp {
        /// The header.
        name: &'static str,
    },
    /// A signature header without any signature of a known version.
    #[error("header {name} contains no signature of the form `v1,…` or `v1a,…`")]
    MalformedSignature {
        /// The header.
        name: &'static str,
    },
    /// Not one signature is by one of the secrets: another endpoint's secret, a body that was changed on its way
    /// (parsed and written again, for one), or a forgery.
    #[error(
        "none of {signatures} signatures matches any of {secrets} secrets: is this the endpoint's \
         own secret, and is the raw body verified?"
    )]
    NoMatch {
        /// The signatures of known versions in the header.
        signatures: usize,
        /// The secrets that could have made one of them.
        secrets: usize,
    },
    /// A good signature on a message from too long ago: a late delivery, a replayed request, or a clock that is fast.
    #[error("the signature is valid, but the message is {} s old and at most {} s are accepted: is this machine's clock right?", .age.as_secs(), .tolerance.as_secs())]
    TooOld {
        /// How long ago it was signed.
        age: Duration,
        /// How long is accepted.
        tolerance: Duration,
    },
    /// A good signature on a message from the future: a clock is slow.
    #[error("the signature is valid, but the message is {} s in the future and at most {} s are accepted: is this machine's clock right?", .ahead.as_secs(), .tolerance.as_secs())]
    TooNew {
        /// How far ahead it was signed.
        ahead: Duration,
        /// How far is accepted.
        tolerance: Duration,
    },
}

impl VerifyError {
    /// A stable name for counters and tests.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MissingHeader { .. } => "missing_header",
            Self::RepeatedHeader { .. } => "repeated_header",
            Self::MalformedHeader { .. } => "malformed_header",
            Self::MalformedTimestamp { .. } => "malformed_timestamp",
            Self::MalformedSignature { .. } => "malformed_signature",
            Self::NoMatch { .. } => "no_match",
            Self::TooOld { .. } => "too_old",
            Self::TooNew { .. } => "too_new",
        }
    }

    /// Whether the signature was good, and only the time was not: count these apart, they tell of a clock.
    #[must_use]
    pub const fn is_authentic(&self) -> bool {
        matches!(self, Self::TooOld { .. } | Self::TooNew { .. })
    }
}

/// Which of the six headers a request did have. Its `Display` lists their names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PresentHeaders([Option<&'static str>; 6]);

impl PresentHeaders {
    /// Of both families, with whether each was there.
    pub(crate) fn new(headers: [[(&'static str, bool); 3]; 2]) -> Self {
        let mut all = headers.into_iter().flatten();
        Self(std::array::from_fn(|_| {
            all.next().and_then(|(name, present)| present.then_some(name))
        }))
    }

    /// Their names.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().copied().flatten()
    }
}

impl fmt::Display for PresentHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names = self.iter();
        let Some(first) = names.next() else { return f.write_str("none") };
        f.write_str(first)?;
        names.try_for_each(|name| write!(f, ", {name}"))
    }
}
