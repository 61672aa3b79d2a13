//! What the command line asks a running `serve` to fill.

use std::time::Duration;

use deskbell_store::{Leases, StoreError};
use serde::{Deserialize, Serialize};

use crate::backfill::read_backfill_state;

/// The consumer whose report is the last request.
const REQUESTS: &str = "backfill-requests";
/// How long a process that writes a request keeps others from writing one.
const LEASE: Duration = Duration::from_secs(5);

/// What to fill.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackfillRequest {
    /// Later requests have greater numbers.
    #[serde(default)]
    pub number: i64,
    /// The entities; empty: all.
    pub entities: Vec<String>,
    /// The destinations; empty: all.
    pub destinations: Vec<String>,
    /// From the beginning, also what is on its way.
    pub again: bool,
    /// Events to make instead of filling mirrors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emit: Option<EmitRequest>,
}

/// Events to make of what Clerk has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmitRequest {
    pub event_type: String,
    /// The sources whose objects are read.
    pub sources: Vec<String>,
    /// The destinations that get the events; nobody else does.
    pub destinations: Vec<String>,
}

impl BackfillRequest {
    /// Whether it is about this destination.
    #[must_use]
    pub fn names(&self, destination: &str) -> bool {
        self.destinations.is_empty() || self.destinations.iter().any(|name| name == destination)
    }
}

/// Leaves a request for the process that fills mirrors; its number. `None` while another one waits or
/// runs.
///
/// # Errors
/// The store failed; the request was perhaps not left.
pub async fn request_backfill(
    store: &dyn Leases,
    request: BackfillRequest,
) -> Result<Option<i64>, StoreError> {
    if !store.renew_lease(REQUESTS, LEASE).await? {
        return Ok(None);
    }
    let before = last_request(store).await?.map_or(0, |request| request.number);
    let done = read_backfill_state(store).await?.map_or(0, |state| state.request);
    if before > done {
        store.release_lease(REQUESTS).await?;
        return Ok(None);
    }
    let request = BackfillRequest { number: before + 1, ..request };
    // Strings and numbers: it cannot fail.
    let body = serde_json::to_string(&request).unwrap_or_default();
    let is_left = store.publish_report(REQUESTS, &body).await?;
    store.release_lease(REQUESTS).await?;
    Ok(is_left.then_some(request.number))
}

pub(super) async fn last_request(
    store: &dyn Leases,
) -> Result<Option<BackfillRequest>, StoreError> {
    let report = store.latest_report(REQUESTS).await?;
    Ok(report.and_then(|report| serde_json::from_str(&report.body).ok()))
}
