//! A destination as `deskbell destinations` shows it.

use std::time::Duration;

use deskbell_delivery::{FailingStreak, HealthPolicy, in_words, shown_time};
use deskbell_store::Seq;
use deskbell_store::clock::whole_ms;
use deskbell_store::deliveries::{Backlog, DestinationState};
use deskbell_sync::status::{MirrorStatus, Reported};
use deskbell_trust::{MirrorReconciled, ReconcileState};
use serde_json::{Value, json};

use crate::config::{Config, DestinationConfig, DestinationKind};
use crate::outcomes::mirrors::MirrorReport;

/// What stands where there is nothing to say.
const NOTHING: &str = "-";

/// A destination: what the config says of it, and what the store does.
pub(super) struct Row {
    name: String,
    /// `None` where it is not in the config: a function's, or one that was taken out.
    configured: Option<Configured>,
    /// `None` where it was never started, or is a database.
    stored: Option<Stored>,
    /// What the consumer of a database last reported.
    mirror: Option<Reported>,
    /// What the last comparison of a mirror with Clerk has found.
    reconciled: Option<MirrorReconciled>,
    /// When a failing one is disabled.
    policy: HealthPolicy,
}

struct Configured {
    destination_type: &'static str,
    enabled: bool,
    is_database: bool,
}

struct Stored {
    state: DestinationState,
    pending: u64,
    dead_lettered: u64,
    oldest_received_at_ms: Option<i64>,
}

