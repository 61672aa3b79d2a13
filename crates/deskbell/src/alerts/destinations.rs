//! Alerts about destinations that fail, are disabled, or have dead letters.

use std::collections::BTreeMap;

use deskbell_delivery::{FAILED_ATTEMPTS_MIN, FailingStreak, HealthPolicy, in_words, shown_time};
use deskbell_store::deliveries::{DestinationHealth, DestinationState, Disabled};

use super::condition::{AlertTarget, Condition, ConditionKind, Counter, Observation, plural};

/// An alert is sent when these parts of the time until the destination is disabled have passed.
const PERCENTS: [u8; 3] = [90, 70, 50];
/// The step of the alert before these.
const FAILING_STEP: u32 = 1;
/// The step after these: the destination is disabled.
const DISABLED_STEP: u32 = 100;

/// When a failing destination is alerted about.
#[derive(Debug)]
pub(super) struct FailingRule {
    pub(super) failing_after_ms: i64,
    pub(super) health: HealthPolicy,
}

impl FailingRule {
    pub(super) fn observe(&self, state: &DestinationState, now_ms: i64) -> (String, Observation) {
        let (name, health) = (&*state.name, &state.health);
        let observation = match &health.disabled {
            // Whoever paused it knows, and nobody knows whether it works.
            Some(disabled) if disabled.is_pause() => Observation::Unknown,
            Some(reason) => Observation::State(Some(disabled(name, health, reason))),
            None => Observation::State(self.failing(name, health, now_ms)),
        };
        (format!("destination/{name}"), observation)
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
            kind: ConditionKind::DestinationFailing,
            target: AlertTarget::Destination(name.to_owned()),
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
        shown_time(streak.since_ms),
        plural(u64::from(streak.attempts), "attempt", "attempts"),
        end.unwrap_or_default()
    )
}

fn disabled(name: &str, health: &DestinationHealth, disabled: &Disabled) -> Condition {
    let since_ms = health.first_failure_at_ms.unwrap_or(disabled.at_ms);
    Condition {
        kind: ConditionKind::DestinationDisabled,
        target: AlertTarget::Destination(name.to_owned()),
        since_ms,
        step: DISABLED_STEP,
        subject: format!("{name} is disabled"),
        text: format!(
            "Deskbell no longer delivers to the destination {name}: {}. Pending deliveries are \
             kept. When the receiver works again, run: deskbell destinations enable {name}",
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
            kind: ConditionKind::DeliveryDeadLetters,
            target: AlertTarget::Destination(name.clone()),
            since_ms,
            step: 0,
            subject: format!(
                "{name}: {} failed permanently",
                plural(new, &format!("{more}delivery"), &format!("{more}deliveries"))
            ),
            text: format!(
                "{} to the destination {name} failed permanently. Deskbell does not retry them \
                 automatically. To see why, run: deskbell dead-letters list {name}. To retry, \
                 run: \
                 deskbell dead-letters retry --all --destination {name}",
                plural(new, "delivery", "deliveries")
            ),
            counts: BTreeMap::from([("dead_letters".to_owned(), new)]),
        }
    };
    let count = state.dead_letters_total;
    (key, Observation::Counter(Counter { count, is_left, condition: Box::new(condition) }))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use deskbell_store::Seq;

    use super::*;

    const MINUTE: i64 = 60_000;

    fn rule(disable_after_minutes: Option<u64>) -> FailingRule {
        let disable_after = disable_after_minutes.map(|minutes| Duration::from_secs(minutes * 60));
        FailingRule { failing_after_ms: 15 * MINUTE, health: HealthPolicy { disable_after } }
    }

    fn state(failed_attempts: u32, disabled: Option<Disabled>) -> DestinationState {
        let health = DestinationHealth {
            first_failure_at_ms: (failed_attempts > 0).then_some(0),
            failed_attempts,
            last_failure_at_ms: (failed_attempts > 0).then_some(5),
            disabled,
        };
        DestinationState { name: "crm".into(), routed: Seq::ZERO, dead_letters_total: 0, health }
    }

    fn observed(rule: &FailingRule, state: &DestinationState, minutes: i64) -> Option<Condition> {
        match rule.observe(state, minutes * MINUTE) {
            (key, Observation::State(condition)) if key == "destination/crm" => condition,
            (key, _) => panic!("{key}"),
        }
    }

    #[test]
    fn failing_is_alerted_about_after_its_time_and_on_the_way_to_being_disabled() {
        let steps = |rule: &FailingRule, attempts| {
            let step = |minutes: &i64| {
                observed(rule, &state(attempts, None), *minutes).map(|condition| condition.step)
            };
            [14, 15, 49, 50, 70, 90, 500].iter().map(step).collect::<Vec<_>>()
        };
        let (long, never) = (rule(Some(100)), rule(None));
        let all = [None, Some(1), Some(1), Some(50), Some(70), Some(90), Some(90)];
        assert_eq!(steps(&long, 3), all);
        // Two failures may have met a restart; the parts of the time are alerted about all the same.
        assert_eq!(steps(&long, 2), [None, None, None, Some(50), Some(70), Some(90), Some(90)]);
        assert_eq!(steps(&never, 3)[1..], [Some(1); 6]);
        assert_eq!(steps(&never, 0), [None; 7]);
    }

    #[test]
    fn a_paused_destination_is_neither_failing_nor_well() {
        let paused = state(3, Some(Disabled::paused_by("ada", 9)));
        let (_, observation) = rule(Some(20)).observe(&paused, 19 * MINUTE);
        assert!(matches!(observation, Observation::Unknown));
    }

    #[test]
    fn being_disabled_goes_on_from_failing() {
        let disabled = Some(Disabled { at_ms: 9, reason: "410 Gone".to_owned() });
        let failing = observed(&rule(Some(20)), &state(3, None), 19).unwrap();
        let after = observed(&rule(Some(20)), &state(3, disabled.clone()), 20).unwrap();
        assert_eq!((failing.since_ms, after.since_ms), (0, 0));
        assert!(after.step > failing.step);
        let at_once = observed(&rule(None), &state(0, disabled), 0).unwrap();
        assert_eq!((at_once.kind, at_once.since_ms), (ConditionKind::DestinationDisabled, 9));
        assert!(at_once.text.contains("410 Gone"), "{}", at_once.text);
    }
}
