//! Refused requests: each in the debug log, once a minute for each cause and source at the default
//! level, and counted for alerts where verification refused them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clerk_webhooks::VerifyError;

use crate::once_a_minute::OnceAMinute;

/// The refusals of one source.
#[derive(Debug)]
pub(crate) struct Refusals {
    source: Arc<str>,
    /// By the reason, of which there are few.
    lines: Mutex<BTreeMap<&'static str, OnceAMinute>>,
    counts: Arc<RefusedRequests>,
}

impl Refusals {
    pub(crate) fn new(source: Arc<str>, counts: Arc<RefusedRequests>) -> Self {
        Self { source, lines: Mutex::default(), counts }
    }

    /// Notes and counts a request that failed verification.
    pub(crate) fn not_verified(&self, error: &VerifyError) {
        self.note(error.code(), error);
        self.counts.add(&self.source, error.code());
    }

    /// Logs that a request was refused, and why. `error` must hold nothing secret.
    pub(crate) fn note(&self, reason: &'static str, error: impl Display) {
        let source = &self.source;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line_is_due = lines.entry(reason).or_insert_with(OnceAMinute::new).count();
        drop(lines);
        match line_is_due {
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
