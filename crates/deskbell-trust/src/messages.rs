//! The sender's own record: which of its messages have come in, and fetching those that have not.

mod fetch;

use std::time::Duration;

use clerk_api::sender::{
    Endpoint, EventFilter, Message, ReadError, SendAgainError, SenderSession, TimeRange,
};
use deskbell_store::{EventLog, StoreError};
use tokio::time::{Instant, sleep};

use crate::connect::endpoint_uid;
pub use fetch::fetch_messages;

/// A message is on its way for so long.
const ON_ITS_WAY_MS: i64 = 60_000;
/// Missing messages that are kept; of further ones only the number is.
const MISSING_MAX: usize = 100_000;
/// How often it is looked whether what is sent again has come in.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Compares the sender's messages with the event log.
pub struct MessageComparison<'a> {
    pub session: &'a SenderSession,
    pub scope: MessageScope<'a>,
    pub log: &'a dyn EventLog,
    /// The source that the messages are of.
    pub source: &'a str,
}

/// Which messages should have come in.
#[derive(Clone, Copy)]
pub enum MessageScope<'a> {
    /// What this endpoint gets.
    Endpoint(&'a Endpoint),
    /// What is fetched.
    Pull {
        /// Whether messages of this type are wanted.
        takes: &'a (dyn Fn(&str) -> bool + Sync),
        /// Messages up to this time were there before the first fetch.
        begun_at_ms: i64,
    },
}

/// What became of the sender's messages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessagesCompared {
    /// The messages that the endpoint gets.
    pub sent: u64,
    /// Those that are in the event log.
    pub received: u64,
    /// Those that are not, and are younger than a minute.
    pub on_their_way: u64,
    /// How many others are not.
    pub missing: u64,
    /// Their ids, the newest first; not all, where there are very many.
    pub missing_ids: Vec<String>,
    /// How many of the missing ones the sender was asked to send again.
    pub asked_again: u64,
    /// How many of the missing ones have come in since.
    pub recovered: u64,
    /// How many of the missing ones were fetched.
    pub fetched: u64,
}

/// Messages that could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum MessagesError {
    #[error("cannot read the messages of Clerk's sender")]
    Read(#[from] ReadError),
    #[error("cannot read the event log")]
    Store(#[from] StoreError),
    #[error("Clerk's sender cannot send a message again")]
    Again(#[from] SendAgainError),
}

/// The endpoint of a source: the one that Deskbell made, or the only one that has one of its paths.
#[must_use]
pub fn endpoint_of<'a>(
    endpoints: &'a [Endpoint],
    source: &str,
    paths: &[String],
) -> Option<&'a Endpoint> {
    let uid = endpoint_uid(source);
    if let Some(ours) = endpoints.iter().find(|one| one.uid.as_ref() == Some(&uid)) {
        return Some(ours);
    }
    let path_of = |endpoint: &Endpoint| {
        url::Url::parse(&endpoint.url).map(|url| url.path().to_owned()).unwrap_or_default()
    };
    let mut of_paths = endpoints.iter().filter(|one| paths.contains(&path_of(one)));
    of_paths.next().filter(|_| of_paths.next().is_none())
}

impl MessagesCompared {
    /// The messages that are missing still.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.missing.saturating_sub(self.recovered).saturating_sub(self.fetched)
    }
}

impl MessageComparison<'_> {
    /// Compares the messages since this time, but for those from before the endpoint was made, or before
    /// the first fetch: these never came.
    ///
    /// # Errors
    /// The sender or the log could not be read.
    pub async fn compare(
        &self,
        since_ms: i64,
        now_ms: i64,
    ) -> Result<MessagesCompared, MessagesError> {
        let after = Some(since_ms.max(self.scope.begun_at_ms()));
        let range = TimeRange { after, before: None };
        let (mut compared, mut iterator) = (MessagesCompared::default(), None);
        loop {
            let page = self.session.message_ids(range, iterator.as_deref()).await?;
            for message in page.items.iter().filter(|message| self.scope.takes(message)) {
                self.count(message, now_ms, &mut compared).await?;
            }
            if page.unreadable > 0 {
                let (source, messages) = (self.source, page.unreadable);
                tracing::warn!(source, messages, "messages of Clerk's sender cannot be read");
            }
            iterator = page.next;
            if iterator.is_none() {
                return Ok(compared);
            }
        }
    }

    async fn count(
        &self,
        message: &Message,
        now_ms: i64,
        compared: &mut MessagesCompared,
    ) -> Result<(), StoreError> {
        compared.sent += 1;
        if self.log.find(self.source, &message.id).await?.is_some() {
            compared.received += 1;
        } else if now_ms - message.timestamp < ON_ITS_WAY_MS {
            compared.on_their_way += 1;
        } else {
            compared.missing += 1;
            if compared.missing_ids.len() < MISSING_MAX {
                compared.missing_ids.push(message.id.clone());
            }
        }
        Ok(())
    }

    /// Has the sender send the missing messages to the endpoint again, the oldest first, and waits for
    /// this long until they are in the log.
    ///
    /// # Errors
    /// The sender refuses it, or the log could not be read.
    pub async fn have_sent_again(
        &self,
        endpoint: &Endpoint,
        compared: &mut MessagesCompared,
        wait: Duration,
    ) -> Result<(), MessagesError> {
        for id in compared.missing_ids.iter().rev() {
            match self.session.resend(id, &endpoint.id).await {
                Ok(()) => compared.asked_again += 1,
                // One that the sender does not keep any more stops none of the others.
                Err(error) if !error.is_transient() => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(event.id = id, error, "a message cannot be sent again");
                }
                Err(error) => return Err(error.into()),
            }
        }
        let deadline = Instant::now() + wait;
        let mut left = compared.missing_ids.clone();
        loop {
            let mut still = Vec::new();
            for id in left {
                match self.log.find(self.source, &id).await? {
                    Some(_) => compared.recovered += 1,
                    None => still.push(id),
                }
            }
            left = still;
            if left.is_empty() || Instant::now() >= deadline {
                compared.missing_ids = left;
                return Ok(());
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

impl MessageScope<'_> {
    fn begun_at_ms(&self) -> i64 {
        match self {
            Self::Endpoint(endpoint) => endpoint.created_at,
            Self::Pull { begun_at_ms, .. } => *begun_at_ms,
        }
    }

    fn takes(&self, message: &Message) -> bool {
        match self {
            Self::Endpoint(endpoint) => match &endpoint.events {
                EventFilter::All => true,
                EventFilter::Only(types) => types.contains(&message.event_type),
            },
            Self::Pull { takes, begun_at_ms } => {
                takes(&message.event_type) && message.timestamp > *begun_at_ms
            }
        }
    }
}
