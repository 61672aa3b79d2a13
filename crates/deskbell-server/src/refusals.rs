//! Refused requests: each in the debug log, once a minute for each cause and source at the default
//! level, and counted for alerts where verification refused them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    counts: Arc<RefusedRequests>,
}

impl Refusals {
    pub(crate) fn new(source: Arc<str>, counts: Arc<RefusedRequests>) -> Self {
        Self { source, lines: [const { OnceAMinute::new() }; Cause::COUNT], counts }
    }

    /// Notes and counts a request that failed verification.
    pub(crate) fn not_verified(&self, error: &VerifyError) {
        self.note(error.into(), error);
        self.counts.add(&self.source, error.code());
    }

    /// Logs that a request was refused, and why. `error` must hold nothing secret.
    pub(crate) fn note(&self, cause: Cause, error: impl Display) {
        let (source, reason) = (&self.source, cause.name());
        match self.lines[cause as usize].count() {
            Some(refused) => {
                tracing::warn!(%source, reason, refused, %error, "rejected requests of a source");
            }
            None => tracing::debug!(%source, reason, %error, "rejected a request of a source"),
        }
    }
}

/// How many requests each source's verification refused, by the source's name and the cause.
pub type RefusedCounts = BTreeMap<(Arc<str>, &'static str), u64>;

/// Refused requests since they were last taken.
#[derive(Debug, Default)]
pub struct RefusedRequests(Mutex<RefusedCounts>);

impl RefusedRequests {
    fn add(&self, source: &Arc<str>, cause: &'static str) {
        *self.counts().entry((Arc::clone(source), cause)).or_default() += 1;
    }

    /// What was counted since the last time.
    #[must_use]
    pub fn take(&self) -> RefusedCounts {
        std::mem::take(&mut self.counts())
    }

    /// Counts these again, which could not be used.
    pub fn put_back(&self, taken: RefusedCounts) {
        let mut counts = self.counts();
        for (key, requests) in taken {
            *counts.entry(key).or_default() += requests;
        }
    }

    fn counts(&self) -> MutexGuard<'_, RefusedCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_is_counted_once_and_what_is_put_back_again() {
        let requests = RefusedRequests::default();
        let source = Arc::from("clerk");
        requests.add(&source, "no_match");
        requests.add(&source, "no_match");
        requests.add(&source, "too_old");
        let taken = requests.take();
        let count = |cause| taken.get(&(Arc::clone(&source), cause)).copied();
        assert_eq!((count("no_match"), count("too_old")), (Some(2), Some(1)));
        assert!(requests.take().is_empty());
        requests.add(&source, "no_match");
        requests.put_back(taken.clone());
        assert_eq!(requests.take().get(&(source, "no_match")), Some(&3));
    }
}
