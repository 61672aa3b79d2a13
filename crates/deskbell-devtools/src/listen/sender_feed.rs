//! The messages of Clerk's sender, by looking for new ones every few seconds: no server of ours is
//! needed.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use clerk_api::Client;
use clerk_api::sender::{Message as SenderMessage, ReadError, SenderSession, TimeRange};

use super::feed::{Feed, FeedError, FeedItem};
use super::filter::Filter;
use super::message::{Body, Message, Withheld};
use super::start::Start;

/// How often new messages are looked for.
const POLL_INTERVAL: Duration = Duration::from_secs(3);
/// Messages that are so much older than the newest are looked at again: one may become visible after
/// a newer one.
const OVERLAP_MS: i64 = 60_000;
/// Pages of what is new, at most: 90 days of a large instance.
const PAGES_MAX: usize = 4_000;

/// The messages of Clerk's sender.
pub struct SenderFeed {
    client: Client,
    session: SenderSession,
    filter: Arc<Filter>,
    /// The time of the newest message that was looked at.
    until_ms: i64,
    /// Nothing before this is sent.
    begin_ms: i64,
    /// Messages of the overlap, and their times.
    seen: HashMap<String, i64>,
    ready: VecDeque<Message>,
    is_lost: bool,
    /// Messages of a page that have not the expected form; those that were told of.
    unreadable: usize,
    unreadable_told: usize,
    poll_interval: Duration,
}

impl SenderFeed {
    /// Logs in, and finds where to begin.
    ///
    /// # Errors
    /// The login fails, or the messages cannot be read.
    pub async fn open(
        client: Client,
        filter: Arc<Filter>,
        start: Start,
    ) -> Result<Self, FeedError> {
        let session = session_of(&client).await?;
        let newest = session.message_ids(TimeRange::default(), None).await;
        let newest = newest.map_err(FeedError::Sender)?.items;
        let newest_ms = newest.first().map_or(0, |message| message.timestamp);
        let (begin_ms, seen) = match start {
            Start::SinceMs(since_ms) => (since_ms, HashMap::new()),
            Start::Now => {
                let seen = newest.into_iter().map(|message| (message.id, message.timestamp));
                (newest_ms, seen.collect())
            }
        };
        Ok(Self {
            client,
            session,
            filter,
            until_ms: begin_ms,
            begin_ms,
            seen,
            ready: VecDeque::new(),
            is_lost: false,
            unreadable: 0,
            unreadable_told: 0,
            poll_interval: POLL_INTERVAL,
        })
    }

    /// One message.
    ///
    /// # Errors
    /// The sender does not have it, or cannot be asked.
    pub async fn find(&self, id: &str) -> Result<Message, FeedError> {
        let found = self.session.message(id).await.map_err(FeedError::Sender)?;
        let found = found.ok_or_else(|| FeedError::NoEvent { id: id.to_owned() })?;
        Ok(message_of(found, None))
    }

    /// Fetches a page of what is new, the oldest page first: the payloads of one page are held at once.
    async fn poll(&mut self) -> Result<(), ReadError> {
        let after = Some(self.until_ms - OVERLAP_MS).filter(|after| *after > 0);
        let range = TimeRange { after, before: None };
        // Without payloads, from the newest to where everything was taken.
        let mut iterators = vec![None];
        loop {
            let iterator = iterators.last().and_then(Option::as_deref);
            let Some(next) = self.session.message_ids(range, iterator).await?.next else { break };
            if iterators.len() == PAGES_MAX {
                return Err(ReadError::TooMany { what: "messages", pages_max: PAGES_MAX });
            }
            iterators.push(Some(next));
        }
        for iterator in iterators.iter().rev() {
            let page = self.session.messages(range, iterator.as_deref()).await?;
            self.unreadable = self.unreadable.max(page.unreadable);
            self.take(page.items);
            if !self.ready.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn is_new(&self, message: &SenderMessage) -> bool {
        message.timestamp >= self.begin_ms && !self.seen.contains_key(&message.id)
    }

    fn take(&mut self, mut messages: Vec<SenderMessage>) {
        messages.sort_by_key(|message| message.timestamp);
        for message in messages {
            let is_new = self.is_new(&message);
            self.seen.insert(message.id.clone(), message.timestamp);
            self.until_ms = self.until_ms.max(message.timestamp);
            if is_new && self.filter.takes_type(&message.event_type) {
                self.ready.push_back(message_of(message, Some(&self.filter)));
            }
        }
        let oldest_ms = self.until_ms - OVERLAP_MS;
        self.seen.retain(|_, at_ms| *at_ms >= oldest_ms);
    }

    /// As [`poll`](Self::poll), with a new session where this one has ended.
    async fn look(&mut self) -> Result<(), FeedError> {
        match self.poll().await {
            Err(error) if error.api_error().is_some_and(|error| error.status == 401) => {
                self.session = session_of(&self.client).await?;
                self.poll().await.map_err(FeedError::Sender)
            }
            looked => looked.map_err(FeedError::Sender),
        }
    }
}

#[async_trait]
impl Feed for SenderFeed {
    async fn next(&mut self) -> Result<FeedItem, FeedError> {
        loop {
            if self.unreadable > std::mem::replace(&mut self.unreadable_told, self.unreadable) {
                return Ok(FeedItem::Unreadable { messages: self.unreadable });
            }
            if let Some(message) = self.ready.pop_front() {
                return Ok(FeedItem::Message(message));
            }
            match self.look().await {
                Ok(()) if std::mem::take(&mut self.is_lost) => return Ok(FeedItem::Restored),
                Ok(()) if !self.ready.is_empty() => {}
                Ok(()) => tokio::time::sleep(self.poll_interval).await,
                Err(error) if !is_transient(&error) => return Err(error),
                Err(error) if !std::mem::replace(&mut self.is_lost, true) => {
                    return Ok(FeedItem::Lost { reason: error.to_string() });
                }
                Err(_) => tokio::time::sleep(self.poll_interval).await,
            }
        }
    }
}

fn is_transient(error: &FeedError) -> bool {
    match error {
        FeedError::Sender(error) => error.is_transient(),
        FeedError::Login(error) => error.is_transient(),
        _ => false,
    }
}

async fn session_of(client: &Client) -> Result<SenderSession, FeedError> {
    let session = client.find_sender_session().await.map_err(FeedError::Login)?;
    session.ok_or(FeedError::NoWebhooks)
}

/// Without a filter, whoever asks names the message, and so its type.
fn message_of(message: SenderMessage, filter: Option<&Filter>) -> Message {
    let SenderMessage { id, event_type, timestamp, payload, .. } = message;
    let shows = filter.is_none_or(|filter| filter.shows(&event_type));
    let Some(payload) = payload else {
        let mut message = Message::of_body(id, event_type, timestamp, Bytes::new());
        message.body = Body::Withheld(Withheld::Pruned);
        return message;
    };
    let body = Bytes::from(payload.get().to_owned().into_bytes());
    let mut message = Message::of_body(id, event_type, timestamp, body);
    if !shows {
        message.body = Body::Withheld(Withheld::OneTimeCode);
    }
    message
}
