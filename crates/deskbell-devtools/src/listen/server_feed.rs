//! The events of a deployed Deskbell, by the stream of its admin API.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::from_str;
use sse_stream::Sse;
use tokio::time::timeout;
use url::Url;

use super::feed::{Feed, FeedError, FeedItem};
use super::filter::Filter;
use super::message::Message;
use super::server::{Attempt, Events, SILENCE_MAX, Server};
use super::start::Start;
use super::wire::{Newest, WireEvent};
use crate::reply::innermost_cause;

/// The pauses between attempts to connect again.
const PAUSE_MIN: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// The events of a deployed Deskbell.
pub struct ServerFeed {
    server: Server,
    filter: Arc<Filter>,
    /// Every event up to here was taken.
    position: i64,
    /// The message there: another one is of another log. `None` before the first event.
    message_id: Option<String>,
    events: Option<Events>,
    pause: Duration,
}

impl ServerFeed {
    /// Finds where to begin.
    ///
    /// # Errors
    /// The server cannot be reached, or does not accept the token.
    pub async fn open(
        server: Url,
        token: String,
        filter: Arc<Filter>,
        start: Start,
    ) -> Result<Self, FeedError> {
        let server = Server::new(server, token)?;
        let (position, message_id, events, pause) = (0, None, None, PAUSE_MIN);
        let mut feed = Self { server, filter, position, message_id, events, pause };
        let until = match start {
            Start::Now => None,
            Start::SinceMs(since_ms) => Some(before(since_ms)),
        };
        let before =
            feed.server.newest(until.as_deref(), None).await.map_err(Attempt::into_error)?;
        feed.begin_behind(before);
        feed.connect().await.map_err(Attempt::into_error)?;
        Ok(feed)
    }

    /// One event, with the bytes that were signed.
    ///
    /// # Errors
    /// There is none of this message id, or the server cannot be asked.
    pub async fn find(&self, message_id: &str) -> Result<Message, FeedError> {
        self.server.find(message_id).await
    }

    async fn connect(&mut self) -> Result<(), Attempt> {
        let events = self.server.stream(self.filter.types(), self.position).await?;
        self.events = Some(events);
        Ok(())
    }

    /// Goes on where it was, if the log is the one that it was.
    async fn reconnect(&mut self) -> Result<FeedItem, Attempt> {
        let is_replaced = match &self.message_id {
            None => false,
            Some(message_id) => {
                let known = self.server.newest(None, Some(message_id)).await?;
                known.is_none_or(|known| known.seq != self.position)
            }
        };
        if is_replaced {
            let newest = self.server.newest(None, None).await?;
            self.begin_behind(newest);
        }
        self.connect().await?;
        Ok(if is_replaced { FeedItem::Replaced } else { FeedItem::Restored })
    }

    fn begin_behind(&mut self, newest: Option<Newest>) {
        self.position = newest.as_ref().map_or(0, |newest| newest.seq);
        self.message_id = newest.map(|newest| newest.message_id);
    }

    fn lose(&mut self, reason: String) -> FeedItem {
        self.events = None;
        FeedItem::Lost { reason }
    }

    /// The event, where it is one that was not taken before.
    fn take(&mut self, event: Sse) -> Option<Message> {
        let data = event.data?;
        let event: WireEvent<'_> = from_str(&data).ok()?;
        if event.seq <= self.position {
            return None;
        }
        self.position = event.seq;
        let message = event.into_message(&self.filter);
        self.message_id = Some(message.id.clone());
        Some(message)
    }
}

#[async_trait]
impl Feed for ServerFeed {
    async fn next(&mut self) -> Result<FeedItem, FeedError> {
        loop {
            let Some(events) = &mut self.events else {
                tokio::time::sleep(self.pause).await;
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                match self.reconnect().await {
                    Ok(restored) => return Ok(restored),
                    // A proxy answers for a server that is away in many ways.
                    Err(Attempt::Again(_) | Attempt::Final(FeedError::Unexpected { .. })) => {
                        continue;
                    }
                    Err(Attempt::Final(error)) => return Err(error),
                }
            };
            let Ok(next) = timeout(SILENCE_MAX, events.next()).await else {
                return Ok(self.lose("the server is silent".to_owned()));
            };
            match next {
                Some(Ok(event)) => {
                    self.pause = PAUSE_MIN;
                    if let Some(message) = self.take(event) {
                        return Ok(FeedItem::Message(message));
                    }
                }
                Some(Err(error)) => return Ok(self.lose(innermost_cause(&error))),
                None => return Ok(self.lose("the server closed the connection".to_owned())),
            }
        }
    }
}

/// The `until` of events that were received before this time.
fn before(since_ms: i64) -> String {
    clerk_webhooks::UnixMillis::from_millis(since_ms).map_or_else(String::new, |at| at.to_string())
}
