//! A deployed Deskbell, by its admin API.

use std::pin::Pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{from_slice, from_str};
use sse_stream::{Sse, SseStream};
use url::Url;

use super::feed::FeedError;
use super::filter::Filter;
use super::message::Message;
use super::wire::{EventList, Newest, Problem, WireEvent};
use crate::reply::innermost_cause;
use crate::shown_url::without_password;

/// The server sends a comment every 15 seconds; after this long without one the connection is dead.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(45);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer that ends may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) type Events = Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>;

/// A deployed Deskbell.
pub(super) struct Server {
    http: Client,
    url: Url,
    token: String,
}

/// Why there is no answer.
pub(super) enum Attempt {
    /// There may be one later.
    Again(FeedError),
    Final(FeedError),
}

impl Attempt {
    pub(super) fn into_error(self) -> FeedError {
        match self {
            Self::Again(error) | Self::Final(error) => error,
        }
    }
}

impl Server {
    pub(super) fn new(url: Url, token: String) -> Result<Self, FeedError> {
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(FeedError::Url);
        }
        // A redirect would send the token elsewhere.
        let http = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { http, url, token })
    }

    /// One event, with the bytes that were signed.
    ///
    /// # Errors
    /// There is none of this message id, or the server cannot be asked.
    pub(super) async fn find(&self, message_id: &str) -> Result<Message, FeedError> {
        let none = || FeedError::NoEvent { id: message_id.to_owned() };
        let found = self.newest(None, Some(message_id)).await.map_err(Attempt::into_error)?;
        let Newest { seq, event_type, .. } = found.ok_or_else(none)?;
        // A one-time code is shown to who names its type.
        let filter = Filter::new(vec![event_type.clone()], None).map_err(|_| none())?;
        let mut events = self.stream(&[event_type], seq - 1).await.map_err(Attempt::into_error)?;
        while let Some(Ok(event)) = events.next().await {
            let data = event.data.unwrap_or_default();
            match from_str::<WireEvent<'_>>(&data) {
                Ok(event) if event.seq == seq => return Ok(event.into_message(&filter)),
                Ok(event) if event.seq > seq => break,
                _ => {}
            }
        }
        Err(none())
    }

    /// The newest event: of all, received before this time, or with this message id.
    pub(super) async fn newest(
        &self,
        until: Option<&str>,
        message_id: Option<&str>,
    ) -> Result<Option<Newest>, Attempt> {
        let mut url = self.path(&["events"]);
        url.query_pairs_mut()
            .append_pair("limit", "1")
            .extend_pairs(until.map(|until| ("until", until)))
            .extend_pairs(message_id.map(|id| ("message_id", id)));
        let request = self.http.get(url).timeout(ANSWER_TIMEOUT);
        let answer = self.answer(request).await?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| self.unreachable(error))?;
        let unexpected = || Attempt::Final(FeedError::Unexpected { server: self.name(), status });
        let list: EventList<'_> = from_slice(&body).map_err(|_| unexpected())?;
        Ok(list.events.into_iter().next().map(WireEvent::into_newest))
    }

    pub(super) async fn stream(&self, types: &[String], after: i64) -> Result<Events, Attempt> {
        let mut url = self.path(&["events", "tail"]);
        url.query_pairs_mut()
            .append_pair("payload", "true")
            .append_pair("after", &after.to_string())
            .extend_pairs(types.iter().map(|text| ("type", text)));
        let answer = self.answer(self.http.get(url)).await?;
        Ok(Box::pin(SseStream::from_bytes_stream(answer.bytes_stream())))
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Response, Attempt> {
        let sent = request.bearer_auth(&self.token).send().await;
        let answer = sent.map_err(|error| self.unreachable(error))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let server = self.name();
        let body = answer.bytes().await.unwrap_or_default();
        let problem: Option<Problem> = from_slice(&body).ok();
        let status_number = status.as_u16();
        Err(match (status, problem) {
            (StatusCode::UNAUTHORIZED, _) => Attempt::Final(FeedError::Unauthorized { server }),
            (StatusCode::FORBIDDEN, Some(problem)) => {
                let detail = problem.text(status_number);
                Attempt::Final(FeedError::Forbidden { server, detail })
            }
            (status, _) if status.is_server_error() || status.as_u16() == 429 => {
                let reason = format!("it answered {status}");
                Attempt::Again(FeedError::Unreachable { server, reason })
            }
            (_, Some(problem)) => {
                let detail = problem.text(status_number);
                Attempt::Final(FeedError::Refused { server, detail })
            }
            (_, None) => Attempt::Final(FeedError::Unexpected { server, status: status_number }),
        })
    }

    fn unreachable(&self, error: reqwest::Error) -> Attempt {
        let reason = innermost_cause(&error.without_url());
        Attempt::Again(FeedError::Unreachable { server: self.name(), reason })
    }

    fn name(&self) -> String {
        without_password(&self.url)
    }

    fn path(&self, path: &[&str]) -> Url {
        let mut url = self.url.clone();
        url.set_query(None);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        url
    }
}
