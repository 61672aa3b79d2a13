//! Replays: sending events of the log again.

use axum::extract::State;
use deskbell_admin::{ReplayRequest, ReplayStatus};
use http::StatusCode;

use super::extract::{Answer, Answered, Api, By, JsonBody, Segment};
use super::query::{NoParams, Params};
use crate::problem::Problem;

/// Sends events of the log again, or counts them.
#[utoipa::path(post, path = "/api/v1/replay", tag = "Replays", request_body = ReplayRequest,
    responses((status = 200, description = "The replay is done", body = ReplayStatus),
        (status = 202, description = "The replay goes on", body = ReplayStatus), Problem))]
pub(super) async fn create_replay(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(request): JsonBody<ReplayRequest>,
) -> Answered<ReplayStatus> {
    let status = api.admin.replay(&caller, request).await?;
    let code = if status.done { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(Answer(code, status))
}

/// How far a replay is.
#[utoipa::path(get, path = "/api/v1/replays/{id}", tag = "Replays",
    params(("id" = i64, Path, description = "The `id` of the replay")),
    responses((status = 200, description = "The replay", body = ReplayStatus), Problem))]
pub(super) async fn get_replay(
    State(api): State<Api>,
    Segment(id): Segment,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<ReplayStatus> {
    let id = id.parse().map_err(|_| Problem::not_found(format!("replay `{id}` not found")))?;
    Ok(Answer::ok(api.admin.replay_status(id).await?))
}
