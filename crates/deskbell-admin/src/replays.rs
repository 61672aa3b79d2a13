//! Sending events of the log again.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AdminError, Caller, EventQuery, Timestamp};

/// What to send again: exactly one of `message_id`, `dead_lettered_since`, `missing_since` and
/// `matching`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplayRequest {
    /// One event, whatever became of it.
    pub message_id: Option<String>,
    /// With `message_id`: the event of this source only. Default: of every source that has one.
    pub source: Option<String>,
    /// Deliveries that failed permanently since this time.
    pub dead_lettered_since: Option<Timestamp>,
    /// Events received since this time that a destination takes but never had a delivery for.
    pub missing_since: Option<Timestamp>,
    /// Every event that a search finds, whatever became of it.
    #[schema(value_type = Option<Object>)]
    pub matching: Option<EventQuery>,
    /// To this destination only.
    pub destination: Option<String>,
    pub types: Option<Vec<String>>,
    pub subject: Option<String>,
    /// At most this many deliveries.
    pub limit: Option<u64>,
    /// Only count.
    pub dry_run: bool,
}

/// A replay, and how far it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReplayStatus {
    /// By what it is asked about; `None` for a dry run.
    pub id: Option<i64>,
    /// Deliveries that are pending again; with `dry_run`, that would be.
    pub deliveries: u64,
    /// Events that were looked at, where the replay is of what a search finds.
    pub events: u64,
    /// Whether it has ended, also where it failed.
    pub done: bool,
    /// Why it stopped before its end. What it had sent until then stays sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Whether a dry run stopped counting: there are more.
    pub more: bool,
}

#[async_trait]
pub trait Replays: Send + Sync {
    /// Begins a replay, or counts what it would send. Where it is quick it is done when this returns.
    async fn replay(
        &self,
        caller: &Caller,
        request: ReplayRequest,
    ) -> Result<ReplayStatus, AdminError>;

    async fn replay_status(&self, id: i64) -> Result<ReplayStatus, AdminError>;
}