enum Condition<'a> {
    Mirror(&'a MirrorStatus),
    /// A mirror whose consumer no longer reports.
    NotRunning(&'a Reported),
    NotStarted,
    Ok,
    Failing {
        since_ms: i64,
        disabled_in_ms: Option<i64>,
    },
    Disabled {
        since_ms: i64,
        reason: &'a str,
    },
}

/// Those of the config in its order, then those that only the store knows.
pub(super) fn all(
    config: &Config,
    mut states: Vec<DestinationState>,
    backlogs: &[Backlog],
    mut mirrors: Vec<MirrorReport>,
    compared: &ReconcileState,
) -> Vec<Row> {
    let disable_after = config.alerts.disable_after.map(|time| time.0);
    let policy = || HealthPolicy { disable_after };
    let mut rows = Vec::new();
    for destination in &config.destinations {
        let configured = Configured::new(destination);
        let at = states.iter().position(|state| *state.name == *destination.name);
        let state = at.map(|at| states.remove(at)).filter(|_| !configured.is_database);
        let reported = mirrors.iter_mut().find(|report| report.destination == destination.name);
        rows.push(Row {
            name: destination.name.clone(),
            configured: Some(configured),
            stored: state.map(|state| Stored::new(state, backlogs)),
            mirror: reported.and_then(|report| report.reported.take()),
            reconciled: compared.mirrors.get(&destination.name).cloned(),
            policy: policy(),
        });
    }
    rows.extend(states.into_iter().map(|state| Row {
        name: state.name.to_string(),
        configured: None,
        stored: Some(Stored::new(state, backlogs)),
        mirror: None,
        reconciled: None,
        policy: policy(),
    }));
    rows
}

impl Configured {
    fn new(destination: &DestinationConfig) -> Self {
        Self {
            destination_type: destination.kind.destination_type().as_str(),
            enabled: destination.enabled,
            is_database: matches!(destination.kind, DestinationKind::Database(_)),
        }
    }
}

impl Stored {
    fn new(state: DestinationState, backlogs: &[Backlog]) -> Self {
        let backlog = backlogs.iter().find(|backlog| backlog.destination == state.name);
        Self {
            pending: backlog.map_or(0, |backlog| backlog.pending),
            dead_lettered: backlog.map_or(0, |backlog| backlog.dead_lettered),
            oldest_received_at_ms: backlog.and_then(|backlog| backlog.oldest_received_at_ms),
            state,
        }
    }
}

impl Row {
    fn condition(&self, now_ms: i64) -> Condition<'_> {
        if let Some(reported) = &self.mirror {
            return match reported.is_current(now_ms) {
                true => Condition::Mirror(&reported.status),
                false => Condition::NotRunning(reported),
            };
        }
        let Some(stored) = &self.stored else { return Condition::NotStarted };
        let health = &stored.state.health;
        if let Some(disabled) = &health.disabled {
            return Condition::Disabled { since_ms: disabled.at_ms, reason: &disabled.reason };
        }
        let Some(streak) = FailingStreak::of(health) else { return Condition::Ok };
        let left = self.policy.progress(health, now_ms).map(|(_, left_ms)| left_ms);
        Condition::Failing { since_ms: streak.since_ms, disabled_in_ms: left }
    }

    /// The cells of a table: name, type, enabled, routed, pending, waiting, dead, oldest, state.
    pub(super) fn cells(&self, head: Seq, now_ms: i64) -> [String; 9] {
        let configured = self.configured.as_ref();
        let enabled = configured.map(|one| if one.enabled { "yes" } else { "no" });
        let [routed, pending, waiting, dead, oldest] = self.numbers(head, now_ms);
        [
            self.name.clone(),
            configured.map_or(NOTHING, |one| one.destination_type).to_owned(),
            enabled.unwrap_or("not in the config").to_owned(),
            routed,
            pending,
            waiting,
            dead,
            oldest,
            self.condition(now_ms).in_words(),
        ]
    }

    /// Routed, pending, waiting, dead and oldest.
    fn numbers(&self, head: Seq, now_ms: i64) -> [String; 5] {
        let nothing = || NOTHING.to_owned();
        match (&self.mirror, &self.stored) {
            (Some(Reported { status, .. }), _) => [
                format!("{} of {head}", status.seq),
                status.lag_events.to_string(),
                status.waiting_rows.to_string(),
                status.dead_letters.to_string(),
                match status.lag_events {
                    0 => nothing(),
                    _ => in_words(whole_ms(Duration::from_secs(status.lag_seconds))),
                },
            ],
            (None, Some(stored)) => [
                format!("{} of {head}", stored.state.routed),
                stored.pending.to_string(),
                nothing(),
                stored.dead_lettered.to_string(),
                stored.oldest_received_at_ms.map_or_else(nothing, |at_ms| in_words(now_ms - at_ms)),
            ],
            (None, None) => [nothing(), nothing(), nothing(), nothing(), nothing()],
        }
    }

    /// What the last comparison with Clerk has found, in a line; `None` where there was none.
    pub(super) fn comparison(&self, now_ms: i64) -> Option<String> {
        let last = self.reconciled.as_ref().filter(|last| last.started_at_ms > 0)?;
        let (name, ago) = (&self.name, in_words(now_ms - last.started_at_ms));
        let (repaired, left) = (last.repaired, last.left());
        let whole = if last.is_whole() { "" } else { ", not of everything" };
        Some(format!(
            "{name}: compared with Clerk {ago} ago{whole}; {repaired} differences repaired since, {left} left"
        ))
    }

    pub(super) fn json(&self, head: Seq, now_ms: i64) -> Value {
        let configured = self.configured.as_ref();
        let condition = self.condition(now_ms);
        let disabled_in_ms = match condition {
            Condition::Failing { disabled_in_ms, .. } => disabled_in_ms,
            _ => None,
        };
        let stored = self.stored.as_ref().filter(|_| self.mirror.is_none());
        let mirror = self.mirror.as_ref().map(|reported| &reported.status);
        let routed = mirror.map(|mirror| mirror.seq);
        let oldest = stored.and_then(|stored| stored.oldest_received_at_ms);
        let of_either = |of_mirror: fn(&MirrorStatus) -> u64, of_stored: fn(&Stored) -> u64| {
            mirror.map(of_mirror).or(stored.map(of_stored))
        };
        json!({
            "name": self.name,
            "type": configured.map(|one| one.destination_type),
            "enabled": configured.map(|one| one.enabled),
            "state": condition.name(),
            "since": condition.since_ms().map(shown_time),
            "disabled_in_seconds": disabled_in_ms.map(|left| left / 1_000),
            "reason": condition.reason(),
            "head": head.get(),
            "routed": routed.or(stored.map(|stored| stored.state.routed)).map(Seq::get),
            "pending": of_either(|mirror| mirror.lag_events, |stored| stored.pending),
            "dead_lettered": of_either(|mirror| mirror.dead_letters, |stored| stored.dead_lettered),
            "oldest_received_at": oldest.map(shown_time),
            "lag_events": mirror.map(|mirror| mirror.lag_events),
            "lag_seconds": mirror.map(|mirror| mirror.lag_seconds),
            "waiting_rows": mirror.map(|mirror| mirror.waiting_rows),
            "reported_at": self.mirror.as_ref().map(|reported| shown_time(reported.at_ms)),
            "reconciled": self.reconciled.as_ref().map(|last| json!({
                "started_at": shown_time(last.started_at_ms), "repaired": last.repaired,
                "left": last.left(), "complete": last.is_whole(),
            })),
        })
    }
}

