//! How far messages were fetched: kept in the store.

use std::collections::BTreeMap;

use deskbell_store::clock::now_ms;
use deskbell_store::{Leases, StoreError};
use serde::{Deserialize, Serialize};

/// The consumer whose leader fetches; its report is how far.
pub(super) const PULL: &str = "message-pull";

/// How far the messages of every source were fetched.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PullState {
    pub sources: BTreeMap<String, PulledState>,
}

/// How far the messages of one source were fetched. Times of messages are the sender's, in milliseconds
/// since the Unix epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PulledState {
    /// Messages up to this time were there before the first fetch, and are not wanted; `None` before it.
    pub begun_at_ms: Option<i64>,
    /// The time of the newest message that was fetched.
    pub until_ms: i64,
    /// Since when messages cannot be fetched, by our clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failing_since_ms: Option<i64>,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The state of a running pull, in memory and in the store.
pub(super) struct Progress<'a> {
    store: &'a dyn Leases,
    state: PullState,
}

impl<'a> Progress<'a> {
    pub(super) fn new(store: &'a dyn Leases, state: PullState) -> Self {
        Self { store, state }
    }

    pub(super) fn of(&self, source: &str) -> PulledState {
        self.state.sources.get(source).cloned().unwrap_or_default()
    }

    /// Notes the state of a source, and writes it.
    pub(super) async fn note(
        &mut self,
        source: &str,
        state: PulledState,
    ) -> Result<(), StoreError> {
        if self.state.sources.get(source) == Some(&state) {
            return Ok(());
        }
        self.state.sources.insert(source.to_owned(), state);
        // Strings and numbers: it cannot fail.
        let body = serde_json::to_string(&self.state).unwrap_or_default();
        self.store.publish_report(PULL, &body).await?;
        Ok(())
    }

    /// Notes that messages cannot be fetched. Where that cannot be written, the next failure is.
    pub(super) async fn note_failure(&mut self, source: &str, error: &str) {
        let before = self.of(source);
        let failing_since_ms = before.failing_since_ms.or_else(|| Some(now_ms()));
        let error = Some(error.to_owned());
        let state = PulledState { failing_since_ms, error, ..before };
        if let Err(error) = self.note(source, state).await {
            let error = &error as &dyn std::error::Error;
            tracing::debug!(error, "a failure to fetch messages was not kept");
        }
    }
}

/// How far messages were fetched; `None` where none ever were.
///
/// # Errors
/// The store could not be read.
pub async fn read_pull_state(store: &dyn Leases) -> Result<Option<PullState>, StoreError> {
    let report = store.latest_report(PULL).await?;
    Ok(report.and_then(|report| serde_json::from_str(&report.body).ok()))
}
