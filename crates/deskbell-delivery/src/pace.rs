//! A destination's rate limit: attempts evenly apart.

use std::time::Duration;

use tokio::time::Instant;

/// At most this many attempts in this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// How many.
    pub count: u32,
    /// In how long.
    pub per: Duration,
}

/// What a timer may be late; attempts are caught up with within it.
const SLACK: Duration = Duration::from_millis(5);

/// When the next attempt may begin.
#[derive(Debug)]
pub(crate) struct Pace {
    apart: Duration,
    next: Option<Instant>,
}

impl Pace {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        let apart = limit.map_or(Duration::ZERO, |limit| limit.per / limit.count.max(1));
        Self { apart, next: None }
    }

    /// When the next attempt may begin; it may lie in the past.
    pub(crate) fn next(&self, now: Instant) -> Instant {
        self.next.unwrap_or(now)
    }

    /// Takes a turn, where there is one now.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let next = self.next(now);
        if next > now {
            return false;
        }
        let base = next.max(now.checked_sub(SLACK).unwrap_or(now));
        self.next = Some(base + self.apart);
        true
    }

    /// How many turns there are in this time.
    pub(crate) fn turns_in(&self, time: Duration) -> usize {
        if self.apart.is_zero() {
            return usize::MAX;
        }
        usize::try_from(time.as_nanos() / self.apart.as_nanos().max(1)).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_evenly_apart_and_none_are_saved_up() {
        let limit = RateLimit { count: 10, per: Duration::from_secs(1) };
        let mut pace = Pace::new(Some(limit));
        let start = Instant::now();
        let mut taken = 0;
        for millisecond in 0..=1_000 {
            taken += u32::from(pace.take(start + Duration::from_millis(millisecond)));
        }
        assert_eq!(taken, 11, "at 0, 100, … 1000 ms");
        // A pause of an hour gives no burst.
        let later = start + Duration::from_secs(3_600);
        assert!(pace.take(later));
        assert!(!pace.take(later));
    }

    #[test]
    fn without_a_limit_there_is_always_a_turn() {
        let mut pace = Pace::new(None);
        let now = Instant::now();
        assert!((0..1_000).all(|_| pace.take(now)));
        assert_eq!(pace.turns_in(Duration::ZERO), usize::MAX);
    }
}
