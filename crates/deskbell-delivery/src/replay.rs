//! Replay: makes events of the log pending again, on request.

use std::collections::HashSet;
use std::sync::Arc;

use deskbell_config::takes_type;
use deskbell_store::deliveries::{DeadLetter, DeadLetterQuery, DeliveryKey, NewDelivery, Replays};
use deskbell_store::{ReadLimit, Seq, StoreError, StoredEvent};
use serde::{Deserialize, Serialize};

use crate::filter::{Decision, view};
use crate::router::Route;

/// Deliveries that are revived or added in one transaction.
const CHUNK: u32 = 500;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    pub what: What,
    /// To this destination only; `None` for all of them.
    pub destination: Option<String>,
    /// Types, or patterns such as `user.*`; `None` for all.
    pub events: Option<Vec<String>>,
    /// Events about this entity only.
    pub subject: Option<String>,
    /// At most this many deliveries.
    pub limit: Option<u64>,
    /// Count, and change nothing.
    pub dry_run: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// One event, whatever became of it: to the named destination even if its filter does not take it,
    /// else to all that have or take it.
    Event {
        message_id: String,
        /// Of this source only; `None` for every source that has such an event.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
    },
    /// Deliveries that failed permanently at this time or later, in milliseconds since the Unix epoch.
    DeadLettered { since_ms: i64 },
    /// Events that were received at this time or later, in milliseconds since the Unix epoch, that a
    /// destination's filter takes and for which it has no delivery.
    Missing { since_ms: i64 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replayed {
    /// Deliveries that are pending again; with `dry_run`, that would be.
    pub deliveries: u64,
}

/// Why a replay failed. What it did before stays; replaying again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error("event {message_id:?} not found in the log")]
    NoSuchEvent { message_id: String },
    /// Its retention has ended, or it was erased.
    #[error("the payload of {message_id:?} was pruned, so it cannot be sent again")]
    Pruned { message_id: String },
    #[error("destination {destination:?} not found; the destinations are {known}")]
    NoSuchDestination { destination: String, known: String },
    #[error("failed to replay")]
    Store(#[from] StoreError),
}

#[derive(Debug)]
pub struct Replayer {
    store: Arc<dyn Replays>,
    routes: Vec<Route>,
    sources: Vec<String>,
}

impl Replayer {
    /// For the destinations and sources of the config.
    #[must_use]
    pub fn new(store: Arc<dyn Replays>, routes: Vec<Route>, sources: Vec<String>) -> Self {
        Self { store, routes, sources }
    }

    /// # Errors
    /// [`ReplayError`]: there is no such event or destination, or the store is unreachable.
    pub async fn replay(&self, replay: &Replay) -> Result<Replayed, ReplayError> {
        let routes = self.routes_of(replay)?;
        let left = replay.limit.unwrap_or(u64::MAX);
        let mut run = Run { store: &*self.store, routes, replay, left, done: 0 };
        match &replay.what {
            What::Event { message_id, source } => {
                let is_meant = |one: &&String| source.as_ref().is_none_or(|source| source == *one);
                run.event(message_id, self.sources.iter().filter(is_meant)).await?;
            }
            What::DeadLettered { since_ms } => run.dead_lettered(*since_ms).await?,
            What::Missing { since_ms } => run.missing(*since_ms).await?,
        }
        Ok(Replayed { deliveries: run.done })
    }

    /// Makes these events pending again, whatever became of them: at the named destination even if its
    /// filter does not take them, else at all that have or take them; at most so many deliveries.
    ///
    /// # Errors
    /// [`ReplayError`]: there is no such destination, or the store is unreachable.
    pub async fn replay_events(
        &self,
        events: &[StoredEvent],
        destination: Option<&str>,
        limit: Option<u64>,
        dry_run: bool,
    ) -> Result<Replayed, ReplayError> {
        let routes = self.routes_to(destination)?;
        let mut keys = Vec::new();
        for event in events {
            keys.extend(routes.iter().map(|route| key(route, event.seq)));
        }
        let missing: HashSet<_> = self.store.missing(&keys).await?.into_iter().collect();
        let mut again: Vec<_> = keys.into_iter().filter(|key| !missing.contains(key)).collect();
        let mut new = Vec::new();
        for event in events {
            let view = view(event);
            for route in &routes {
                let key = key(route, event.seq);
                let is_taken = || route.decide(event, &view) == Decision::Deliver;
                if missing.contains(&key) && (destination.is_some() || is_taken()) {
                    new.push(NewDelivery { key, subject: event.subject.clone() });
                }
            }
        }
        let room = usize::try_from(limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        again.truncate(room);
        new.truncate(room - again.len());
        if dry_run {
            return Ok(Replayed { deliveries: as_u64(again.len() + new.len()) });
        }
        let mut deliveries = 0;
        for keys in again.chunks(CHUNK as usize) {
            deliveries += self.store.revive(keys).await?;
        }
        for added in new.chunks(CHUNK as usize) {
            deliveries += self.store.enqueue(added).await?;
        }
        Ok(Replayed { deliveries })
    }

    fn routes_of(&self, replay: &Replay) -> Result<Vec<&Route>, ReplayError> {
        self.routes_to(replay.destination.as_deref())
    }

    fn routes_to(&self, destination: Option<&str>) -> Result<Vec<&Route>, ReplayError> {
        let Some(destination) = destination else {
            return Ok(self.routes.iter().collect());
        };
        let named = |route: &&Route| *route.destination == *destination;
        let routes: Vec<_> = self.routes.iter().filter(named).collect();
        if routes.is_empty() {
            let names: Vec<_> = self.routes.iter().map(|route| &*route.destination).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let destination = destination.to_owned();
            return Err(ReplayError::NoSuchDestination { destination, known });
        }
        Ok(routes)
    }
}

/// One replay, and how far it has come.
struct Run<'a> {
    store: &'a dyn Replays,
    /// The destinations that it is for.
    routes: Vec<&'a Route>,
    replay: &'a Replay,
    /// How many more deliveries may be made.
    left: u64,
    done: u64,
}

impl Run<'_> {
    async fn event(
        &mut self,
        message_id: &str,
        sources: impl Iterator<Item = &String>,
    ) -> Result<(), ReplayError> {
        let mut found = Vec::new();
        for source in sources {
            found.extend(self.store.find(source, message_id).await?);
        }
        if found.is_empty() {
            return Err(ReplayError::NoSuchEvent { message_id: message_id.to_owned() });
        }
        found.retain(|event| !event.is_pruned());
        if found.is_empty() {
            return Err(ReplayError::Pruned { message_id: message_id.to_owned() });
        }
        for event in found {
            let existing = self.store.deliveries_of(event.seq).await?;
            let view = view(&event);
            let (mut again, mut new) = (Vec::new(), Vec::new());
            for route in &self.routes {
                let key = key(route, event.seq);
                if existing.iter().any(|delivery| delivery.key == key) {
                    again.push(key);
                } else if self.replay.destination.is_some()
                    || route.decide(&event, &view) == Decision::Deliver
                {
                    new.push(NewDelivery { key, subject: event.subject.clone() });
                }
            }
            self.revive(again).await?;
            self.enqueue(new).await?;
        }
        Ok(())
    }

    async fn dead_lettered(&mut self, since_ms: i64) -> Result<(), ReplayError> {
        for route in self.routes.clone() {
            let mut after = None;
            while self.left > 0 {
                let query = DeadLetterQuery {
                    destination: Some(route.destination.to_string()),
                    since_ms: Some(since_ms),
                    after: after.take(),
                    limit: CHUNK,
                };
                let page = self.store.dead_letters(&query).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key.clone());
                let is_wanted =
                    |one: &DeadLetter| self.replay.takes(&one.event_type, one.subject.as_deref());
                let keys = page.into_iter().filter(is_wanted).map(|one| one.key).collect();
                self.revive(keys).await?;
            }
        }
        Ok(())
    }

    async fn missing(&mut self, since_ms: i64) -> Result<(), ReplayError> {
        let first = self.store.first_received_since(since_ms).await?;
        let mut at = Seq::new(first.get() - 1);
        if let Some(subject) = &self.replay.subject {
            return self.missing_about(subject, at).await;
        }
        let head = self.store.head().await?;
        while self.left > 0 && at < head {
            let limit = ReadLimit { events_max: CHUNK, ..ReadLimit::default() };
            let events = self.store.read(at, limit).await?;
            let Some(last) = events.last() else { break };
            at = last.seq;
            self.enqueue_missing(&events).await?;
        }
        Ok(())
    }

    /// [`missing`](Self::missing) for one subject, whose events are found by an index.
    async fn missing_about(&mut self, subject: &str, first: Seq) -> Result<(), ReplayError> {
        // Sequence numbers alone, since there may be many. The oldest is sent first.
        let mut seqs = Vec::new();
        let mut before = None;
        loop {
            let limit = ReadLimit { events_max: CHUNK, ..ReadLimit::default() };
            let page = self.store.events_by_subject(subject, before, limit).await?;
            seqs.extend(page.events.iter().map(|event| event.seq).filter(|seq| *seq > first));
            before = page.older.filter(|older| *older > first.next());
            if before.is_none() {
                break;
            }
        }
        for seq in seqs.into_iter().rev() {
            if self.left == 0 {
                break;
            }
            let limit = ReadLimit { events_max: 1, ..ReadLimit::default() };
            let mut events = self.store.read(Seq::new(seq.get() - 1), limit).await?;
            // If it has been pruned in the meantime, the next one is read.
            events.retain(|event| event.seq == seq);
            self.enqueue_missing(&events).await?;
        }
        Ok(())
    }

    /// Enqueues these events for the destinations that take them and have no delivery.
    async fn enqueue_missing(&mut self, events: &[StoredEvent]) -> Result<(), ReplayError> {
        let wanted: Vec<_> = events.iter().flat_map(|event| self.wanted(event)).collect();
        let keys: Vec<_> = wanted.iter().map(|delivery| delivery.key.clone()).collect();
        let missing = self.store.missing(&keys).await?;
        let new = wanted.into_iter().filter(|delivery| missing.contains(&delivery.key));
        self.enqueue(new.collect()).await
    }

    /// The deliveries of this event to the destinations that take it.
    fn wanted(&self, event: &StoredEvent) -> Vec<NewDelivery> {
        if !self.replay.takes(&event.event_type, event.subject.as_deref()) {
            return Vec::new();
        }
        let view = view(event);
        let takers =
            self.routes.iter().filter(|route| route.decide(event, &view) == Decision::Deliver);
        let subject = &event.subject;
        takers
            .map(|route| NewDelivery { key: key(route, event.seq), subject: subject.clone() })
            .collect()
    }

    async fn revive(&mut self, mut keys: Vec<DeliveryKey>) -> Result<(), ReplayError> {
        keys.truncate(self.room());
        let done = match keys.len() {
            0 => return Ok(()),
            count if self.replay.dry_run => as_u64(count),
            _ => self.store.revive(&keys).await?,
        };
        self.count(done);
        Ok(())
    }

    async fn enqueue(&mut self, mut new: Vec<NewDelivery>) -> Result<(), ReplayError> {
        new.truncate(self.room());
        let done = match new.len() {
            0 => return Ok(()),
            count if self.replay.dry_run => as_u64(count),
            _ => self.store.enqueue(&new).await?,
        };
        self.count(done);
        Ok(())
    }

    fn room(&self) -> usize {
        usize::try_from(self.left).unwrap_or(usize::MAX)
    }

    fn count(&mut self, deliveries: u64) {
        self.done += deliveries;
        self.left = self.left.saturating_sub(deliveries);
    }
}

impl Replay {
    fn takes(&self, event_type: &str, subject: Option<&str>) -> bool {
        self.events.as_ref().is_none_or(|events| takes_type(events, event_type))
            && self.subject.as_deref().is_none_or(|wanted| subject == Some(wanted))
    }
}

fn key(route: &Route, seq: Seq) -> DeliveryKey {
    DeliveryKey { destination: Arc::clone(&route.destination), seq }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
