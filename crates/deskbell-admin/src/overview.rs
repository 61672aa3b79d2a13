//! Whether everything is well.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AdminError, AlertView, Caller, DestinationView, Timestamp};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    pub version: String,
    /// By the store's clock.
    pub now: Timestamp,
    /// The last event's number.
    pub head: i64,
    /// Events that were received in each minute of the last hour, in the order of time.
    pub minutes: Vec<MinuteCount>,
    /// Of this process, since it was started; `None` where there was no event yet, or no metrics.
    pub ack_latency: Option<AckLatency>,
    pub sources: Vec<SourceOverview>,
    /// Mirrors among them.
    pub destinations: Vec<DestinationView>,
    /// Messages that came more than once.
    pub duplicates: u64,
    pub refused: Vec<RefusedCount>,
    pub alerts: Vec<AlertView>,
}

impl Overview {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        let destinations = self.destinations.into_iter();
        self.destinations = destinations.map(|one| one.for_caller(caller)).collect();
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MinuteCount {
    pub from: Timestamp,
    pub events: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AckLatency {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// A source, and how regularly it sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceOverview {
    pub name: String,
    /// The paths that its webhooks come to.
    pub paths: Vec<String>,
    /// The whole address for Clerk's dashboard, where `public_url` is set.
    pub url: Option<String>,
    pub has_secret_key: bool,
    /// `None` where none ever came.
    pub last_event_at: Option<Timestamp>,
    /// Events in the last 24 hours.
    pub events_last_day: u64,
    /// Events an hour that came in the last week, where there were any.
    pub usual_per_hour: Option<f64>,
    /// Since when the silence is alarming.
    pub silent_since: Option<Timestamp>,
}

/// Requests that were refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RefusedCount {
    pub source: String,
    /// A short code, such as `no_match`.
    pub cause: String,
    pub requests: u64,
    /// What to do about it.
    pub help: String,
}

#[async_trait]
pub trait OverviewReader: Send + Sync {
    async fn overview(&self) -> Result<Overview, AdminError>;

    /// The conditions that were alerted about and have not ended, the oldest first.
    async fn open_alerts(&self) -> Result<Vec<AlertView>, AdminError>;
}
