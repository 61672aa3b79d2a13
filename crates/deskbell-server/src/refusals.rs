//! What is said of refused requests: each in the debug log, and once a minute for each cause and
//! source at the default level.

use std::fmt::Display;
use std::sync::Arc;

use clerk_webhooks::VerifyError;

use crate::once_a_minute::OnceAMinute;

/// Why a request to a source's path was refused. They are few, so that what is kept for them is
/// bounded whatever is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// See [`VerifyError`], as the next ones.
    MissingHeader,
    RepeatedHeader,
    MalformedHeader,
    MalformedTimestamp,
    MalformedSignature,
    NoMatch,
    TooOld,
    TooNew,
    /// It failed verification in a way that this release has no word for.
    Unverified,
    /// Authentic, but not a JSON object with a `type`.
    NotAnEvent,
    /// The message id is too long to be kept.
    IdTooLong,
    /// The body is over the limit.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The sender went away in the middle of its body.
    Incomplete,
    /// All bodies together hold as much memory as they may.
    NoRoom,
    /// The body came slower than all others, which needed its room.
    Cut,
    /// The log did not take the event.
    NotWritten,
    /// The client's address is not allowed.
    NotAllowed,
    /// Another method than POST.
    Method,
}

impl Cause {
    const COUNT: usize = Self::Method as usize + 1;

    /// The word for it in the log.
    fn name(self) -> &'static str {
        match self {
            Self::MissingHeader => "missing_header",
            Self::RepeatedHeader => "repeated_header",
            Self::MalformedHeader => "malformed_header",
            Self::MalformedTimestamp => "malformed_timestamp",
            Self::MalformedSignature => "malformed_signature",
            Self::NoMatch => "no_match",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::Unverified => "unverified",
            Self::NotAnEvent => "not_an_event",
            Self::IdTooLong => "id_too_long",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Incomplete => "incomplete",
            Self::NoRoom => "no_room",
            Self::Cut => "cut",
            Self::NotWritten => "not_written",
            Self::NotAllowed => "not_allowed",
            Self::Method => "method_not_allowed",
        }
    }
}

impl From<&VerifyError> for Cause {
    fn from(error: &VerifyError) -> Self {
        match error {
            VerifyError::MissingHeader { .. } => Self::MissingHeader,
            VerifyError::RepeatedHeader { .. } => Self::RepeatedHeader,
            VerifyError::MalformedHeader { .. } => Self::MalformedHeader,
            VerifyError::MalformedTimestamp { .. } => Self::MalformedTimestamp,
            VerifyError::MalformedSignature { .. } => Self::MalformedSignature,
            VerifyError::NoMatch { .. } => Self::NoMatch,
            VerifyError::TooOld { .. } => Self::TooOld,
            VerifyError::TooNew { .. } => Self::TooNew,
            _ => Self::Unverified,
        }
    }
}

/// The refusals of one source.
#[derive(Debug)]
pub(crate) struct Refusals {
    source: Arc<str>,
    lines: [OnceAMinute; Cause::COUNT],
}

impl Refusals {
    pub(crate) fn new(source: Arc<str>) -> Self {
        Self { source, lines: [const { OnceAMinute::new() }; Cause::COUNT] }
    }

    /// Says that a request was refused, and why. `error` must bear nothing secret.
    pub(crate) fn note(&self, cause: Cause, error: impl Display) {
        let (source, reason) = (&self.source, cause.name());
        match self.lines[cause as usize].count() {
            Some(refused) => {
                tracing::warn!(%source, reason, refused, %error, "refused requests of a source");
            }
            None => tracing::debug!(%source, reason, %error, "refused a request of a source"),
        }
    }
}
