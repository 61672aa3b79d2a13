//! Exponential back-off with jitter, so that replicas do not all retry at the same moment.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
/// Doublings after which no pause grows any more, whatever its limit.
const DOUBLINGS_MAX: u32 = 16;

/// How long to wait after each failure: 0.1 s, doubled after every further one up to a limit.
#[derive(Debug, Clone)]
pub struct Backoff {
    limit: Duration,
    failures: u32,
}

impl Backoff {
    /// A back-off that has seen no failure. No pause is longer than `limit`.
    #[must_use]
    pub const fn new(limit: Duration) -> Self {
        Self { limit, failures: 0 }
    }

    /// Counts a failure; how long to wait before the next attempt.
    pub fn failed(&mut self) -> Duration {
        let pause = pause(self.failures, self.limit, rand::random());
        self.failures = self.failures.saturating_add(1);
        pause
    }

    /// Starts over: an attempt has succeeded.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether the last attempt failed.
    #[must_use]
    pub const fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

/// `jitter` (0 to 1) decides the last half of the pause.
fn pause(failures_before: u32, limit: Duration, jitter: f64) -> Duration {
    let longest = (FIRST * (1 << failures_before.min(DOUBLINGS_MAX))).min(limit);
    longest.mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[test]
    fn doubles_up_to_its_limit() {
        let pauses: Vec<_> =
            (0..12).map(|failures| pause(failures, LIMIT, 1.0).as_millis()).collect();
        assert_eq!(
            pauses,
            [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]
        );
        assert_eq!(pause(u32::MAX, LIMIT, 1.0), LIMIT);
    }

    #[test]
    fn jitter_decides_the_last_half() {
        assert_eq!(pause(3, LIMIT, 0.0), Duration::from_millis(400));
        assert_eq!(pause(3, LIMIT, 0.5), Duration::from_millis(600));
        assert_eq!(pause(3, LIMIT, f64::INFINITY), Duration::from_millis(800));
    }

    #[test]
    fn starts_over_after_a_success() {
        let mut backoff = Backoff::new(LIMIT);
        assert!(!backoff.is_failing());
        for _ in 0..5 {
            backoff.failed();
        }
        assert!(backoff.is_failing());
        backoff.reset();
        assert!(!backoff.is_failing());
        assert!(backoff.failed() <= FIRST);
    }
}
