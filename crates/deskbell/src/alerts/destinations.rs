//! Destinations that fail everything, that are disabled, and that have dead letters.

use std::collections::BTreeMap;

use deskbell_delivery::{FAILED_ATTEMPTS_MIN, FailingStreak, HealthPolicy, in_words};
use deskbell_store::deliveries::{DestinationHealth, DestinationState, Disabled};

use super::condition::{Condition, Counter, Kind, Observation, Target, plural, shown};

/// The parts of the time until it is disabled, in percent, at which an alert is sent.
const PERCENTS: [u8; 3] = [90, 70, 50];
/// The step of an alert that comes before these.
const FAILING_STEP: u32 = 1;
/// The step of its being disabled: behind all of these.
const DISABLED_STEP: u32 = 100;

/// When a failing destination is worth an alert.
#[derive(Debug)]
pub(super) struct FailingRule {
    pub(super) failing_after_ms: i64,
    pub(super) health: HealthPolicy,
}

impl FailingRule {
    /// Whether the destination is worth an alert.
    pub(super) fn observe(&self, state: &DestinationState, now_ms: i64) -> (String, Observation) {
        let (name, health) = (&*state.name, &state.health);
        let condition = match &health.disabled {
            Some(reason) => Some(disabled(name, health, reason)),
            None => self.failing(name, health, now_ms),
        };
        (format!("destination/{name}"), Observation::State(condition))
    }

    fn failing(&self, name: &str, health: &DestinationHealth, now_ms: i64) -> Option<Condition> {
        let streak = FailingStreak::of(health)?;
        let progress = self.health.progress(health, now_ms);
        let percent =
            progress.and_then(|(percent, _)| PERCENTS.into_iter().find(|at| percent >= *at));
        let is_long = now_ms.saturating_sub(streak.since_ms) >= self.failing_after_ms
            && streak.attempts >= FAILED_ATTEMPTS_MIN;
        let step = match percent {
            Some(percent) => u32::from(percent),
            None if is_long => FAILING_STEP,
            None => return None,
        };
        let left = progress.map(|(_, left_ms)| in_words(left_ms));
        let mut counts =
            BTreeMap::from([("failed_attempts".to_owned(), u64::from(streak.attempts))]);
        counts.extend(percent.map(|percent| ("disabled_percent".to_owned(), u64::from(percent))));
        Some(Condition {
            kind: Kind::DestinationFailing,
            target: Target::Destination(name.to_owned()),
            since_ms: streak.since_ms,
            step,
            subject: match (percent, &left) {
                (Some(_), Some(left)) => {
                    format!("{name} is failing, and will be disabled in {left}")
                }
                _ => format!("{name} is failing"),
            },
            text: failing_text(name, streak, left.as_deref()),
            counts,
        })
    }
}

fn failing_text(name: &str, streak: FailingStreak, left: Option<&str>) -> String {
    let end = left
        .map(|left| format!(" Unless an attempt succeeds, the destination is disabled in {left}."));
    format!(
        "Every attempt to deliver to the destination {name} has failed since {}: {}.{} Pending \
         deliveries are kept.",
        shown(streak.since_ms),
        plural(u64::from(streak.attempts), "attempt", "attempts"),
        end.unwrap_or_default()
    )
}

fn disabled(name: &str, health: &DestinationHealth, disabled: &Disabled) -> Condition {
    let since_ms = health.first_failure_at_ms.unwrap_or(disabled.at_ms);
    Condition {
        kind: Kind::DestinationDisabled,
        target: Target::Destination(name.to_owned()),
        since_ms,
        step: DISABLED_STEP,
        subject: format!("{name} is disabled"),
        text: format!(
            "Deskbell no longer delivers to the destination {name}: {}. Pending deliveries are \
             kept. Once it works again, run: deskbell destinations enable {name}",
            disabled.reason
        ),
        counts: BTreeMap::new(),
    }
}

/// Deliveries that failed permanently: how many ever did, and whether any of them is left.
pub(super) fn dead_letters(state: &DestinationState, is_left: bool) -> (String, Observation) {
    let name = state.name.to_string();
    let key = format!("dead_letters/{name}");
    let condition = move |new, is_first, since_ms| {
        let more = if is_first { "" } else { "more " };
        Condition {
            kind: Kind::DeliveryDeadLetters,
            target: Target::Destination(name.clone()),
            since_ms,
            step: 0,
            subject: format!(
                "{name}: {} failed permanently",
                plural(new, &format!("{more}delivery"), &format!("{more}deliveries"))
            ),
            text: format!(
                "{} to the destination {name} failed permanently. Deskbell does not try again by \
                 itself. To see why, run: deskbell dead-letters list {name}. To try again, run: \
                 deskbell dead-letters retry --all --destination {name}",
                plural(new, "delivery", "deliveries")
            ),
            counts: BTreeMap::from([("dead_letters".to_owned(), new)]),
        }
    };
    let count = state.dead_letters_total;
    (key, Observation::Counter(Counter { count, is_left, condition: Box::new(condition) }))
}
