//! How a destination is: when it counts as failing, when people are told, when it is disabled.
//!
//! The rule is Svix's: the clock starts with a failure that comes at least 12 and at most 24 hours
//! after the first one, with no success in between, and five days later the destination is
//! disabled. <https://docs.svix.com/retries#disabling-failing-endpoints>

use std::time::Duration;

use deskbell_store::deliveries::{DestinationHealth, Disabled};

/// The parts of the time until it is disabled, in percent, at which people are told.
const TOLD_AT_PERCENT: [u8; 4] = [50, 70, 90, 100];

/// When a failing destination is disabled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthPolicy {
    /// How long it must have been failing; `None` for never.
    pub disable_after: Option<Duration>,
    /// The clock starts with a failure that is at least this long after the first one…
    pub apart_at_least: Duration,
    /// …and at most this long.
    pub apart_at_most: Duration,
}

impl Default for HealthPolicy {
    fn default() -> Self {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        Self {
            disable_after: Some(hours(5 * 24)),
            apart_at_least: hours(12),
            apart_at_most: hours(24),
        }
    }
}

/// What people should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// It has been failing for this part of the time after which it is disabled.
    Failing {
        /// In percent.
        percent: u8,
        /// How long is left, in milliseconds.
        left_ms: i64,
    },
    /// Nothing is sent there any more.
    Disabled {
        /// Why.
        reason: String,
    },
    /// It works again, after people had been told that it did not.
    Recovered,
}

/// How the destination is after an attempt, and what people should hear.
pub(crate) type Change = (DestinationHealth, Option<Transition>);

impl HealthPolicy {
    /// After a success: whatever there was is over.
    #[must_use]
    pub(crate) fn after_success(&self, health: &DestinationHealth) -> Change {
        let told = health.told_percent > 0 || health.disabled.is_some();
        (DestinationHealth::default(), told.then_some(Transition::Recovered))
    }

    /// After a failure at this time.
    #[must_use]
    pub(crate) fn after_failure(
        &self,
        health: &DestinationHealth,
        now_ms: i64,
        reason: &str,
    ) -> Change {
        let mut next = health.clone();
        if next.disabled.is_some() {
            return (next, None);
        }
        let first_at_ms = *next.first_failure_at_ms.get_or_insert(now_ms);
        let Some(since_ms) = next.failing_since_ms else {
            let apart = now_ms - first_at_ms;
            if apart > millis(self.apart_at_most) {
                next.first_failure_at_ms = Some(now_ms);
            } else if apart >= millis(self.apart_at_least) {
                next.failing_since_ms = Some(now_ms);
            }
            return (next, None);
        };
        let Some(disable_after) = self.disable_after else { return (next, None) };
        let whole_ms = millis(disable_after).max(1);
        let failing_ms = (now_ms - since_ms).max(0);
        let percent = failing_ms.saturating_mul(100) / whole_ms;
        let reached = TOLD_AT_PERCENT.into_iter().rev().find(|at| percent >= i64::from(*at));
        match reached {
            Some(100) => disable(
                next,
                now_ms,
                format!("it has failed everything for {}: {reason}", in_words(failing_ms)),
            ),
            Some(percent) if percent > next.told_percent => {
                next.told_percent = percent;
                (next, Some(Transition::Failing { percent, left_ms: whole_ms - failing_ms }))
            }
            _ => (next, None),
        }
    }

    /// After an answer that says that nobody is there any more.
    #[must_use]
    pub(crate) fn after_gone(
        &self,
        health: &DestinationHealth,
        now_ms: i64,
        reason: &str,
    ) -> Change {
        if health.disabled.is_some() {
            return (health.clone(), None);
        }
        disable(health.clone(), now_ms, reason.to_owned())
    }
}

