//! One round: what the sender has beyond the checkpoint, the oldest first.

use std::collections::HashMap;

use clerk_api::sender::{Message, ReadError, SenderSession, SessionError, TimeRange};
use deskbell_store::clock::now_ms;
use deskbell_store::{ConsumerLog, StoreError};
use tokio::sync::Mutex;

use super::source::PulledSource;
use super::state::{Progress, PulledState};
use crate::instance::{KeyError, check_key};
use crate::message_event::event_of;
use crate::sender_login::SenderLogin;

/// Messages that are so much older than the checkpoint are looked at again: one may become visible
/// after a newer one.
const OVERLAP_MS: i64 = 60_000;

/// Why no message could be fetched.
#[derive(Debug, thiserror::Error)]
pub(super) enum PullError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("cannot log in to Clerk's sender")]
    Session(#[from] SessionError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("cannot use the event log's store")]
    Store(#[from] StoreError),
}

/// Fetches the messages of one source.
pub(super) struct Puller<'a> {
    source: &'a PulledSource,
    store: &'a dyn ConsumerLog,
    login: SenderLogin,
    /// Whether the key is known to be of the source's instance.
    is_checked: bool,
    /// Messages of the overlap that were looked at, and their times.
    seen: HashMap<String, i64>,
}

impl<'a> Puller<'a> {
    pub(super) fn new(source: &'a PulledSource, store: &'a dyn ConsumerLog) -> Self {
        let login = SenderLogin::new(source.client.clone());
        Self { source, store, login, is_checked: false, seen: HashMap::new() }
    }

    /// Fetches what is new; how many messages that were.
    pub(super) async fn run_once(
        &mut self,
        progress: &Mutex<Progress<'_>>,
    ) -> Result<usize, PullError> {
        let fetched = match self.fetch(progress).await {
            // The session may have ended.
            Err(PullError::Read(_)) if self.login.forget() => self.fetch(progress).await,
            fetched => fetched,
        }?;
        let state = progress.lock().await.of(&self.source.name);
        let state = PulledState { failing_since_ms: None, error: None, ..state };
        progress.lock().await.note(&self.source.name, state).await?;
        let labels = [("source", self.source.name.to_string())];
        let seconds = (now_ms() / 1_000) as f64;
        metrics::gauge!("deskbell_pull_last_success_timestamp_seconds", &labels).set(seconds);
        Ok(fetched)
    }

    async fn fetch(&mut self, progress: &Mutex<Progress<'_>>) -> Result<usize, PullError> {
        self.check_key().await?;
        let session = self.login.open().await?;
        let state = progress.lock().await.of(&self.source.name);
        if state.begun_at_ms.is_none() {
            self.begin(&session, progress).await?;
            return Ok(0);
        }
        let after = Some(state.until_ms - OVERLAP_MS).filter(|after| *after > 0);
        let range = TimeRange { after, before: None };
        let newest = session.messages(range, None).await?;
        let Some(next) = newest.next else { return self.take(newest.items, progress).await };
        // There is more than a page: the older pages first. Their iterators stay, whatever comes
        // meanwhile; the newest page does not, and is left to the next round.
        let mut fetched = 0;
        for iterator in older_pages(&session, range, next).await?.iter().rev() {
            let page = session.messages(range, Some(iterator)).await?;
            fetched += self.take(page.items, progress).await?;
        }
        if fetched == 0 {
            return self.take(newest.items, progress).await;
        }
        Ok(fetched)
    }

    /// A key of another instance must not fill the log.
    async fn check_key(&mut self) -> Result<(), KeyError> {
        if self.is_checked {
            return Ok(());
        }
        let PulledSource { name, instance_id, .. } = self.source;
        let client = self.login.client();
        let checked = check_key(client, self.store, name, instance_id.as_deref(), &[]).await;
        match checked {
            // Without an event yet, the key alone says which instance it is.
            Ok(_) | Err(KeyError::NoEvent { .. }) => self.is_checked = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Begins behind the newest message: what happened before is what a backfill is for, and nobody is
    /// welcomed twice.
    async fn begin(
        &self,
        session: &SenderSession,
        progress: &Mutex<Progress<'_>>,
    ) -> Result<(), PullError> {
        let newest = session.message_ids(TimeRange::default(), None).await?.items;
        let begun_at_ms = newest.first().map_or(0, |newest| newest.timestamp);
        let state = PulledState {
            begun_at_ms: Some(begun_at_ms),
            until_ms: begun_at_ms,
            ..PulledState::default()
        };
        progress.lock().await.note(&self.source.name, state).await?;
        let source = &*self.source.name;
        tracing::info!(source, "fetching the messages of Clerk's sender that are new from now on");
        Ok(())
    }

    /// Appends the messages of a page that are wanted and new, the oldest first, and moves the
    /// checkpoint.
    async fn take(
        &mut self,
        messages: Vec<Message>,
        progress: &Mutex<Progress<'_>>,
    ) -> Result<usize, PullError> {
        let state = progress.lock().await.of(&self.source.name);
        let mut events = Vec::new();
        let mut until_ms = state.until_ms;
        for message in messages.into_iter().rev() {
            until_ms = until_ms.max(message.timestamp);
            if self.is_new(&message, &state).await? {
                events.extend(event_of(&self.source.name, &message));
            }
            self.seen.insert(message.id, message.timestamp);
        }
        self.store.append(&events).await?;
        metrics::counter!(
            "deskbell_pull_messages_total", "source" => self.source.name.to_string()
        )
        .increment(u64::try_from(events.len()).unwrap_or(u64::MAX));
        let mut progress = progress.lock().await;
        progress.note(&self.source.name, PulledState { until_ms, ..state }).await?;
        self.seen.retain(|_, at_ms| *at_ms >= until_ms - OVERLAP_MS);
        Ok(events.len())
    }

    async fn is_new(&self, message: &Message, state: &PulledState) -> Result<bool, StoreError> {
        let is_wanted = (self.source.takes)(&message.event_type)
            && state.begun_at_ms.is_none_or(|begun| message.timestamp > begun)
            && !self.seen.contains_key(&message.id);
        Ok(is_wanted && self.store.find(&self.source.name, &message.id).await?.is_none())
    }
}

/// The iterators of all pages behind the newest one.
async fn older_pages(
    session: &SenderSession,
    range: TimeRange,
    first: String,
) -> Result<Vec<String>, ReadError> {
    let mut iterators = vec![first];
    while let Some(iterator) = iterators.last() {
        let Some(next) = session.message_ids(range, Some(iterator)).await?.next else { break };
        iterators.push(next);
    }
    Ok(iterators)
}
