//! Events: searching them, and one with what became of it.

use axum::extract::State;
use deskbell_admin::{Caller, DeliveryStateFilter, EventDetails, EventPage, EventQuery, Timestamp};

use super::extract::{Answer, Answered, Api, By, Segment};
use super::query::{FromQuery, Params, Query};
use crate::problem::Problem;

/// Events of a page where nothing else is said, and the most.
const EVENTS_DEFAULT: u32 = 50;
const EVENTS_MAX: u32 = 500;

const STATES: &[(&str, DeliveryStateFilter)] = &[
    ("pending", DeliveryStateFilter::Pending),
    ("dead_lettered", DeliveryStateFilter::DeadLettered),
];

/// Which events to find.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct SearchParams {
    /// The message with this id.
    message_id: Option<String>,
    /// A type, or a pattern such as `user.*`. It may be repeated. Default: all.
    #[param(rename = "type")]
    types: Option<Vec<String>>,
    /// Of this source only.
    source: Option<String>,
    /// About the entity with this id.
    subject: Option<String>,
    /// A text that the payload contains, in any case. Needs the role `reader`.
    text: Option<String>,
    /// Received at this time or later: a time, or a duration such as `2h` ago.
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// Received before this time: a time, or a duration such as `2h` ago.
    #[param(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// With a delivery in this state.
    #[param(inline)]
    state: Option<DeliveryStateFilter>,
    /// With a delivery in `state` to this destination.
    destination: Option<String>,
    /// Before this event: the `next` of the page before.
    before: Option<i64>,
    /// At most this many, up to 500. Default: 50.
    limit: Option<u32>,
}

impl FromQuery for SearchParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        let params = Self {
            message_id: query.text("message_id")?,
            types: Some(query.texts("type")),
            source: query.text("source")?,
            subject: query.text("subject")?,
            text: query.text("text")?,
            since: query.moment("since")?,
            until: query.moment("until")?,
            state: query.choice("state", STATES)?,
            destination: query.text("destination")?,
            before: query.number("before")?,
            limit: Some(query.limit(EVENTS_DEFAULT, EVENTS_MAX)?),
        };
        if params.destination.is_some() && params.state.is_none() {
            return Err(Problem::invalid_parameter("`destination` needs `state` too"));
        }
        Ok(params)
    }
}

impl From<SearchParams> for EventQuery {
    fn from(params: SearchParams) -> Self {
        Self {
            message_id: params.message_id,
            types: params.types.unwrap_or_default(),
            source: params.source,
            subject: params.subject,
            text: params.text,
            since: params.since,
            until: params.until,
            state: params.state,
            destination: params.destination,
            before: params.before,
            limit: params.limit.unwrap_or(EVENTS_DEFAULT),
        }
    }
}

/// Events, the newest first.
#[utoipa::path(get, path = "/api/v1/events", tag = "Events", params(SearchParams),
    responses((status = 200, description = "A page of events", body = EventPage), Problem))]
pub(super) async fn list_events(
    State(api): State<Api>,
    By(caller): By,
    Params(params): Params<SearchParams>,
) -> Answered<EventPage> {
    if params.text.is_some() {
        needs_payloads(&caller, "text")?;
    }
    Ok(Answer::ok(api.admin.search(&params.into()).await?))
}

/// Refuses a parameter that is about payloads to who must not see them.
pub(super) fn needs_payloads(caller: &Caller, parameter: &str) -> Result<(), Problem> {
    if caller.sees_payloads() {
        return Ok(());
    }
    let role = caller.role;
    Err(Problem::forbidden(format!("`{parameter}` needs the role `reader`; yours is `{role}`")))
}

/// What to show of an event.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventParams {
    /// Of this source. Default: of the first one that has such a message.
    source: Option<String>,
    /// With the payload, in which personal data is masked for the role `viewer`.
    #[param(value_type = Option<bool>)]
    payload: bool,
}

impl FromQuery for EventParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        Ok(Self { source: query.text("source")?, payload: query.flag("payload")? })
    }
}

/// The event with this message id, and what became of it.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "Events",
    params(("id" = String, Path, description = "The message id"), EventParams),
    responses((status = 200, description = "The event", body = EventDetails), Problem))]
pub(super) async fn get_event(
    State(api): State<Api>,
    By(caller): By,
    Segment(id): Segment,
    Params(params): Params<EventParams>,
) -> Answered<EventDetails> {
    let mut event = api.admin.event(params.source.as_deref(), &id).await?;
    if !params.payload {
        event.payload = None;
    }
    Ok(Answer::ok(event.for_caller(&caller)))
}

/// A page of a subject's events.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParams {
    /// Before this event: the `next` of the page before.
    before: Option<i64>,
    /// At most this many, up to 500. Default: 50.
    limit: Option<u32>,
}

impl FromQuery for PageParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        let limit = Some(query.limit(EVENTS_DEFAULT, EVENTS_MAX)?);
        Ok(Self { before: query.number("before")?, limit })
    }
}

/// The events about an entity, the newest first.
#[utoipa::path(get, path = "/api/v1/subjects/{id}/events", tag = "Events",
    params(("id" = String, Path, description = "The entity's id"), PageParams),
    responses((status = 200, description = "A page of events", body = EventPage), Problem))]
pub(super) async fn list_subject_events(
    State(api): State<Api>,
    Segment(id): Segment,
    Params(params): Params<PageParams>,
) -> Answered<EventPage> {
    let limit = params.limit.unwrap_or(EVENTS_DEFAULT);
    let query =
        EventQuery { subject: Some(id), before: params.before, limit, ..EventQuery::default() };
    Ok(Answer::ok(api.admin.search(&query).await?))
}
