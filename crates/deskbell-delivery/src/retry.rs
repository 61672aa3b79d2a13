//! When to try again: a pure function of the policy, the attempts so far, and a random number.

use std::time::Duration;

/// The waits between attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The waits after the first attempts, in order.
    pub schedule: Vec<Duration>,
    /// The wait after each further one; `None` where the schedule's end is the end.
    pub then_every: Option<Duration>,
    /// No attempt begins later than this after the first one.
    pub until: Duration,
}

/// How far a wait may differ from the schedule, as a part of it, so that what failed together is
/// not tried again together.
const JITTER: f64 = 0.1;

impl Default for RetryPolicy {
    /// Waits of 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h, then every 14 h until 72 h after the
    /// first attempt.
    fn default() -> Self {
        let schedule = [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000];
        Self {
            schedule: schedule.map(Duration::from_secs).to_vec(),
            then_every: Some(Duration::from_secs(14 * 3_600)),
            until: Duration::from_secs(72 * 3_600),
        }
    }
}

/// What is known of a delivery whose attempt has just failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed {
    /// Attempts so far, that one among them.
    pub attempts: u32,
    /// How long ago the first one began.
    pub first_attempt_ago: Duration,
    /// How long the receiver asks us to wait at least.
    pub retry_after: Option<Duration>,
}

impl RetryPolicy {
    /// How long to wait before the next attempt; `None` where there is to be none. `random` is
    /// from 0 to 1.
    ///
    /// What the receiver asks for is a lower bound, also where it goes past the policy's end by
    /// itself: then there is no further attempt.
    #[must_use]
    pub fn next(&self, failed: Failed, random: f64) -> Option<Duration> {
        let index = usize::try_from(failed.attempts.saturating_sub(1)).unwrap_or(usize::MAX);
        let planned = self.schedule.get(index).copied().or(self.then_every)?;
        if failed.first_attempt_ago + planned > self.until {
            return None;
        }
        let jitter = 1.0 + JITTER * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        let wait = planned.mul_f64(jitter).max(failed.retry_after.unwrap_or_default());
        (failed.first_attempt_ago + wait <= self.until + planned.mul_f64(JITTER)).then_some(wait)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: u64 = 3_600;

    /// The seconds from the first attempt to each further one, without jitter, where each takes no
    /// time.
    fn attempts_at(policy: &RetryPolicy) -> Vec<u64> {
        let mut at = Duration::ZERO;
        let mut times = Vec::new();
        for attempts in 1.. {
            let failed = Failed { attempts, first_attempt_ago: at, retry_after: None };
            let Some(wait) = policy.next(failed, 0.5) else { break };
            at += wait;
            times.push(at.as_secs());
        }
        times
    }

    #[test]
    fn the_default_schedule_is_the_documented_one() {
        let start = 5 + 300 + 1_800 + 2 * HOUR + 5 * HOUR + 10 * HOUR;
        let expected = [
            5,
            305,
            2_105,
            2_105 + 2 * HOUR,
            2_105 + 7 * HOUR,
            start,
            start + 10 * HOUR,
            start + 24 * HOUR,
            start + 38 * HOUR,
            start + 52 * HOUR,
        ];
        assert_eq!(attempts_at(&RetryPolicy::default()), expected);
    }

    #[test]
    fn without_more_after_the_schedule_its_end_is_the_end() {
        let policy = RetryPolicy {
            schedule: vec![Duration::from_secs(1), Duration::from_secs(2)],
            then_every: None,
            ..RetryPolicy::default()
        };
        assert_eq!(attempts_at(&policy), [1, 3]);
    }

    #[test]
    fn a_receiver_can_ask_for_more_time_but_not_for_less() {
        let policy = RetryPolicy::default();
        let next = |seconds| {
            let retry_after = Some(Duration::from_secs(seconds));
            let failed = Failed { attempts: 1, first_attempt_ago: Duration::ZERO, retry_after };
            policy.next(failed, 0.5)
        };
        assert_eq!(next(60), Some(Duration::from_secs(60)));
        assert_eq!(next(1), Some(Duration::from_secs(5)));
    }

    #[test]
    fn a_receiver_that_asks_for_time_past_the_end_gets_no_further_attempt() {
        let failed = Failed {
            attempts: 8,
            first_attempt_ago: Duration::from_secs(55 * HOUR),
            retry_after: Some(Duration::from_secs(24 * HOUR)),
        };
        assert_eq!(RetryPolicy::default().next(failed, 0.5), None);
    }

    proptest! {
        #[test]
        fn every_schedule_ends_in_time(
            random in 0.0..=1.0f64,
            asked in proptest::option::of(0..100_000u64),
            took in 0..20u64,
        ) {
            let policy = RetryPolicy::default();
            let mut ago = Duration::ZERO;
            let mut attempts = 1;
            loop {
                ago += Duration::from_secs(took);
                let retry_after = asked.map(Duration::from_secs);
                let failed = Failed { attempts, first_attempt_ago: ago, retry_after };
                let Some(wait) = policy.next(failed, random) else { break };
                prop_assert!(wait >= retry_after.unwrap_or_default());
                ago += wait;
                attempts += 1;
                prop_assert!(attempts < 100);
            }
            prop_assert!(ago <= policy.until + Duration::from_secs(14 * HOUR / 10 + 20));
        }

        #[test]
        fn jitter_is_a_tenth_at_most(random in 0.0..=1.0f64, attempts in 1..7u32) {
            let policy = RetryPolicy::default();
            let failed = Failed { attempts, first_attempt_ago: Duration::ZERO, retry_after: None };
            let planned = policy.schedule[attempts as usize - 1].as_secs_f64();
            let wait = policy.next(failed, random).unwrap().as_secs_f64();
            prop_assert!((planned * 0.9..=planned * 1.1).contains(&wait), "{wait} for {planned}");
        }
    }
}