fn disable(mut health: DestinationHealth, now_ms: i64, reason: String) -> Change {
    health.told_percent = 100;
    health.disabled = Some(Disabled { at_ms: now_ms, reason: reason.clone() });
    (health, Some(Transition::Disabled { reason }))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A time in days and hours, or in minutes where it is short.
pub(crate) fn in_words(millis: i64) -> String {
    let minutes = millis / 60_000;
    let (days, hours) = (minutes / 1_440, minutes / 60 % 24);
    let plural = |count: i64, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    match (days, hours) {
        (0, 0) => plural(minutes, "minute"),
        (0, _) => plural(hours, "hour"),
        (_, 0) => plural(days, "day"),
        _ => format!("{} and {}", plural(days, "day"), plural(hours, "hour")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    /// Fails at these hours; what people heard, by hour.
    fn heard(policy: &HealthPolicy, hours: impl IntoIterator<Item = i64>) -> Vec<(i64, String)> {
        let mut health = DestinationHealth::default();
        let mut heard = Vec::new();
        for hour in hours {
            let (next, transition) = policy.after_failure(&health, hour * HOUR, "503");
            health = next;
            match transition {
                Some(Transition::Failing { percent, .. }) => {
                    heard.push((hour, percent.to_string()));
                }
                Some(Transition::Disabled { reason }) => heard.push((hour, reason)),
                Some(Transition::Recovered) => heard.push((hour, "recovered".to_owned())),
                None => {}
            }
        }
        heard
    }

    #[test]
    fn people_are_told_on_the_way_once_each_and_it_ends_disabled() {
        // The clock starts at hour 12; 120 hours later it is over.
        let told = heard(&HealthPolicy::default(), 0..200);
        let disabled = "it has failed everything for 5 days: 503".to_owned();
        assert_eq!(
            told,
            [(72, "50".to_owned()), (96, "70".to_owned()), (120, "90".to_owned()), (132, disabled),]
        );
    }

    #[test]
    fn failures_that_are_close_together_start_no_clock() {
        assert_eq!(heard(&HealthPolicy::default(), [0, 1, 11]), []);
        let mut health = DestinationHealth::default();
        for hour in [0, 1, 11] {
            health = HealthPolicy::default().after_failure(&health, hour * HOUR, "").0;
        }
        assert_eq!(health.failing_since_ms, None);
    }

    #[test]
    fn failures_that_are_far_apart_start_no_clock() {
        // Each more than a day after the one before.
        assert_eq!(heard(&HealthPolicy::default(), (0..20).map(|n| n * 25)), []);
    }

    #[test]
    fn one_late_failure_is_told_at_its_highest_threshold_only() {
        let told = heard(&HealthPolicy::default(), [0, 12, 12 + 109]);
        assert_eq!(told, [(121, "90".to_owned())]);
    }

    #[test]
    fn a_success_forgets_everything_and_is_told_where_trouble_was() {
        let policy = HealthPolicy::default();
        let mut health = DestinationHealth::default();
        for hour in [0, 12] {
            health = policy.after_failure(&health, hour * HOUR, "").0;
        }
        assert_eq!(policy.after_success(&health), (DestinationHealth::default(), None));
        health = policy.after_failure(&health, 80 * HOUR, "").0;
        assert_eq!(
            policy.after_success(&health),
            (DestinationHealth::default(), Some(Transition::Recovered))
        );
    }

    #[test]
    fn without_an_end_it_is_never_disabled() {
        let policy = HealthPolicy { disable_after: None, ..HealthPolicy::default() };
        assert_eq!(heard(&policy, 0..1_000), []);
    }

    #[test]
    fn who_is_gone_is_disabled_at_once_and_told_once() {
        let policy = HealthPolicy::default();
        let (health, told) = policy.after_gone(&DestinationHealth::default(), 5, "410 Gone");
        assert_eq!(told, Some(Transition::Disabled { reason: "410 Gone".to_owned() }));
        assert_eq!(policy.after_gone(&health, 6, "410 Gone"), (health.clone(), None));
        assert_eq!(policy.after_failure(&health, 7, "500"), (health, None));
    }
}
