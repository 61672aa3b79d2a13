//! What Clerk does not have, remembered for a short time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long it is remembered: whoever asks again and again costs Clerk one request in this time.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// How much is remembered; beyond it the oldest is forgotten.
const ABSENT_MAX: usize = 10_000;

/// Keys that were not there lately.
#[derive(Debug)]
pub(super) struct Absent<K> {
    known: Mutex<Known<K>>,
}

#[derive(Debug)]
struct Known<K> {
    until: HashMap<K, Instant>,
    /// The oldest first. It has one entry for each that `until` was given.
    order: VecDeque<(Instant, K)>,
}

impl<K: Clone + Eq + std::hash::Hash> Absent<K> {
    pub(super) fn new() -> Self {
        Self { known: Mutex::new(Known { until: HashMap::new(), order: VecDeque::new() }) }
    }

    pub(super) fn insert(&self, key: K) {
        let (now, mut known) = (Instant::now(), self.known());
        known.forget(now);
        if known.order.len() >= ABSENT_MAX {
            known.forget_oldest();
        }
        known.until.insert(key.clone(), now + GOOD_FOR);
        known.order.push_back((now + GOOD_FOR, key));
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.known().until.get(key).is_some_and(|until| *until > Instant::now())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known<K>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + std::hash::Hash> Known<K> {
    fn forget(&mut self, now: Instant) {
        while self.order.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((until, key)) = self.order.pop_front() else { return };
        // It may have been inserted again since.
        if self.until.get(&key) == Some(&until) {
            self.until.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_forgotten_after_a_few_seconds() {
        let absent = Absent::new();
        absent.insert("user_1");
        tokio::time::advance(Duration::from_secs(4)).await;
        absent.insert("user_2");
        absent.insert("user_1");
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(absent.contains(&"user_1") && absent.contains(&"user_2"));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!absent.contains(&"user_1") && !absent.contains(&"user_3"));
    }

    #[tokio::test(start_paused = true)]
    async fn memory_is_bounded_whoever_asks() {
        let absent = Absent::new();
        for number in 0..ABSENT_MAX + 10 {
            absent.insert(number);
        }
        assert!(!absent.contains(&9) && absent.contains(&10));
        let known = absent.known();
        assert_eq!((known.until.len(), known.order.len()), (ABSENT_MAX, ABSENT_MAX));
    }
}
