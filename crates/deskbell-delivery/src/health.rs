//! The health of a destination: since when every attempt fails, and when it is disabled. All of it
//! is pure.
//!
//! A destination is disabled once every attempt has failed for `disable_after`. There must have been
//! at least [`FAILED_ATTEMPTS_MIN`] attempts, one of them in the last quarter of that time. A timer
//! decides, so that it happens on time. If the retry schedule has no attempt in the last quarter, a
//! delivery is brought forward.

use std::time::Duration;

use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{DestinationHealth, Disabled};

/// Fewer failures prove nothing: the receiver may have been restarting.
pub const FAILED_ATTEMPTS_MIN: u32 = 3;
/// Probes in the last quarter are at least this part of the whole time apart. At most two are
/// missing, so that both are made before the time is over.
const PROBES_APART: i64 = 12;

/// When a failing destination is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthPolicy {
    /// How long every attempt must have failed; `None` for never.
    pub disable_after: Option<Duration>,
}

impl Default for HealthPolicy {
    /// After 5 days.
    fn default() -> Self {
        Self { disable_after: Some(Duration::from_secs(5 * 24 * 3_600)) }
    }
}

/// The failures since the last success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailingStreak {
    /// When the first attempt failed, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    pub attempts: u32,
    /// When the last one failed.
    pub last_at_ms: i64,
}

impl FailingStreak {
    /// The current streak; `None` if the last attempt succeeded, or there was none.
    #[must_use]
    pub fn of(health: &DestinationHealth) -> Option<Self> {
        let since_ms = health.first_failure_at_ms?;
        // The previous release updates the first failure alone: what is beside it belongs to an
        // earlier streak.
        let last_at_ms = health.last_failure_at_ms.filter(|last_ms| *last_ms >= since_ms);
        Some(Self {
            since_ms,
            attempts: last_at_ms.map_or(1, |_| health.failed_attempts.max(1)),
            last_at_ms: last_at_ms.unwrap_or(since_ms),
        })
    }

    fn add(self, failed: Self) -> Self {
        Self {
            since_ms: self.since_ms.min(failed.since_ms),
            attempts: self.attempts.saturating_add(failed.attempts),
            last_at_ms: self.last_at_ms.max(failed.last_at_ms),
        }
    }
}

/// The attempts that a worker has observed since it last wrote the health to the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ObservedAttempts {
    /// One succeeded, before the failures below.
    succeeded: bool,
    failed: Option<FailingStreak>,
    /// The receiver answered that it is gone for good.
    gone: Option<Disabled>,
}

impl ObservedAttempts {
    pub(crate) fn success(&mut self) {
        *self = Self { succeeded: true, ..Self::default() };
    }

    pub(crate) fn failure(&mut self, at_ms: i64) {
        let failed = FailingStreak { since_ms: at_ms, attempts: 1, last_at_ms: at_ms };
        self.failed = Some(self.failed.map_or(failed, |before| before.add(failed)));
    }

    pub(crate) fn gone(&mut self, at_ms: i64, reason: &str) {
        self.gone.get_or_insert(Disabled { at_ms, reason: reason.to_owned() });
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone.is_some()
    }
}

impl HealthPolicy {
    /// The health after what was observed. A failure that comes later than `disable_after` after the
    /// last one begins a new streak, since nothing is known of the time between.
    pub(crate) fn after(
        &self,
        observed: &ObservedAttempts,
        before: &DestinationHealth,
    ) -> DestinationHealth {
        let before = if observed.succeeded { DestinationHealth::default() } else { before.clone() };
        if before.disabled.is_some() {
            return before;
        }
        let Some(failed) = observed.failed else {
            return DestinationHealth { disabled: observed.gone.clone(), ..before };
        };
        let apart_max_ms = self.disable_after.map_or(i64::MAX, whole_ms);
        let goes_on = |streak: &FailingStreak| {
            failed.since_ms.saturating_sub(streak.last_at_ms) <= apart_max_ms
        };
        let streak = FailingStreak::of(&before).filter(goes_on);
        let streak = streak.map_or(failed, |streak| streak.add(failed));
        DestinationHealth {
            first_failure_at_ms: Some(streak.since_ms),
            failed_attempts: streak.attempts,
            last_failure_at_ms: Some(streak.last_at_ms),
            disabled: observed.gone.clone(),
        }
    }