impl Condition<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Mirror(status) => status.state.name(),
            Self::NotRunning(_) => "not_running",
            Self::NotStarted => "not_started",
            Self::Ok => "ok",
            Self::Failing { .. } => "failing",
            Self::Disabled { .. } => "disabled",
        }
    }

    fn since_ms(&self) -> Option<i64> {
        match self {
            Self::Mirror(status) => status.state.since_ms(),
            Self::NotRunning(reported) => Some(reported.at_ms),
            Self::Failing { since_ms, .. } | Self::Disabled { since_ms, .. } => Some(*since_ms),
            Self::NotStarted | Self::Ok => None,
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Mirror(status) => status.state.reason(),
            Self::Disabled { reason, .. } => Some((*reason).to_owned()),
            _ => None,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Mirror(status) => status.state.to_string(),
            Self::NotRunning(reported) => reported.not_running(),
            Self::NotStarted => "not started yet".to_owned(),
            Self::Ok => "ok".to_owned(),
            Self::Failing { since_ms, disabled_in_ms: None } => {
                format!("failing since {}", shown_time(*since_ms))
            }
            Self::Failing { since_ms, disabled_in_ms: Some(left) } => format!(
                "failing since {} (disabled in {} unless an attempt succeeds)",
                shown_time(*since_ms),
                in_words(*left)
            ),
            Self::Disabled { since_ms, reason } => {
                format!("disabled since {}: {reason}", shown_time(*since_ms))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::deliveries::{DestinationHealth, Disabled};
    use deskbell_sync::status::{Failure, MirrorState};

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn state(health: DestinationHealth) -> String {
        let (name, routed) = ("crm".into(), Seq::new(3));
        let state = DestinationState { name, routed, dead_letters_total: 0, health };
        let rows =
            all(&Config::default(), vec![state], &[], Vec::new(), &ReconcileState::default());
        rows[1].cells(Seq::new(7), 100 * HOUR)[8].clone()
    }

    #[test]
    fn how_it_is_is_told_with_how_it_goes_on() {
        let failing = DestinationHealth {
            first_failure_at_ms: Some(50 * HOUR),
            failed_attempts: 1,
            last_failure_at_ms: Some(50 * HOUR),
            disabled: None,
        };
        let disabled = DestinationHealth {
            disabled: Some(Disabled { at_ms: 90 * HOUR, reason: "410 Gone".to_owned() }),
            ..failing.clone()
        };
        for (health, wanted) in [
            (DestinationHealth::default(), "ok"),
            (
                failing,
                "failing since 1970-01-03T02:00:00.000Z (disabled in 2 days 22 hours unless an \
                 attempt succeeds)",
            ),
            (disabled, "disabled since 1970-01-04T18:00:00.000Z: 410 Gone"),
        ] {
            assert_eq!(state(health), wanted);
        }
    }

    fn mirror(status: MirrorStatus, now_ms: i64) -> (Value, [String; 9]) {
        let reported = Some(Reported { status, at_ms: 1_000 });
        let report = MirrorReport { destination: "mirror".to_owned(), reported };
        let rows =
            all(&Config::default(), Vec::new(), &[], vec![report], &ReconcileState::default());
        (rows[0].json(Seq::new(9), now_ms), rows[0].cells(Seq::new(9), now_ms))
    }

    #[test]
    fn those_of_the_config_come_first_and_a_mirror_says_how_far_it_is() {
        let rows = all(&Config::default(), Vec::new(), &[], Vec::new(), &ReconcileState::default());
        let cells = rows[0].cells(Seq::ZERO, 0);
        let nothing = ["-"; 5];
        assert_eq!(cells[..3], ["mirror", "database", "yes"]);
        assert_eq!(
            (&cells[3..8], &*cells[8]),
            (&nothing.map(str::to_owned)[..], "not started yet")
        );
        let failure = Failure {
            since_ms: 0,
            error: "the mirror's database is not available".to_owned(),
            cause: Some("connection refused".to_owned()),
            is_of_clerk: false,
        };
        let status = MirrorStatus {
            state: MirrorState::Waiting(failure),
            seq: Seq::new(5),
            lag_events: 4,
            lag_seconds: 61,
            dead_letters: 1,
            waiting_rows: 2,
        };
        let (json, cells) = mirror(status.clone(), 2_000);
        let waits = "waiting for the database since 1970-01-01T00:00:00.000Z: the mirror's \
                     database is not available: connection refused";
        assert_eq!(cells[3..], ["5 of 9", "4", "2", "1", "1 minute", waits]);
        assert_eq!((&json["state"], &json["since"]), (&"waiting".into(), &shown_time(0).into()));
        assert_eq!((&json["lag_events"], &json["lag_seconds"]), (&4.into(), &61.into()));
        assert_eq!((&json["waiting_rows"], &json["dead_lettered"]), (&2.into(), &1.into()));
        let (json, cells) = mirror(status, HOUR);
        assert_eq!(json["state"], "not_running");
        let of_config =
            all(&Config::default(), Vec::new(), &[], Vec::new(), &ReconcileState::default());
        let keys = |json: &Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&json), keys(&of_config[0].json(Seq::ZERO, 0)), "every row has every key");
        let gone = "not running: `deskbell serve` last reported at 1970-01-01T00:00:01.000Z";
        assert_eq!(cells[8], gone);
    }
}
