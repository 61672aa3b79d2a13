//! A destination's rate limit: attempts at even intervals.

use std::time::Duration;

use deskbell_config::RateLimit;
use tokio::time::Instant;

/// How late a timer may be: attempts that it delayed by no more are made up for.
const SLACK: Duration = Duration::from_millis(5);

/// Says when the next attempt may begin.
#[derive(Debug)]
pub(crate) struct RateLimiter {
    interval: Duration,
    next_at: Option<Instant>,
}

impl RateLimiter {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        let interval = limit.map_or(Duration::ZERO, RateLimit::interval);
        Self { interval, next_at: None }
    }

    /// When the next attempt may begin; it may lie in the past.
    pub(crate) fn next_at(&self, now: Instant) -> Instant {
        self.next_at.unwrap_or(now)
    }

    /// Takes a permit for one attempt, where there is one now.
    pub(crate) fn try_acquire(&mut self, now: Instant) -> bool {
        let next_at = self.next_at(now);
        if next_at > now {
            return false;
        }
        let base = next_at.max(now.checked_sub(SLACK).unwrap_or(now));
        self.next_at = Some(base + self.interval);
        true
    }

    /// How many permits there are in this time.
    pub(crate) fn permits_in(&self, time: Duration) -> usize {
        if self.interval.is_zero() {
            return usize::MAX;
        }
        usize::try_from(time.as_nanos() / self.interval.as_nanos()).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_evenly_apart_and_none_are_saved_up() {
        let mut limiter = RateLimiter::new("10/s".parse().ok());
        let start = Instant::now();
        let mut acquired = 0;
        for millisecond in 0..=1_000 {
            acquired += u32::from(limiter.try_acquire(start + Duration::from_millis(millisecond)));
        }
        assert_eq!(acquired, 11, "at 0, 100, … 1000 ms");
        // A pause of an hour gives no burst.
        let later = start + Duration::from_secs(3_600);
        assert!(limiter.try_acquire(later));
        assert!(!limiter.try_acquire(later));
    }

    #[test]
    fn without_a_limit_there_is_always_a_permit() {
        let mut limiter = RateLimiter::new(None);
        let now = Instant::now();
        assert!((0..1_000).all(|_| limiter.try_acquire(now)));
        assert_eq!(limiter.permits_in(Duration::ZERO), usize::MAX);
    }
}
