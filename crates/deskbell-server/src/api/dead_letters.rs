//! Dead letters: listing and retrying them.

use axum::extract::State;
use deskbell_admin::{DeadLetterCause, DeadLetterQuery, DeadLetterView, Retried, RetryRequest};
use http::StatusCode;

use super::extract::{Answer, Answered, Api, By, JsonBody};
use super::query::{FromQuery, NoParams, Params, Query};
use crate::problem::Problem;

/// Dead letters of an answer where nothing else is said, and the most.
const LETTERS_DEFAULT: u32 = 50;
const LETTERS_MAX: u32 = 500;
/// Ids in one request for a retry.
const IDS_MAX: usize = 1_000;

/// Which dead letters to list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LetterParams {
    /// Of this destination only.
    destination: Option<String>,
    /// Of this entity or message.
    id: Option<String>,
    /// Rows with this code, constraint or table; deliveries with exactly this reason.
    cause: Option<String>,
    /// At most this many, up to 500. Default: 50.
    limit: Option<u32>,
}

impl FromQuery for LetterParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        Ok(Self {
            destination: query.text("destination")?,
            id: query.text("id")?,
            cause: query.text("cause")?,
            limit: Some(query.limit(LETTERS_DEFAULT, LETTERS_MAX)?),
        })
    }
}

/// Rows that a database rejected, and deliveries that failed permanently.
#[utoipa::path(get, path = "/api/v1/dead-letters", tag = "Dead letters", params(LetterParams),
    responses((status = 200, description = "Dead letters", body = [DeadLetterView]), Problem))]
pub(super) async fn list_dead_letters(
    State(api): State<Api>,
    By(caller): By,
    Params(LetterParams { destination, id, cause, limit }): Params<LetterParams>,
) -> Answered<Vec<DeadLetterView>> {
    let limit = limit.unwrap_or(LETTERS_DEFAULT);
    let query = DeadLetterQuery { destination, id, cause, limit };
    let letters = api.admin.dead_letters(&query).await?;
    Ok(Answer::ok(letters.into_iter().map(|letter| letter.for_caller(&caller)).collect()))
}

/// All dead letters by destination and cause, the most frequent first.
#[utoipa::path(get, path = "/api/v1/dead-letters/causes", tag = "Dead letters",
    responses((status = 200, description = "The causes", body = [DeadLetterCause]), Problem))]
pub(super) async fn list_dead_letter_causes(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
) -> Answered<Vec<DeadLetterCause>> {
    let causes = api.admin.dead_letter_causes().await?;
    Ok(Answer::ok(causes.into_iter().map(|cause| cause.for_caller(&caller)).collect()))
}

/// Retries dead letters.
#[utoipa::path(post, path = "/api/v1/dead-letters/retry", tag = "Dead letters",
    request_body = RetryRequest,
    responses((status = 202, description = "The retries were asked for", body = Retried), Problem))]
pub(super) async fn retry_dead_letters(
    State(api): State<Api>,
    By(caller): By,
    Params(NoParams {}): Params<NoParams>,
    JsonBody(request): JsonBody<RetryRequest>,
) -> Answered<Retried> {
    if request.ids.len() > IDS_MAX {
        return Err(Problem::invalid_parameter(format!("`ids` has more than {IDS_MAX} elements")));
    }
    let retried = api.admin.retry_dead_letters(&caller, &request).await?;
    Ok(Answer(StatusCode::ACCEPTED, retried))
}
