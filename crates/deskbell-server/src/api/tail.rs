//! Events as they come, as server-sent events: each one after the start once, in the order of the log.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use deskbell_admin::{Admin, EventSummary};
use deskbell_config::{ONE_TIME_CODES, takes_type};
use deskbell_store::{FollowOptions, LogFollower, Seq};
use futures_util::stream;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::events::needs_payloads;
use super::extract::{Api, By};
use super::query::{FromQuery, Params, Query};
use crate::problem::Problem;

/// How often a comment is sent where nothing else is, so that a connection that is gone is noticed.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the log is read without a hint that it has grown.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The longest pause after a read that failed.
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// Where a browser that connects again had got to.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Which events to send.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TailParams {
    /// A type, or a pattern such as `user.*`. It may be repeated. Default: all.
    #[param(rename = "type")]
    types: Option<Vec<String>>,
    /// Of this source only.
    source: Option<String>,
    /// About the entity with this id.
    subject: Option<String>,
    /// After this event; the header `Last-Event-ID` goes before it. Default: from now on.
    after: Option<i64>,
    /// With payloads, but for one-time codes whose type is not named. Needs the role `reader`.
    #[param(value_type = Option<bool>)]
    payload: bool,
}

impl FromQuery for TailParams {
    fn from_query(query: &Query) -> Result<Self, Problem> {
        Ok(Self {
            types: Some(query.texts("type")),
            source: query.text("source")?,
            subject: query.text("subject")?,
            after: query.number("after")?,
            payload: query.flag("payload")?,
        })
    }
}

/// The `data` of an event.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TailedEvent {
    #[serde(flatten)]
    event: EventSummary,
    /// The bytes that were signed, where it was asked for; absent if it was pruned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    payload: Option<Box<RawValue>>,
}

/// Events as they come, until the client or the server leaves.
#[utoipa::path(get, path = "/api/v1/events/tail", tag = "Events",
    params(TailParams, ("Last-Event-ID" = Option<i64>, Header, description = "After this event")),
    responses((status = 200, description = "`event: event`, the event's number as `id`, and it as `data`",
        content_type = "text/event-stream", body = TailedEvent), Problem))]
pub(super) async fn tail_events(
    State(api): State<Api>,
    By(caller): By,
    Params(params): Params<TailParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if params.payload {
        needs_payloads(&caller, "payload")?;
    }
    let tail = Tail::new(api.admin, params, last_event_id(&headers)?);
    let events = stream::unfold(tail, |mut tail| async {
        let event = tail.next().await;
        Some((Ok::<_, Infallible>(event), tail))
    });
    let mut reply =
        Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(reply)
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    let detail = "`Last-Event-ID`: expected the number of an event";
    number.map(Some).ok_or_else(|| Problem::invalid_parameter(detail))
}

/// Reads the log as it grows.
struct Tail {
    admin: Arc<dyn Admin>,
    filter: TailParams,
    follower: LogFollower,
    /// Everything up to here was read.
    position: Seq,
    ready: VecDeque<Event>,
    /// Never cancelled: the guard ends the stream.
    endless: CancellationToken,
}

impl Tail {
    fn new(admin: Arc<dyn Admin>, filter: TailParams, last_event_id: Option<i64>) -> Self {
        let head = admin.head();
        let start = last_event_id.or(filter.after).map(Seq::new);
        let position = start.unwrap_or_else(|| *head.borrow());
        let options = FollowOptions { poll_interval: POLL_INTERVAL, backoff_max: BACKOFF_MAX };
        let follower = LogFollower::new(head, options);
        let (ready, endless) = Default::default();
        Self { admin, filter, follower, position, ready, endless }
    }

    async fn next(&mut self) -> Event {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return event;
            }
            self.follower.next_step(&self.endless).await;
            match self.admin.after(self.position).await {
                Ok(events) => {
                    self.follower.succeeded(!events.is_empty());
                    self.take(events);
                }
                Err(error) => {
                    let retry_in = self.follower.failed();
                    tracing::debug!(%error, ?retry_in, "cannot read the log for a stream of events");
                }
            }
        }
    }

    fn take(&mut self, events: Vec<(EventSummary, Bytes)>) {
        for (event, payload) in events {
            self.position = Seq::new(event.seq);
            if !self.filter.takes(&event) {
                continue;
            }
            let is_shown = self.filter.shows_payload(&event) && !payload.is_empty();
            let payload = is_shown.then(|| as_received(&payload)).flatten();
            let seq = event.seq;
            match serde_json::to_string(&TailedEvent { event, payload }) {
                Ok(json) => {
                    let event = Event::default().event("event").id(seq.to_string());
                    self.ready.push_back(event.data(json));
                }
                Err(error) => tracing::debug!(%error, seq, "cannot send an event of a stream"),
            }
        }
    }
}

/// JSON as it is, so that whoever follows can show and sign the same bytes; anything else as a text.
fn as_received(payload: &[u8]) -> Option<Box<RawValue>> {
    let text = String::from_utf8_lossy(payload);
    RawValue::from_string(text.to_string()).or_else(|_| to_raw_value(&text)).ok()
}

impl TailParams {
    fn types(&self) -> &[String] {
        self.types.as_deref().unwrap_or_default()
    }

    fn takes(&self, event: &EventSummary) -> bool {
        let is_type = self.types().is_empty() || takes_type(self.types(), &event.event_type);
        let is_source = self.source.as_ref().is_none_or(|source| *source == event.source);
        let is_subject = self.subject.is_none() || self.subject == event.subject;
        is_type && is_source && is_subject
    }

    /// One-time codes are shown only to who names their type.
    fn shows_payload(&self, event: &EventSummary) -> bool {
        let is_code = ONE_TIME_CODES.contains(&&*event.event_type);
        self.payload && (!is_code || self.types().contains(&event.event_type))
    }
}
