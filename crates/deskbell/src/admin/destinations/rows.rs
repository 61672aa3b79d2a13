//! What the config and the store know of each destination, as one view.

use deskbell_admin::{DestinationState as State, DestinationView, ReconciledView, Timestamp};
use deskbell_delivery::{ChannelConfig, FailingStreak, HealthPolicy, in_words, shown_time};
use deskbell_store::Seq;
use deskbell_store::deliveries::{Backlog, DestinationState, Disabled};
use deskbell_sync::status::{MirrorState, MirrorStatus, Reported};
use deskbell_trust::{MirrorReconciled, ReconcileState};
use serde_json::Value;

use crate::config::{Config, DestinationConfig, DestinationKind};
use crate::outcomes::mirrors::MirrorReport;

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
    /// Whether somebody paused it, which a mirror has nobody else to tell.
    is_paused: bool,
    /// Where it sends, or writes.
    receiver: String,
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
    Disabled(&'a Disabled),
    /// Of a mirror; others are disabled with a reason.
    Paused,
}

/// Those of the config in its order, where there is no store yet.
pub(crate) fn without_store(config: &Config) -> Vec<DestinationView> {
    let nothing = ReconcileState::default();
    let rows = all(config, Vec::new(), &[], Vec::new(), &nothing);
    rows.iter().map(|row| row.view(Seq::ZERO, 0)).collect()
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
            is_paused: destination.is_paused,
            receiver: match (&destination.kind, destination.kind.channel_config()) {
                (DestinationKind::Database(database), _) => database.url.to_string(),
                (_, channel) => channel.map(ChannelConfig::receiver).unwrap_or_default(),
            },
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
        if self.configured.as_ref().is_some_and(|one| one.is_paused) {
            return Condition::Paused;
        }
        if let Some(reported) = &self.mirror {
            return match reported.is_current(now_ms) {
                true => Condition::Mirror(&reported.status),
                false => Condition::NotRunning(reported),
            };
        }
        let Some(stored) = &self.stored else { return Condition::NotStarted };
        let health = &stored.state.health;
        if let Some(disabled) = &health.disabled {
            return Condition::Disabled(disabled);
        }
        let Some(streak) = FailingStreak::of(health) else { return Condition::Ok };
        let left = self.policy.progress(health, now_ms).map(|(_, left_ms)| left_ms);
        Condition::Failing { since_ms: streak.since_ms, disabled_in_ms: left }
    }

    pub(super) fn view(&self, head: Seq, now_ms: i64) -> DestinationView {
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
        DestinationView {
            name: self.name.clone(),
            destination_type: configured.map(|one| one.destination_type.to_owned()),
            enabled: configured.map(|one| one.enabled),
            state: condition.state(),
            summary: condition.in_words(),
            since: condition.since_ms().map(Timestamp),
            disabled_in_seconds: disabled_in_ms.map(|left| left / 1_000),
            reason: condition.reason(),
            head: head.get(),
            routed: routed.or(stored.map(|stored| stored.state.routed)).map(Seq::get),
            pending: of_either(|mirror| mirror.lag_events, |stored| stored.pending),
            dead_lettered: of_either(|mirror| mirror.dead_letters, |stored| stored.dead_lettered),
            oldest_received_at: oldest.map(Timestamp),
            lag_events: mirror.map(|mirror| mirror.lag_events),
            lag_seconds: mirror.map(|mirror| mirror.lag_seconds),
            waiting_rows: mirror.map(|mirror| mirror.waiting_rows),
            reported_at: self.mirror.as_ref().map(|reported| Timestamp(reported.at_ms)),
            reconciled: self.reconciled.as_ref().map(|last| ReconciledView {
                started_at: Timestamp(last.started_at_ms),
                repaired: last.repaired,
                left: last.left(),
                complete: last.is_whole(),
            }),
            read_only: true,
            receiver: configured.map(|one| one.receiver.clone()),
            settings: Value::Null,
        }
    }
}

