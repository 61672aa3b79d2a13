//! A destination as `deskbell destinations` shows it.

use deskbell_store::Seq;
use deskbell_store::deliveries::{Backlog, DestinationHealth, DestinationState};
use serde_json::{Value, json};

use crate::cli::time::{in_words, millis, shown};
use crate::config::{Config, DestinationConfig, DestinationKind};

/// What stands where there is nothing to say.
const NOTHING: &str = "-";

/// A destination: what the config says of it, and what the store does.
pub(super) struct Row {
    name: String,
    /// `None` where it is not in the config: a function's, or one that was taken out.
    configured: Option<Configured>,
    /// `None` where it was never started, or is a database.
    stored: Option<Stored>,
    /// After how long a failing one is disabled.
    disable_after_ms: Option<i64>,
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

/// How it is, in one word; why and since when is told beside it.
enum Condition<'a> {
    Mirror,
    NotStarted,
    Ok,
    Failing { since_ms: i64, disabled_in_ms: Option<i64> },
    Disabled { since_ms: i64, reason: &'a str },
}

/// Those of the config in its order, then those that only the store knows.
pub(super) fn all(
    config: &Config,
    mut states: Vec<DestinationState>,
    backlogs: &[Backlog],
) -> Vec<Row> {
    let disable_after_ms = config.alerts.disable_after.map(|time| millis(time.0));
    let mut rows = Vec::new();
    for destination in &config.destinations {
        let configured = Configured::new(destination);
        let at = states.iter().position(|state| *state.name == *destination.name);
        let state = at.map(|at| states.remove(at)).filter(|_| !configured.is_database);
        rows.push(Row {
            name: destination.name.clone(),
            configured: Some(configured),
            stored: state.map(|state| Stored::new(state, backlogs)),
            disable_after_ms,
        });
    }
    rows.extend(states.into_iter().map(|state| Row {
        name: state.name.to_string(),
        configured: None,
        stored: Some(Stored::new(state, backlogs)),
        disable_after_ms,
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
        if self.configured.as_ref().is_some_and(|configured| configured.is_database) {
            return Condition::Mirror;
        }
        let Some(stored) = &self.stored else { return Condition::NotStarted };
        let DestinationHealth { first_failure_at_ms, failing_since_ms, disabled, .. } =
            &stored.state.health;
        if let Some(disabled) = disabled {
            return Condition::Disabled { since_ms: disabled.at_ms, reason: &disabled.reason };
        }
        let Some(since_ms) = first_failure_at_ms.or(*failing_since_ms) else {
            return Condition::Ok;
        };
        let ends = failing_since_ms.zip(self.disable_after_ms);
        let left = ends.map(|(since_ms, after_ms)| since_ms.saturating_add(after_ms) - now_ms);
        Condition::Failing { since_ms, disabled_in_ms: left.map(|left| left.max(0)) }
    }

    /// The cells of a table: name, type, enabled, routed, pending, dead, oldest, state.
    pub(super) fn cells(&self, head: Seq, now_ms: i64) -> [String; 8] {
        let stored = |text: &dyn Fn(&Stored) -> String| {
            self.stored.as_ref().map_or_else(|| NOTHING.to_owned(), text)
        };
        let configured = self.configured.as_ref();
        let enabled = configured.map(|one| if one.enabled { "yes" } else { "no" });
        let oldest = |stored: &Stored| {
            let age = stored.oldest_received_at_ms.map(|at_ms| in_words(now_ms - at_ms));
            age.unwrap_or_else(|| NOTHING.to_owned())
        };
        [
            self.name.clone(),
            configured.map_or(NOTHING, |one| one.destination_type).to_owned(),
            enabled.unwrap_or("not in the config").to_owned(),
            stored(&|stored| format!("{} of {head}", stored.state.routed)),
            stored(&|stored| stored.pending.to_string()),
            stored(&|stored| stored.dead_lettered.to_string()),
            stored(&oldest),
            self.condition(now_ms).in_words(),
        ]
    }

    pub(super) fn json(&self, head: Seq, now_ms: i64) -> Value {
        let stored = self.stored.as_ref();
        let configured = self.configured.as_ref();
        let oldest = stored.and_then(|stored| stored.oldest_received_at_ms);
        let condition = self.condition(now_ms);
        let (since_ms, disabled_in_ms, reason) = match condition {
            Condition::Failing { since_ms, disabled_in_ms } => {
                (Some(since_ms), disabled_in_ms, None)
            }
            Condition::Disabled { since_ms, reason } => (Some(since_ms), None, Some(reason)),
            _ => (None, None, None),
        };
        json!({
            "name": self.name,
            "type": configured.map(|one| one.destination_type),
            "enabled": configured.map(|one| one.enabled),
            "state": condition.name(),
            "since": since_ms.map(shown),
            "disabled_in_seconds": disabled_in_ms.map(|left| left / 1_000),
            "reason": reason,
            "routed": stored.map(|stored| stored.state.routed.get()),
            "head": head.get(),
            "pending": stored.map(|stored| stored.pending),
            "dead_lettered": stored.map(|stored| stored.dead_lettered),
            "oldest_received_at": oldest.map(shown),
        })
    }
}

impl Condition<'_> {
    fn name(&self) -> &'static str {
        match self {
            Self::Mirror => "mirror",
            Self::NotStarted => "not_started",
            Self::Ok => "ok",
            Self::Failing { .. } => "failing",
            Self::Disabled { .. } => "disabled",
        }
    }

    fn in_words(&self) -> String {
        match self {
            Self::Mirror => "mirror".to_owned(),
            Self::NotStarted => "not started yet".to_owned(),
            Self::Ok => "ok".to_owned(),
            Self::Failing { since_ms, disabled_in_ms: None } => {
                format!("failing since {}", shown(*since_ms))
            }
            Self::Failing { since_ms, disabled_in_ms: Some(left) } => format!(
                "failing since {} (disabled in {} unless it works)",
                shown(*since_ms),
                in_words(*left)
            ),
            Self::Disabled { since_ms, reason } => {
                format!("disabled since {}: {reason}", shown(*since_ms))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use deskbell_store::deliveries::Disabled;

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn state(health: DestinationHealth) -> String {
        let state = DestinationState { name: "crm".into(), routed: Seq::new(3), health };
        let rows = all(&Config::default(), vec![state], &[]);
        rows[1].cells(Seq::new(7), 100 * HOUR)[7].clone()
    }

    #[test]
    fn how_it_is_is_told_with_how_it_goes_on() {
        let failing = DestinationHealth {
            first_failure_at_ms: Some(50 * HOUR),
            ..DestinationHealth::default()
        };
        let counted = DestinationHealth { failing_since_ms: Some(62 * HOUR), ..failing.clone() };
        let disabled = DestinationHealth {
            disabled: Some(Disabled { at_ms: 90 * HOUR, reason: "410 Gone".to_owned() }),
            ..counted.clone()
        };
        for (health, wanted) in [
            (DestinationHealth::default(), "ok"),
            (failing, "failing since 1970-01-03T02:00:00.000Z"),
            (
                counted,
                "failing since 1970-01-03T02:00:00.000Z (disabled in 3 days 10 hours unless it \
                 works)",
            ),
            (disabled, "disabled since 1970-01-04T18:00:00.000Z: 410 Gone"),
        ] {
            assert_eq!(state(health), wanted);
        }
    }

    #[test]
    fn those_of_the_config_come_first_and_a_mirror_has_no_backlog() {
        let rows = all(&Config::default(), Vec::new(), &[]);
        let cells = rows[0].cells(Seq::ZERO, 0);
        assert_eq!(cells, ["mirror", "database", "yes", "-", "-", "-", "-", "mirror"]);
    }
}
