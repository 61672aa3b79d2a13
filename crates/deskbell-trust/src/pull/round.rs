//! One round: what the sender has beyond the checkpoint, the oldest first.

use std::collections::HashMap;

use clerk_api::sender::{Message, ReadError, SenderPage, SenderSession, TimeRange};
use deskbell_store::clock::now_ms;
use deskbell_store::{ConsumerLog, StoreError};
use tokio::sync::Mutex;

use super::source::PulledSource;
use super::state::{Progress, PulledState};
use crate::append::append_in_parts;
use crate::instance::{KeyError, newest_messages_of};
use crate::message_event::{FetchError, check_key_of_messages, event_of};
use crate::sender_login::SenderLogin;

/// Messages that are so much older than the checkpoint are looked at again: one may become visible
/// after a newer one.
const OVERLAP_MS: i64 = 60_000;
/// For so long the sender tries to send a message: a source that was sent to may lack some of them.
const SENT_FOR_MS: i64 = 2 * 24 * 3_600_000;
/// Pages of what is new: 90 days of a very large instance.
const PAGES_MAX: usize = 20_000;

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
    ) -> Result<usize, FetchError> {
        let fetched = match self.fetch(progress).await {
            Err(FetchError::Read(error)) if self.login.has_ended(error.api_error()) => {
                self.fetch(progress).await
            }
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

    async fn fetch(&mut self, progress: &Mutex<Progress<'_>>) -> Result<usize, FetchError> {
        self.check_key().await?;
        let session = self.login.open().await?;
        let state = progress.lock().await.of(&self.source.name);
        if state.begun_at_ms.is_none() {
            self.begin(&session, progress).await?;
            return Ok(0);
        }
        let after = Some(state.until_ms - OVERLAP_MS).filter(|after| *after > 0);
        let range = TimeRange { after, before: None };
        let newest = page_of(&session, range, None).await?;
        let Some(next) = newest.next.clone() else { return self.take(newest, progress).await };
        // There is more than a page: the older pages first. Their iterators stay, whatever comes
        // meanwhile; the newest page does not, and is left to the next round.
        let mut fetched = 0;
        for iterator in older_pages(&session, range, next).await?.iter().rev() {
            let page = page_of(&session, range, Some(iterator)).await?;
            fetched += self.take(page, progress).await?;
        }
        if fetched == 0 {
            return self.take(newest, progress).await;
        }
        Ok(fetched)
    }

    async fn check_key(&mut self) -> Result<(), KeyError> {
        if !self.is_checked {
            let PulledSource { name, instance_id, .. } = self.source;
            let (client, instance_id) = (self.login.client(), instance_id.as_deref());
            check_key_of_messages(client, self.store, name, instance_id).await?;
            self.is_checked = true;
        }
        Ok(())
    }

    /// Begins behind the newest message: what happened before is what a backfill is for, and nobody is
    /// welcomed twice. A source whose messages were sent before begins where some may be missing still.
    async fn begin(
        &self,
        session: &SenderSession,
        progress: &Mutex<Progress<'_>>,
    ) -> Result<(), FetchError> {
        let newest = session.message_ids(TimeRange::default(), None).await?.items;
        let newest_ms = newest.first().map_or(0, |newest| newest.timestamp);
        let events = newest_messages_of(self.store, &self.source.name).await?;
        let begun_at_ms = match events.is_empty() {
            true => newest_ms,
            false => newest_ms.saturating_sub(SENT_FOR_MS).max(0),
        };
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
        page: SenderPage<Message>,
        progress: &Mutex<Progress<'_>>,
    ) -> Result<usize, FetchError> {
        if page.unreadable > 0 {
            let (source, messages) = (&*self.source.name, page.unreadable);
            tracing::warn!(source, messages, "messages of Clerk's sender cannot be read; left out");
        }
        let state = progress.lock().await.of(&self.source.name);
        let mut events = Vec::new();
        let mut looked_at = Vec::new();
        for message in page.items.into_iter().rev() {
            if self.is_new(&message, &state).await? {
                events.extend(event_of(&self.source.name, &message));
            }
            looked_at.push((message.id, message.timestamp));
        }
        append_in_parts(self.store, &events).await?;
        metrics::counter!(
            "deskbell_pull_messages_total", "source" => self.source.name.to_string()
        )
        .increment(u64::try_from(events.len()).unwrap_or(u64::MAX));
        // A time in the future would hide what comes before it, within the overlap too.
        let now_ms = now_ms();
        let newest_ms = looked_at.iter().map(|(_, at_ms)| (*at_ms).min(now_ms)).max();
        let until_ms = state.until_ms.max(newest_ms.unwrap_or(0));
        progress.lock().await.note(&self.source.name, PulledState { until_ms, ..state }).await?;
        self.seen.extend(looked_at);
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
        let next = session.message_ids(range, Some(iterator)).await?.next;
        let Some(next) = next.filter(|next| next != iterator) else { break };
        if iterators.len() == PAGES_MAX {
            return Err(ReadError::TooMany { what: "messages", pages_max: PAGES_MAX });
        }
        iterators.push(next);
    }
    Ok(iterators)
}

/// A page with the payloads; message by message where it cannot be read as a whole.
async fn page_of(
    session: &SenderSession,
    range: TimeRange,
    iterator: Option<&str>,
) -> Result<SenderPage<Message>, ReadError> {
    match session.messages(range, iterator).await {
        Err(error) if is_of_the_answer(&error) => {}
        page => return page,
    }
    let mut page = session.message_ids(range, iterator).await?;
    for message in &mut page.items {
        match session.message(&message.id).await {
            Ok(found) => *message = found.unwrap_or_else(|| message.clone()),
            Err(error) if is_of_the_answer(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}

/// Whether there is an answer, and it cannot be read: the next try would get the same.
fn is_of_the_answer(error: &ReadError) -> bool {
    !error.is_transient() && error.api_error().is_none()
}
