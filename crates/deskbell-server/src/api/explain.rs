//! What is known of an entity or an event, and why.

use axum::extract::State;
use deskbell_admin::Explanation;

use super::extract::{Answer, Answered, Api, By, Segment};
use super::query::{FromQuery, Params, Query};
use crate::problem::Problem;

/// Events that are explained where nothing else is said, and the most.
const EXPLAINED_DEFAULT: u32 = 50;
const EXPLAINED_MAX: u32 = 200;

/// How much to explain.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct ExplainParams {
    /// At most this many events, up to 200. Default: 50.
    limit: Option<u32>,
}

impl FromQuery for ExplainParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        Ok(Self { limit: Some(query.limit(EXPLAINED_DEFAULT, EXPLAINED_MAX)?) })
    }
}

/// What is known of an entity, or of what a message is about: its rows, which event each value came
/// from, and what became of each event.
#[utoipa::path(get, path = "/api/v1/explain/{id}", tag = "Events",
    params(("id" = String, Path, description = "The entity's id, or a message id"), ExplainParams),
    responses((status = 200, description = "What is known", body = Explanation), Problem))]
pub(super) async fn explain(
    State(api): State<Api>,
    By(caller): By,
    Segment(id): Segment,
    Params(params): Params<ExplainParams>,
) -> Answered<Explanation> {
    let limit = params.limit.unwrap_or(EXPLAINED_DEFAULT);
    Ok(Answer::ok(api.admin.explain(&id, limit).await?.for_caller(&caller)))
}
