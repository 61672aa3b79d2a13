//! The live tail: rows of the list, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use deskbell_admin::{Admin, Caller, EventSummary};
use deskbell_config::takes_type;
use deskbell_store::{FollowOptions, LogFollower, Seq};
use futures_util::stream;
use http::HeaderMap;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::rows::row;
use crate::dashboard::Dashboard;
use crate::filter::Filter;
use crate::params::Query;
use crate::reply::Failure;

/// After so long a tail ends; the browser opens another one that goes on where it ended.
const OPEN_MAX: Duration = Duration::from_secs(10 * 60);
/// A comment after so long without an event, so that no proxy thinks the connection is dead.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// How often the log is read without a hint that it has grown.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// The longest pause after a read that failed.
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Every event after one, in the order of the log.
struct Tail {
    admin: Arc<dyn Admin>,
    filter: Filter,
    follower: LogFollower,
    after: Seq,
    ready: VecDeque<Event>,
    ends_at: Instant,
    /// Never cancelled: whoever serves the pages ends the stream when it stops.
    endless: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

pub(crate) async fn tail(
    State(dashboard): State<Dashboard>,
    Extension(caller): Extension<Caller>,
    Query(params): Query,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let permit = Arc::clone(&dashboard.tails)
        .try_acquire_owned()
        .map_err(|_| Failure::Busy("Too many live tails are open."))?;
    let head = dashboard.admin.head();
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let after = seen.or_else(|| params.number("after")).map(Seq::new);
    let options = FollowOptions { poll_interval: POLL_INTERVAL, backoff_max: BACKOFF_MAX };
    let tail = Tail {
        after: after.unwrap_or_else(|| *head.borrow()),
        admin: dashboard.admin,
        filter: Filter::read(&params, &caller)?,
        follower: LogFollower::new(head, options),
        ready: VecDeque::new(),
        ends_at: Instant::now() + OPEN_MAX,
        endless: CancellationToken::new(),
        _permit: permit,
    };
    let events = stream::unfold(tail, |mut tail| async {
        let event = tail.next().await?;
        Some((Ok::<_, Infallible>(event), tail))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response())
}

impl Tail {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            timeout_at(self.ends_at, self.follower.next_step(&self.endless)).await.ok()?;
            match self.admin.after(self.after).await {
                Ok(events) => {
                    self.follower.succeeded(!events.is_empty());
                    self.take(events.iter().map(|(event, _)| event));
                }
                Err(error) => {
                    let retry_in = self.follower.failed();
                    tracing::debug!(%error, ?retry_in, "cannot read the log for a live tail");
                }
            }
        }
    }

    fn take<'a>(&mut self, events: impl Iterator<Item = &'a EventSummary>) {
        let mut skipped = None;
        for event in events {
            self.after = Seq::new(event.seq);
            let shown = Event::default().id(event.seq.to_string());
            if self.matches(event) {
                let row = row(event, &self.filter).into_string();
                self.ready.push_back(shown.event("event").data(row));
                skipped = None;
            } else {
                skipped = Some(shown);
            }
        }
        // Without data the browser shows nothing, and goes on from here when it comes back.
        self.ready.extend(skipped);
    }

    fn matches(&self, event: &EventSummary) -> bool {
        let filter = &self.filter;
        (filter.types.is_empty() || takes_type(&filter.types, &event.event_type))
            && filter.source.as_ref().is_none_or(|source| *source == event.source)
            && filter.subject.as_ref().is_none_or(|subject| event.subject.as_ref() == Some(subject))
    }
}
