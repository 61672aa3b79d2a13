//! Sending messages to an endpoint again.

pub(super) mod tasks;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, DeliveryStateFilter, EventQuery, ReplayRequest, Timestamp};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json as object;
use utoipa::ToSchema;

use self::tasks::{Task, TaskOut};
use super::api::Api;
use super::body::Body;
use super::errors::{ApiError, Part};
use super::replies::json;
use super::status::MessageStatus;
use super::time;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecoverIn)]
pub(super) struct RecoverIn {
    /// Messages that were received at this time or later.
    since: Timestamp,
    /// And before this time.
    #[serde(default)]
    until: Option<Timestamp>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = BulkReplayIn)]
pub(super) struct BulkReplayIn {
    since: Timestamp,
    #[serde(default)]
    until: Option<Timestamp>,
    /// Types, or patterns such as `user.*`; null for all.
    #[serde(default)]
    event_types: Option<Vec<String>>,
    /// 1 or 3 for pending messages, 2 for failed ones; null for all.
    #[serde(default)]
    status: Option<u16>,
    /// Must be null.
    #[serde(default)]
    channel: Option<String>,
    /// Must be null.
    #[serde(default)]
    tag: Option<String>,
    /// Must be null.
    #[serde(default)]
    status_code_class: Option<u16>,
}

/// Send to an endpoint again what failed permanently.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/recover", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = RecoverIn,
    responses((status = 202, body = TaskOut)),
)]
pub(super) async fn recover(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<RecoverIn>,
) -> Result<Response, ApiError> {
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    let failed = EventQuery {
        source: Some(source),
        since: Some(wanted.since),
        until: wanted.until,
        state: Some(DeliveryStateFilter::DeadLettered),
        destination: Some(endpoint.id.clone()),
        ..EventQuery::default()
    };
    begin(&api, &caller, Task::Recover, matching(failed, endpoint.id)).await
}

/// Send to an endpoint what it takes and never had.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/replay-missing", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = RecoverIn,
    responses((status = 202, body = TaskOut)),
)]
pub(super) async fn replay_missing(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<RecoverIn>,
) -> Result<Response, ApiError> {
    let (_, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    if wanted.until.is_some_and(|until| until < time::now()) {
        let message =
            "expected null, or a time that has not come: what is missing is sent up to now";
        return Err(ApiError::invalid(Part::Body, "until", message));
    }
    let request = ReplayRequest {
        missing_since: Some(wanted.since),
        destination: Some(endpoint.id),
        ..ReplayRequest::default()
    };
    begin(&api, &caller, Task::Replay, request).await
}

/// Send messages to an endpoint again, whatever became of them.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/bulk-replay", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = BulkReplayIn,
    responses((status = 202, body = TaskOut)),
)]
pub(super) async fn bulk_replay(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<BulkReplayIn>,
) -> Result<Response, ApiError> {
    let state = wanted.state()?;
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    let messages = EventQuery {
        source: Some(source),
        types: wanted.event_types.unwrap_or_default(),
        since: Some(wanted.since),
        until: wanted.until,
        destination: state.map(|_| endpoint.id.clone()),
        state,
        ..EventQuery::default()
    };
    begin(&api, &caller, Task::BulkReplay, matching(messages, endpoint.id)).await
}

/// Send a message to an endpoint again.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend",
    tag = "Message attempt",
    params(
        ("app_id" = String, Path), ("msg_id" = String, Path), ("endpoint_id" = String, Path),
    ),
    responses((status = 202, body = Object)),
)]
pub(super) async fn resend(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, message_id, endpoint_id)): Path<(String, String, String)>,
) -> Result<Response, ApiError> {
    let event = api.message(&app_id, &message_id).await?;
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    // Another source may have a message with the same id.
    let message = EventQuery {
        message_id: Some(event.message_id),
        source: Some(source),
        limit: 1,
        ..EventQuery::default()
    };
    let resent = api.admin().replay(&caller, matching(message, endpoint.id)).await?;
    if resent.done && resent.deliveries == 0 {
        let reason = "the message was not sent: its payload is no longer in the log, or the endpoint \
                      takes no messages of this source";
        return Err(ApiError::conflict(reason));
    }
    Ok(json(StatusCode::ACCEPTED, &object!({})))
}

impl BulkReplayIn {
    fn state(&self) -> Result<Option<DeliveryStateFilter>, ApiError> {
        let unsupported = [
            ("channel", self.channel.is_some()),
            ("tag", self.tag.is_some()),
            ("statusCodeClass", self.status_code_class.is_some()),
        ];
        if let Some((name, _)) = unsupported.iter().find(|(_, is_given)| *is_given) {
            return Err(ApiError::invalid(Part::Body, name, "Deskbell does not support it"));
        }
        let Some(status) = self.status else { return Ok(None) };
        match MessageStatus::of_number(status) {
            Some(MessageStatus::Pending | MessageStatus::Sending) => {
                Ok(Some(DeliveryStateFilter::Pending))
            }
            Some(MessageStatus::Fail) => Ok(Some(DeliveryStateFilter::DeadLettered)),
            _ => {
                let message = "expected 1 or 3 for pending, 2 for failed, or null for all";
                Err(ApiError::invalid(Part::Body, "status", message))
            }
        }
    }
}

fn matching(messages: EventQuery, destination: String) -> ReplayRequest {
    ReplayRequest {
        matching: Some(messages),
        destination: Some(destination),
        ..ReplayRequest::default()
    }
}

async fn begin(
    api: &Api,
    caller: &Caller,
    task: Task,
    request: ReplayRequest,
) -> Result<Response, ApiError> {
    let begun = api.admin().replay(caller, request).await?;
    Ok(json(StatusCode::ACCEPTED, &TaskOut::of(task, &begun)))
}
