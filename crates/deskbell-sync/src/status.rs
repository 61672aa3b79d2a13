//! The status of a mirror: its state, its lag, and what waits.
//!
//! The consumer reports what it alone knows to the event log's store, where other processes
//! read it also while the mirror's database is away. How far the mirror is behind is computed by
//! whoever asks, from the log.

use std::fmt;

use clerk_webhooks::UnixMillis;
use deskbell_store::clock;
use deskbell_store::{ConsumerLog, ReadLimit, Seq, StoreError};
use serde::{Deserialize, Serialize};

/// Reports that are older than this say nothing about now: the consumer reports more often.
const REPORT_AGE_MAX_MS: i64 = 90_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorStatus {
    pub state: MirrorState,
    /// The last event of the log that it has.
    pub seq: Seq,
    /// The events of the log that it does not have, those behind a blocked part among them.
    pub lag_events: u64,
    /// How long ago the oldest of these was received, in seconds.
    pub lag_seconds: u64,
    /// The events and rows that failed permanently.
    pub dead_letters: u64,
    /// The rows and statements that the database refuses for now, and that are tried again.
    pub waiting_rows: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MirrorState {
    /// It has all of the log.
    Following,
    /// It applies what it does not have yet.
    Behind,
    /// It cannot go on, and tries again.
    Waiting(Failure),
    /// It goes on, but for these tables and statements.
    Blocked(Vec<BlockedPart>),
}

/// Why a mirror cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Since when, in milliseconds since the Unix epoch. A restart keeps it.
    pub since_ms: i64,
    /// What failed, in our words: safe to show to strangers.
    pub error: String,
    pub cause: Option<String>,
    /// Whether it is Clerk's API that cannot be read, and not the database.
    #[serde(default)]
    pub is_of_clerk: bool,
}

/// A table or a statement that the database refuses whatever the row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockedPart {
    /// The mirror's table, the mapped table, or the statement.
    pub name: String,
    /// The last event of the log that it has.
    pub seq: i64,
    /// Since when, in milliseconds since the Unix epoch.
    pub since_ms: Option<i64>,
    pub reason: String,
}

/// A status that another process reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// How the mirror was then; the lag is that of now.
    pub status: MirrorStatus,
    /// When, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}

/// The consumer's own report, as the store keeps it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StatusReport {
    #[serde(default)]
    pub(crate) seq: i64,
    #[serde(default)]
    pub(crate) failure: Option<Failure>,
    #[serde(default)]
    pub(crate) blocked: Vec<BlockedPart>,
    #[serde(default)]
    pub(crate) dead_letters: u64,
    #[serde(default)]
    pub(crate) waiting_rows: u64,
}

/// A mirror's name among the log's consumers: one of its own, as destinations of other kinds have
/// consumers too.
pub(crate) fn consumer_name(destination: &str) -> String {
    format!("sync:{destination}")
}

/// The last report of this destination's consumer; `None` where there is none yet.
///
/// # Errors
/// The store could not be read.
pub async fn reported(
    store: &dyn ConsumerLog,
    destination: &str,
) -> Result<Option<Reported>, StoreError> {
    let Some(report) = store.latest_report(&consumer_name(destination)).await? else {
        return Ok(None);
    };
    let Some(facts) = StatusReport::read(&report.body) else { return Ok(None) };
    Ok(Some(Reported { status: facts.status(store).await?, at_ms: report.at_ms }))
}

impl Reported {
    /// Whether this is how the mirror is at `now_ms`; otherwise nobody runs it.
    #[must_use]
    pub fn is_current(&self, now_ms: i64) -> bool {
        now_ms.saturating_sub(self.at_ms) <= REPORT_AGE_MAX_MS
    }

    /// Why the mirror does not move, where the report is not current.
    #[must_use]
    pub fn not_running(&self) -> String {
        format!("not running: `deskbell serve` last reported at {}", time(self.at_ms))
    }
}

impl StatusReport {
    /// `None` where a later version wrote something else.
    pub(crate) fn read(body: &str) -> Option<Self> {
        serde_json::from_str(body).ok()
    }

    /// The status, given the log as it is now.
    pub(crate) async fn status(self, store: &dyn ConsumerLog) -> Result<MirrorStatus, StoreError> {
        let (lag_events, lag_seconds) = lag(store, self.has_all_up_to()).await?;
        let state = match self {
            Self { failure: Some(failure), .. } => MirrorState::Waiting(failure),
            Self { blocked, .. } if !blocked.is_empty() => MirrorState::Blocked(blocked),
            _ if lag_events > 0 => MirrorState::Behind,
            _ => MirrorState::Following,
        };
        let (seq, dead_letters, waiting_rows) =
            (Seq::new(self.seq), self.dead_letters, self.waiting_rows);
        Ok(MirrorStatus { state, seq, lag_events, lag_seconds, dead_letters, waiting_rows })
    }