    pub(crate) fn should_disable(&self, health: &DestinationHealth, now_ms: i64) -> bool {
        let Some((streak, window_ms)) = self.active_streak(health) else { return false };
        now_ms.saturating_sub(streak.since_ms) >= window_ms && !lacks_attempts(streak, window_ms)
    }

    /// When to attempt a delivery outside of the retry schedule, so that there are enough attempts and
    /// one in the last quarter; `None` if there are.
    pub(crate) fn probe_at_ms(&self, health: &DestinationHealth) -> Option<i64> {
        let (streak, window_ms) = self.active_streak(health)?;
        let apart_ms = streak.last_at_ms.saturating_add(window_ms / PROBES_APART);
        lacks_attempts(streak, window_ms).then(|| last_quarter_ms(streak, window_ms).max(apart_ms))
    }

    /// The shortest time between two requests for a delivery to probe with.
    pub(crate) fn probes_apart_ms(&self) -> i64 {
        self.disable_after.map_or(0, |after| whole_ms(after) / PROBES_APART)
    }

    /// How much of the time until a failing destination is disabled has passed, in percent, and how
    /// many milliseconds are left; `None` if it is not failing, or is disabled.
    #[must_use]
    pub fn progress(&self, health: &DestinationHealth, now_ms: i64) -> Option<(u8, i64)> {
        let (streak, window_ms) = self.active_streak(health)?;
        let failing_ms = now_ms.saturating_sub(streak.since_ms).clamp(0, window_ms);
        let percent = i128::from(failing_ms) * 100 / i128::from(window_ms);
        Some((u8::try_from(percent).unwrap_or(100), window_ms - failing_ms))
    }

    /// The current streak, and how long it may last.
    fn active_streak(&self, health: &DestinationHealth) -> Option<(FailingStreak, i64)> {
        if health.disabled.is_some() {
            return None;
        }
        Some((FailingStreak::of(health)?, whole_ms(self.disable_after?).max(1)))
    }
}

fn lacks_attempts(streak: FailingStreak, window_ms: i64) -> bool {
    streak.attempts < FAILED_ATTEMPTS_MIN || streak.last_at_ms < last_quarter_ms(streak, window_ms)
}

