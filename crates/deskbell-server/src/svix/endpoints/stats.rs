//! How many attempts at an endpoint succeeded and failed.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{DestinationStats, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::svix::api::Api;
use crate::svix::errors::{ApiError, Part};
use crate::svix::query::Query;
use crate::svix::replies::ok;
use crate::svix::time;

/// How far back is looked where nothing else is said.
const SPAN_DEFAULT: Duration = Duration::from_secs(28 * 24 * 60 * 60);

/// Attempts in the time that was asked for; `pending` is of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndpointStats)]
pub(in crate::svix) struct StatsOut {
    success: u64,
    pending: u64,
    /// Always 0: what is being sent is pending.
    sending: u64,
    fail: u64,
    /// Always 0: nothing is cancelled.
    canceled: u64,
}

/// Attempts in the time that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndpointAttemptStats)]
pub(in crate::svix) struct AttemptStatsOut {
    success: u64,
    fail: u64,
    /// Always 0: nothing is cancelled.
    canceled: u64,
}

/// Count the attempts at an endpoint, and what is pending for it.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats", tag = "Endpoint",
    params(
        ("app_id" = String, Path), ("endpoint_id" = String, Path),
        ("since" = Option<Timestamp>, Query, description = "28 days before `until` where nothing is said"),
        ("until" = Option<Timestamp>, Query, description = "now where nothing is said"),
    ),
    responses((status = 200, body = StatsOut)),
)]
pub(in crate::svix) async fn get(
    State(api): State<Api>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    let stats = count(&api, &app_id, &endpoint_id, query).await?;
    Ok(ok(&StatsOut {
        success: stats.delivered,
        pending: stats.pending,
        sending: 0,
        fail: stats.failed,
        canceled: 0,
    }))
}

/// Count the attempts at an endpoint.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/attempt-stats", tag = "Endpoint",
    params(
        ("app_id" = String, Path), ("endpoint_id" = String, Path),
        ("since" = Option<Timestamp>, Query, description = "28 days before `until` where nothing is said"),
        ("until" = Option<Timestamp>, Query, description = "now where nothing is said"),
    ),
    responses((status = 200, body = AttemptStatsOut)),
)]
pub(in crate::svix) async fn of_attempts(
    State(api): State<Api>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    query: Query,
) -> Result<Response, ApiError> {
    let stats = count(&api, &app_id, &endpoint_id, query).await?;
    Ok(ok(&AttemptStatsOut { success: stats.delivered, fail: stats.failed, canceled: 0 }))
}

async fn count(
    api: &Api,
    app_id: &str,
    endpoint_id: &str,
    mut query: Query,
) -> Result<DestinationStats, ApiError> {
    let (since, until) = (query.time("since")?, query.time("until")?);
    query.end()?;
    let until = until.unwrap_or_else(time::now);
    let since = since.unwrap_or_else(|| time::earlier(until, SPAN_DEFAULT));
    if since >= until {
        return Err(ApiError::invalid(Part::Query, "since", "expected a time before `until`"));
    }
    let (_, endpoint) = api.endpoint(app_id, endpoint_id).await?;
    Ok(api.admin().destination_stats(&endpoint.id, since, until, 1).await?)
}
