//! Destinations, attempts at them, and mirrors.

use axum::extract::State;
use deskbell_admin::{
    AttemptPage, AttemptQuery, AttemptResult, DestinationStats, DestinationView, MirrorView,
    Timestamp,
};
use deskbell_store::clock::now_ms;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::extract::{Answer, Answered, Api, By, JsonBody, Segment};
use super::query::{FromQuery, NoParams, Params, Query};
use crate::problem::Problem;

/// Attempts of a page where nothing else is said, and the most.
const ATTEMPTS_DEFAULT: u32 = 50;
const ATTEMPTS_MAX: u32 = 500;
/// Buckets where nothing else is said, and the most.
const BUCKETS_DEFAULT: u32 = 24;
const BUCKETS_MAX: u32 = 100;
/// The time of the attempts that are counted where nothing else is said.
const STATS_TIME_MS: i64 = 24 * 3_600_000;

const RESULTS: &[(&str, AttemptResult)] =
    &[("delivered", AttemptResult::Delivered), ("failed", AttemptResult::Failed)];

/// All destinations, and how they are.
#[utoipa::path(get, path = "/api/v1/destinations", tag = "Destinations",
    responses((status = 200, description = "All destinations", body = [DestinationView]), Problem))]
pub(super) async fn list_destinations(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Vec<DestinationView>> {
    let destinations = api.admin.destinations().await?;
    Ok(Answer::ok(destinations.into_iter().map(|one| one.for_caller(&caller)).collect()))
}

/// A destination, and how it is.
#[utoipa::path(get, path = "/api/v1/destinations/{name}", tag = "Destinations",
    params(("name" = String, Path)),
    responses((status = 200, description = "The destination", body = DestinationView), Problem))]
pub(super) async fn get_destination(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<DestinationView> {
    Ok(Answer::ok(api.admin.destination(&name).await?.for_caller(&caller)))
}

/// Which attempts to count.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct StatsParams {
    /// From this time: a time, or a duration such as `2h` ago. Default: `24h`.
    #[param(value_type = Option<String>)]
    since: Timestamp,
    /// Up to this time. Default: now.
    #[param(value_type = Option<String>)]
    until: Timestamp,
    /// How many parts the time is divided into, up to 100. Default: 24.
    #[param(value_type = Option<u32>)]
    buckets: u32,
}

impl FromQuery for StatsParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        let until = query.moment("until")?.unwrap_or_else(|| Timestamp(now_ms()));
        let default = Timestamp(until.0.saturating_sub(STATS_TIME_MS));
        let since = query.moment("since")?.unwrap_or(default);
        let buckets = query.number("buckets")?.unwrap_or(BUCKETS_DEFAULT);
        if !(1..=BUCKETS_MAX).contains(&buckets) {
            let detail = format!("`buckets`: expected a number from 1 to {BUCKETS_MAX}");
            return Err(Problem::invalid_parameter(detail));
        }
        Ok(Self { since, until, buckets })
    }
}

/// How many attempts were made over time.
#[utoipa::path(get, path = "/api/v1/destinations/{name}/stats", tag = "Destinations",
    params(("name" = String, Path), StatsParams),
    responses((status = 200, description = "The attempts", body = DestinationStats), Problem))]
pub(super) async fn get_destination_stats(
    State(api): State<Api>,
    Segment(name): Segment,
    Params(StatsParams { since, until, buckets }): Params<StatsParams>,
) -> Answered<DestinationStats> {
    Ok(Answer::ok(api.admin.destination_stats(&name, since, until, buckets).await?))
}

/// Which attempts to list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AttemptParams {
    /// With this result.
    #[param(inline)]
    result: Option<AttemptResult>,
    /// The `next` of the page before.
    before: Option<String>,
    /// At most this many, up to 500. Default: 50.
    limit: Option<u32>,
}

impl FromQuery for AttemptParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        Ok(Self {
            result: query.choice("result", RESULTS)?,
            before: query.text("before")?,
            limit: Some(query.limit(ATTEMPTS_DEFAULT, ATTEMPTS_MAX)?),
        })
    }
}

/// Attempts at a destination, the newest first. Replies and errors are shown from the role `reader` on.
#[utoipa::path(get, path = "/api/v1/destinations/{name}/attempts", tag = "Destinations",
    params(("name" = String, Path), AttemptParams),
    responses((status = 200, description = "A page of attempts", body = AttemptPage), Problem))]
pub(super) async fn list_attempts(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(AttemptParams { result, before: cursor, limit }): Params<AttemptParams>,
) -> Answered<AttemptPage> {
    let (destination, limit) = (Some(name), limit.unwrap_or(ATTEMPTS_DEFAULT));
    let query = AttemptQuery { destination, result, cursor, limit, ..AttemptQuery::default() };
    let AttemptPage { attempts, next } = api.admin.attempts(&query).await?;
    let attempts = attempts.into_iter().map(|attempt| attempt.for_caller(&caller)).collect();
    Ok(Answer::ok(AttemptPage { attempts, next }))
}

/// Sends nothing to a destination until it is resumed; what is for it is kept.
#[utoipa::path(post, path = "/api/v1/destinations/{name}/pause", tag = "Destinations",
    params(("name" = String, Path)),
    responses((status = 204, description = "It is paused"), Problem))]
pub(super) async fn pause_destination(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(NoParams {}): Params<NoParams>,
) -> Result<StatusCode, Problem> {
    api.admin.pause(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends to a destination again, also if it was disabled.
#[utoipa::path(post, path = "/api/v1/destinations/{name}/resume", tag = "Destinations",
    params(("name" = String, Path)),
    responses((status = 204, description = "It is sent to again"), Problem))]
pub(super) async fn resume_destination(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(NoParams {}): Params<NoParams>,
) -> Result<StatusCode, Problem> {
    api.admin.resume(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The sample to send.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExampleRequest {
    /// The type of event, such as `user.created`.
    #[serde(rename = "type")]
    event_type: String,
}

/// A message that was written to the log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExampleSent {
    message_id: String,
}

/// Sends a sample of an event to a destination alone.
#[utoipa::path(post, path = "/api/v1/destinations/{name}/send-example", tag = "Destinations",
    params(("name" = String, Path)), request_body = ExampleRequest,
    responses((status = 202, description = "It is sent", body = ExampleSent), Problem))]
pub(super) async fn send_example(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(request): JsonBody<ExampleRequest>,
) -> Answered<ExampleSent> {
    let message_id = api.admin.send_example(&caller, &name, &request.event_type).await?;
    Ok(Answer(StatusCode::ACCEPTED, ExampleSent { message_id }))
}

/// The mirrors that are enabled, without their tables.
#[utoipa::path(get, path = "/api/v1/mirrors", tag = "Mirrors",
    responses((status = 200, description = "The mirrors", body = [MirrorView]), Problem))]
pub(super) async fn list_mirrors(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Vec<MirrorView>> {
    let mirrors = api.admin.mirrors().await?;
    Ok(Answer::ok(mirrors.into_iter().map(|mirror| mirror.for_caller(&caller)).collect()))
}

/// A mirror, with its tables.
#[utoipa::path(get, path = "/api/v1/mirrors/{name}", tag = "Mirrors",
    params(("name" = String, Path)),
    responses((status = 200, description = "The mirror", body = MirrorView), Problem))]
pub(super) async fn get_mirror(
    State(api): State<Api>,
    By(caller): By,
    Segment(name): Segment,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<MirrorView> {
    Ok(Answer::ok(api.admin.mirror(&name).await?.for_caller(&caller)))
}