fn last_quarter_ms(streak: FailingStreak, window_ms: i64) -> i64 {
    streak.since_ms.saturating_add(window_ms - window_ms / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy in seconds.
    fn policy(seconds: u64) -> HealthPolicy {
        HealthPolicy { disable_after: Some(Duration::from_secs(seconds)) }
    }

    /// After failures at these seconds, without a success.
    fn failed_at(seconds: &[i64]) -> DestinationHealth {
        let mut observed = ObservedAttempts::default();
        seconds.iter().for_each(|second| observed.failure(second * 1_000));
        policy(100).after(&observed, &DestinationHealth::default())
    }

    #[test]
    fn it_is_over_after_the_time_with_enough_attempts_and_a_late_one() {
        for (failures, over_at) in [
            (&[0, 5, 80][..], Some(100)),
            (&[0, 5, 75], Some(100)),
            (&[0, 5, 30, 74], None),
            (&[0, 80], None),
            (&[95], None),
            (&[], None),
            (&[0, 5, 130], Some(130)),
            (&[50, 55, 130], Some(150)),
        ] {
            let health = failed_at(failures);
            let from = failures.last().copied().unwrap_or(0);
            let over = (from..1_000).find(|now| policy(100).should_disable(&health, now * 1_000));
            assert_eq!(over, over_at, "{failures:?}");
            let never = HealthPolicy { disable_after: None };
            assert!(!never.should_disable(&health, i64::MAX), "{failures:?}");
        }
    }

    #[test]
    fn what_is_lacking_in_the_last_quarter_is_made_up_for() {
        for (failures, probe_at) in [
            (&[0][..], Some(75_000)),
            (&[0, 5], Some(75_000)),
            (&[0, 5, 30], Some(75_000)),
            (&[0, 75], Some(83_333)),
            (&[0, 5, 75], None),
            (&[0, 100], Some(108_333)),
            (&[], None),
        ] {
            assert_eq!(policy(100).probe_at_ms(&failed_at(failures)), probe_at, "{failures:?}");
        }
    }

    #[test]
    fn probes_alone_are_enough_to_judge_it_on_time() {
        let mut health = failed_at(&[0]);
        let mut attempts = vec![0];
        let over = (0..200_000).find(|now| {
            if policy(100).probe_at_ms(&health).is_some_and(|at| at <= *now) {
                let mut observed = ObservedAttempts::default();
                observed.failure(*now);
                health = policy(100).after(&observed, &health);
                attempts.push(*now);
            }
            policy(100).should_disable(&health, *now)
        });
        assert_eq!((over, attempts), (Some(100_000), vec![0, 75_000, 83_333]));
    }

    #[test]
    fn a_success_forgets_what_was_before_it_and_nothing_after() {
        let mut observed = ObservedAttempts::default();
        observed.failure(1);
        observed.success();
        assert_eq!(policy(100).after(&observed, &failed_at(&[0, 5])), DestinationHealth::default());
        observed.failure(9_000);
        assert_eq!(policy(100).after(&observed, &failed_at(&[0, 5])), failed_at(&[9]));
    }

    #[test]
    fn a_failure_long_after_the_one_before_begins_anew() {
        let health = failed_at(&[0, 5]);
        let mut observed = ObservedAttempts::default();
        observed.failure(105_000);
        assert_eq!(policy(100).after(&observed, &health), failed_at(&[0, 5, 105]));
        assert_eq!(policy(99).after(&observed, &health), failed_at(&[105]));
        let never = HealthPolicy { disable_after: None };
        assert_eq!(never.after(&observed, &health), failed_at(&[0, 5, 105]));
    }

    #[test]
    fn what_several_workers_see_adds_up() {
        let mut other = ObservedAttempts::default();
        other.failure(3_000);
        other.failure(7_000);
        assert_eq!(policy(100).after(&other, &failed_at(&[5])), failed_at(&[3, 5, 7]));
    }

    #[test]
    fn who_is_gone_is_disabled_whatever_it_did_before() {
        let gone = |at_ms| {
            let mut observed = ObservedAttempts::default();
            observed.gone(at_ms, "410 Gone");
            observed
        };
        let disabled = policy(100).after(&gone(5), &failed_at(&[1]));
        assert_eq!(disabled.disabled, Some(Disabled { at_ms: 5, reason: "410 Gone".to_owned() }));
        assert_eq!(policy(100).after(&gone(6), &disabled), disabled, "the first word counts");
        let mut failing = ObservedAttempts::default();
        failing.failure(9_000);
        assert_eq!(policy(100).after(&failing, &disabled), disabled);
        assert!(!policy(1).should_disable(&disabled, i64::MAX), "it is disabled already");
        assert_eq!(policy(1).probe_at_ms(&disabled), None);
    }

    #[test]
    fn what_the_release_before_wrote_beside_the_first_failure_does_not_count() {
        let health = DestinationHealth {
            first_failure_at_ms: Some(100),
            failed_attempts: 9,
            last_failure_at_ms: Some(50),
            disabled: None,
        };
        let streak = FailingStreak { since_ms: 100, attempts: 1, last_at_ms: 100 };
        assert_eq!(FailingStreak::of(&health), Some(streak));
    }

    #[test]
    fn the_way_to_being_disabled_is_in_percent() {
        let health = failed_at(&[10]);
        for (now, percent, left_ms) in
            [(5, 0, 100_000), (10, 0, 100_000), (60, 50, 50_000), (109, 99, 1_000), (500, 100, 0)]
        {
            assert_eq!(policy(100).progress(&health, now * 1_000), Some((percent, left_ms)));
        }
        assert_eq!(policy(100).progress(&failed_at(&[]), 5), None);
        assert_eq!(HealthPolicy { disable_after: None }.progress(&health, 5), None);
    }
}