impl Condition<'_> {
    fn state(&self) -> State {
        match self {
            Self::Mirror(status) => match status.state {
                MirrorState::Following => State::Following,
                MirrorState::Behind => State::Behind,
                MirrorState::Waiting(_) => State::Waiting,
                MirrorState::Blocked(_) => State::Blocked,
            },
            Self::NotRunning(_) => State::NotRunning,
            Self::NotStarted => State::NotStarted,
            Self::Ok => State::Ok,
            Self::Failing { .. } => State::Failing,
            Self::Disabled(disabled) if disabled.is_pause() => State::Paused,
            Self::Disabled(_) => State::Disabled,
            Self::Paused => State::Paused,
        }
    }

    fn since_ms(&self) -> Option<i64> {
        match self {
            Self::Mirror(status) => status.state.since_ms(),
            Self::NotRunning(reported) => Some(reported.at_ms),
            Self::Failing { since_ms, .. } => Some(*since_ms),
            Self::Disabled(disabled) => Some(disabled.at_ms),
            Self::NotStarted | Self::Ok | Self::Paused => None,
        }
    }

    fn reason(&self) -> Option<String> {
        match self {
            Self::Mirror(status) => status.state.reason(),
            Self::Disabled(disabled) => Some(disabled.reason.clone()),
            _ => None,
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Mirror(status) => status.state.to_string(),
            Self::NotRunning(reported) => reported.not_running(),
            Self::NotStarted => "not started yet".to_owned(),
            Self::Ok => "ok".to_owned(),
            Self::Paused => "paused".to_owned(),
            Self::Disabled(disabled) if disabled.is_pause() => {
                format!("{} at {}", disabled.reason, shown_time(disabled.at_ms))
            }
            Self::Failing { since_ms, disabled_in_ms: None } => {
                format!("failing since {}", shown_time(*since_ms))
            }
            Self::Failing { since_ms, disabled_in_ms: Some(left) } => format!(
                "failing since {} (disabled in {} unless an attempt succeeds)",
                shown_time(*since_ms),
                in_words(*left)
            ),
            Self::Disabled(disabled) => {
                format!("disabled since {}: {}", shown_time(disabled.at_ms), disabled.reason)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::deliveries::DestinationHealth;
    use deskbell_sync::status::Failure;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn state(health: DestinationHealth) -> String {
        let (name, routed) = ("crm".into(), Seq::new(3));
        let state = DestinationState { name, routed, dead_letters_total: 0, health };
        let rows =
            all(&Config::default(), vec![state], &[], Vec::new(), &ReconcileState::default());
        rows[1].view(Seq::new(7), 100 * HOUR).summary
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
        let paused = DestinationHealth {
            disabled: Some(Disabled::paused_by("ada", 90 * HOUR)),
            ..DestinationHealth::default()
        };
        for (health, wanted) in [
            (DestinationHealth::default(), "ok"),
            (
                failing,
                "failing since 1970-01-03T02:00:00.000Z (disabled in 2 days 22 hours unless an \
                 attempt succeeds)",
            ),
            (disabled, "disabled since 1970-01-04T18:00:00.000Z: 410 Gone"),
            (paused, "paused by ada at 1970-01-04T18:00:00.000Z"),
        ] {
            assert_eq!(state(health), wanted);
        }
    }

    fn mirror(status: MirrorStatus, now_ms: i64) -> DestinationView {
        let reported = Some(Reported { status, at_ms: 1_000 });
        let report = MirrorReport { destination: "mirror".to_owned(), reported };
        let rows =
            all(&Config::default(), Vec::new(), &[], vec![report], &ReconcileState::default());
        rows[0].view(Seq::new(9), now_ms)
    }

    #[test]
    fn those_of_the_config_come_first_and_a_mirror_says_how_far_it_is() {
        let view = without_store(&Config::default()).remove(0);
        let (name, kind) = (view.name.as_str(), view.destination_type.as_deref());
        assert_eq!((name, kind, view.enabled), ("mirror", Some("database"), Some(true)));
        assert_eq!((view.state, view.summary.as_str()), (State::NotStarted, "not started yet"));
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
        let view = mirror(status.clone(), 2_000);
        let waits = "waiting for the database since 1970-01-01T00:00:00.000Z: the mirror's \
                     database is not available: connection refused";
        assert_eq!((view.state, view.summary.as_str()), (State::Waiting, waits));
        assert_eq!((view.since, view.routed), (Some(Timestamp(0)), Some(5)));
        assert_eq!((view.lag_events, view.lag_seconds), (Some(4), Some(61)));
        assert_eq!((view.waiting_rows, view.dead_lettered), (Some(2), Some(1)));
        let view = mirror(status, HOUR);
        let gone = "not running: `deskbell serve` last reported at 1970-01-01T00:00:01.000Z";
        assert_eq!((view.state, view.summary.as_str()), (State::NotRunning, gone));
    }
}
