//! Destinations of every type: how they are, and what is pending for them.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::mask::mask_error;
use crate::{AdminError, Caller, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DestinationState {
    /// A mirror that has all of the log.
    Following,
    /// A mirror that applies what it does not have yet.
    Behind,
    /// A mirror that cannot go on, and tries again.
    Waiting,
    /// A mirror that goes on, but for some tables or statements.
    Blocked,
    /// No process runs it.
    NotRunning,
    NotStarted,
    Ok,
    /// Every attempt has failed lately.
    Failing,
    /// Nothing is sent to it since it kept failing, or said that it is gone.
    Disabled,
    /// Nothing is sent to it since somebody paused it.
    Paused,
}

impl DestinationState {
    /// Whether all is as it should be.
    #[must_use]
    pub fn is_well(self) -> bool {
        matches!(self, Self::Following | Self::Behind | Self::Ok)
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Following => "following",
            Self::Behind => "behind",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::NotRunning => "not_running",
            Self::NotStarted => "not_started",
            Self::Ok => "ok",
            Self::Failing => "failing",
            Self::Disabled => "disabled",
            Self::Paused => "paused",
        }
    }
}

/// A destination, as `deskbell destinations --json` has it, and where it is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DestinationView {
    pub name: String,
    /// `database`, `http`, `email`, …; `None` where only the store knows it: a function's, or one that
    /// is no longer in the config.
    #[serde(rename = "type")]
    pub destination_type: Option<String>,
    pub enabled: Option<bool>,
    pub state: DestinationState,
    /// The state in a sentence, with what comes next.
    #[serde(default)]
    pub summary: String,
    pub since: Option<Timestamp>,
    pub disabled_in_seconds: Option<i64>,
    pub reason: Option<String>,
    pub head: i64,
    pub routed: Option<i64>,
    pub pending: Option<u64>,
    pub dead_lettered: Option<u64>,
    pub oldest_received_at: Option<Timestamp>,
    pub lag_events: Option<u64>,
    pub lag_seconds: Option<u64>,
    pub waiting_rows: Option<u64>,
    pub reported_at: Option<Timestamp>,
    pub reconciled: Option<ReconciledView>,
    /// Whether it is declared in the config file (`true`), or was made through the API.
    #[serde(default)]
    pub read_only: bool,
    /// Where it sends, in a line without secrets.
    #[serde(default)]
    pub receiver: Option<String>,
    /// Its effective settings, secrets redacted; `null` where there are none.
    #[serde(default)]
    pub settings: Value,
}

impl DestinationView {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        let reason = self.reason.clone();
        // That it is paused, nobody but Deskbell says.
        if self.state != DestinationState::Paused {
            mask_error(caller, &mut self.reason);
        }
        if let (Some(reason), Some(shown)) = (reason, &self.reason) {
            self.summary = self.summary.replace(&reason, shown);
        }
        self
    }
}

/// What the last comparison of a mirror with Clerk found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ReconciledView {
    pub started_at: Timestamp,
    pub repaired: u64,
    pub left: u64,
    pub complete: bool,
}

/// Attempts at a destination over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DestinationStats {
    pub since: Timestamp,
    pub until: Timestamp,
    /// Deliveries that are pending now.
    pub pending: u64,
    pub delivered: u64,
    pub failed: u64,
    /// In the order of time, the empty ones too.
    pub buckets: Vec<StatsBucket>,
    /// Whether all attempts of that time were counted; older ones than these were left out.
    pub complete: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct StatsBucket {
    pub from: Timestamp,
    pub delivered: u64,
    pub failed: u64,
}

#[async_trait]
pub trait Destinations: Send + Sync {
    async fn destinations(&self) -> Result<Vec<DestinationView>, AdminError>;

    async fn destination(&self, name: &str) -> Result<DestinationView, AdminError>;

    /// Sends nothing to it until it is resumed; what is for it is kept.
    async fn pause(&self, caller: &Caller, name: &str) -> Result<(), AdminError>;

    /// Sends to it again, also if it was disabled.
    async fn resume(&self, caller: &Caller, name: &str) -> Result<(), AdminError>;

    /// The attempts at it in a time, in so many equal buckets, at most 100.
    async fn destination_stats(
        &self,
        name: &str,
        since: Timestamp,
        until: Timestamp,
        buckets: u32,
    ) -> Result<DestinationStats, AdminError>;

    /// Sends a sample of this type to this destination alone, and returns its message id.
    async fn send_example(
        &self,
        caller: &Caller,
        name: &str,
        event_type: &str,
    ) -> Result<String, AdminError>;
}