    fn has_all_up_to(&self) -> Seq {
        let blocked = self.blocked.iter().map(|part| part.seq);
        Seq::new(blocked.fold(self.seq, i64::min))
    }
}

/// The events behind `seq`, and how many seconds ago the first of them was received.
async fn lag(store: &dyn ConsumerLog, seq: Seq) -> Result<(u64, u64), StoreError> {
    let events = store.head().await?.distance_from(seq);
    if events == 0 {
        return Ok((0, 0));
    }
    // One: a read gives at least that.
    let first = store.read(seq, ReadLimit { events_max: 1, bytes_max: 1 }).await?;
    // What was pruned is not waited for.
    let Some(first) = first.first() else { return Ok((0, 0)) };
    let waited_ms = clock::now_ms().saturating_sub(first.received_at_ms);
    Ok((events, u64::try_from(waited_ms / 1_000).unwrap_or(0)))
}

impl MirrorState {
    /// The names of all states.
    pub const NAMES: [&str; 4] = ["following", "behind", "waiting", "blocked"];

    /// In one word.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let [following, behind, waiting, blocked] = Self::NAMES;
        match self {
            Self::Following => following,
            Self::Behind => behind,
            Self::Waiting(_) => waiting,
            Self::Blocked(_) => blocked,
        }
    }

    /// Since when it has been so, in milliseconds since the Unix epoch, where that matters.
    #[must_use]
    pub fn since_ms(&self) -> Option<i64> {
        match self {
            Self::Following | Self::Behind => None,
            Self::Waiting(failure) => Some(failure.since_ms),
            Self::Blocked(parts) => parts.iter().filter_map(|part| part.since_ms).min(),
        }
    }

    /// Why, where it does not go on as it should.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Following | Self::Behind => None,
            Self::Waiting(failure) => Some(failure.to_string()),
            Self::Blocked(parts) => {
                let parts = parts
                    .iter()
                    .map(|BlockedPart { name, reason, .. }| format!("{name}, {reason}"));
                Some(parts.collect::<Vec<_>>().join("; "))
            }
        }
    }
}

impl fmt::Display for MirrorState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Following | Self::Behind => f.write_str(self.name()),
            Self::Waiting(failure) => {
                let what = if failure.is_of_clerk { "Clerk's API" } else { "the database" };
                write!(f, "waiting for {what} since {}: {failure}", time(failure.since_ms))
            }
            Self::Blocked(_) => {
                write!(f, "blocked: {}", self.reason().unwrap_or_default())
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.error)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

fn time(at_ms: i64) -> String {
    UnixMillis::from_millis(at_ms).map_or_else(|| format!("{at_ms} ms"), |at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure() -> Failure {
        Failure {
            since_ms: 0,
            error: "the mirror's database is not available".to_owned(),
            cause: Some("connection refused".to_owned()),
            is_of_clerk: false,
        }
    }

    fn blocked(name: &str) -> BlockedPart {
        BlockedPart {
            name: name.to_owned(),
            seq: 3,
            since_ms: Some(0),
            reason: "permission denied".to_owned(),
        }
    }

    #[test]
    fn a_state_says_since_when_and_why() {
        let blocked = MirrorState::Blocked(vec![blocked("clerk.users"), blocked("clerk.roles")]);
        for (state, name, said) in [
            (MirrorState::Following, "following", "following"),
            (MirrorState::Behind, "behind", "behind"),
            (
                MirrorState::Waiting(failure()),
                "waiting",
                "waiting for the database since 1970-01-01T00:00:00.000Z: the mirror's database is \
                 not available: connection refused",
            ),
            (
                MirrorState::Waiting(Failure { is_of_clerk: true, cause: None, ..failure() }),
                "waiting",
                "waiting for Clerk's API since 1970-01-01T00:00:00.000Z: the mirror's database is \
                 not available",
            ),
            (
                blocked,
                "blocked",
                "blocked: clerk.users, permission denied; clerk.roles, permission denied",
            ),
        ] {
            assert_eq!((state.name(), &*state.to_string()), (name, said));
        }
    }

    #[test]
    fn facts_survive_their_own_text_and_what_a_later_version_adds() {
        let facts = StatusReport {
            seq: 7,
            failure: Some(failure()),
            blocked: vec![blocked("clerk.users")],
            dead_letters: 1,
            waiting_rows: 2,
        };
        let body = serde_json::to_string(&facts).unwrap();
        assert_eq!(StatusReport::read(&body).as_ref(), Some(&facts));
        assert_eq!(facts.has_all_up_to(), Seq::new(3), "the blocked part lags");
        let later = StatusReport::read(r#"{ "seq": 7, "other": 1 }"#);
        assert_eq!(later, Some(StatusReport { seq: 7, ..StatusReport::default() }));
        assert_eq!(StatusReport::read("no JSON"), None);
    }
}
