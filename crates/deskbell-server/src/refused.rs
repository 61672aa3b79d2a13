//! How many requests each source's verification refused, for whoever alerts about it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// By the source's name and the cause.
pub type RefusedCounts = BTreeMap<(Arc<str>, &'static str), u64>;

/// Refused requests since they were last taken.
#[derive(Debug, Default)]
pub struct RefusedRequests(Mutex<RefusedCounts>);

impl RefusedRequests {
    pub(crate) fn add(&self, source: &Arc<str>, cause: &'static str) {
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
