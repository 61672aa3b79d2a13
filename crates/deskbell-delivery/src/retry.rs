//! When to try again: a pure function of the policy, the attempts so far, and a random number.

use std::time::Duration;

use deskbell_config::{Duration as Written, or_never};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// `retry`: the waits between attempts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetryPolicy {
    /// The waits after the first attempts, in order; each `1s` at least. Default: `5s`, `5m`, `30m`,
    /// `2h`, `5h`, `10h`, `10h`.
    #[serde(deserialize_with = "waits")]
    pub schedule: Vec<Written>,
    /// The wait after each further one; `None`, written `"never"`, where the schedule's end is the
    /// end. Default: `14h`.
    #[serde(deserialize_with = "wait_or_never", serialize_with = "or_never::serialize")]
    pub then_every: Option<Written>,
    /// No attempt begins later than this after the first one. Default: `72h`.
    pub until: Written,
}

/// The shortest wait between two attempts: a shorter one is a busy loop.
const WAIT_MIN: Duration = Duration::from_secs(1);

/// How far a wait may differ from the schedule, as a part of it, so that what failed together is
/// not tried again together.
const JITTER: f64 = 0.1;

impl Default for RetryPolicy {
    fn default() -> Self {
        let seconds = |seconds| Written::new(Duration::from_secs(seconds));
        Self {
            schedule: [5, 300, 1_800, 7_200, 18_000, 36_000, 36_000].map(seconds).to_vec(),
            then_every: Some(seconds(14 * 3_600)),
            until: seconds(72 * 3_600),
        }
    }
}

/// A wait that is long enough.
struct Wait(Written);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        long_enough(Written::deserialize(deserializer)?).map(Self)
    }
}

fn long_enough<E: Error>(wait: Written) -> Result<Written, E> {
    if wait.0 < WAIT_MIN {
        return Err(E::custom(format_args!("expected a wait of at least 1s, found {wait}")));
    }
    Ok(wait)
}

fn waits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Written>, D::Error> {
    let waits = Vec::<Wait>::deserialize(deserializer)?;
    Ok(waits.into_iter().map(|wait| wait.0).collect())
}

fn wait_or_never<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Written>, D::Error> {
    or_never::deserialize(deserializer)?.map(long_enough).transpose()
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
        let planned = self.schedule.get(index).copied().or(self.then_every)?.0;
        let until = self.until.0;
        if failed.first_attempt_ago + planned > until {
            return None;
        }
        let jitter = 1.0 + JITTER * (2.0 * random.clamp(0.0, 1.0) - 1.0);
        let wait = planned.mul_f64(jitter).max(failed.retry_after.unwrap_or_default());
        (failed.first_attempt_ago + wait <= until + planned.mul_f64(JITTER)).then_some(wait)
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
            schedule: [1, 2].map(|seconds| Written::new(Duration::from_secs(seconds))).to_vec(),
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
            prop_assert!(ago <= policy.until.0 + Duration::from_secs(14 * HOUR / 10 + 20));
        }

        #[test]
        fn jitter_is_a_tenth_at_most(random in 0.0..=1.0f64, attempts in 1..7u32) {
            let policy = RetryPolicy::default();
            let failed = Failed { attempts, first_attempt_ago: Duration::ZERO, retry_after: None };
            let planned = policy.schedule[attempts as usize - 1].0.as_secs_f64();
            let wait = policy.next(failed, random).unwrap().as_secs_f64();
            prop_assert!((planned * 0.9..=planned * 1.1).contains(&wait), "{wait} for {planned}");
        }
    }
}
