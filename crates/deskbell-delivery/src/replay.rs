//! Replay: events of the log are owed again, because somebody asks for it.

use std::sync::Arc;

use deskbell_store::deliveries::{DeadLetter, DeadLetterQuery, DeliveryKey, NewDelivery, Replays};
use deskbell_store::{ReadLimit, Seq, StoreError, StoredEvent};
use serde::{Deserialize, Serialize};

use crate::filter::{Decision, takes_type, view};
use crate::router::Route;

/// Deliveries that are revived or added in one transaction.
const CHUNK: u32 = 500;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// What to send again.
    pub what: What,
    /// To this destination only; `None` for all of them.
    pub destination: Option<String>,
    /// Events of these types only, or patterns such as `user.*`; `None` for all.
    pub events: Option<Vec<String>>,
    /// Events about this entity only.
    pub subject: Option<String>,
    /// At most this many deliveries.
    pub limit: Option<u64>,
    /// Count, and change nothing.
    pub dry_run: bool,
}

/// What to send again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// One event, whatever became of it before: to the named destination also where its filter
    /// does not want it, else to all that have it or want it.
    Event {
        /// The sender's id of the message.
        message_id: String,
    },
    /// Deliveries that were given up on at this time or later.
    DeadLettered {
        /// In milliseconds since the Unix epoch.
        since_ms: i64,
    },
    /// Events that were received at this time or later, that a destination's filter wants, and
    /// that were never owed to it.
    Missing {
        /// In milliseconds since the Unix epoch.
        since_ms: i64,
    },
}

/// What came of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Replayed {
    /// Deliveries that are owed again; with `dry_run`, that would be.
    pub deliveries: u64,
}

/// A replay that could not be made, or not to its end. What was done stays; asking again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No event has this message id.
    #[error("event {message_id:?} not found in the log")]
    NoSuchEvent {
        /// The message id.
        message_id: String,
    },
    /// What the event said has left the log: its time was up, or it was erased.
    #[error("the payload of {message_id:?} was pruned, so it cannot be sent again")]
    Pruned {
        /// The message id.
        message_id: String,
    },
    /// No destination has this name.
    #[error("destination {destination:?} not found; the destinations are {known}")]
    NoSuchDestination {
        /// The name.
        destination: String,
        /// Those that there are.
        known: String,
    },
    /// The store could not be read or written.
    #[error("failed to replay")]
    Store(#[from] StoreError),
}

/// Makes replays.
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

    /// Makes it.
    ///
    /// # Errors
    /// [`ReplayError`]: there is no such event or destination, or the store is away.
    pub async fn replay(&self, replay: &Replay) -> Result<Replayed, ReplayError> {
        let routes = self.routes_of(replay)?;
        let mut count = Count { left: replay.limit.unwrap_or(u64::MAX), done: 0 };
        match &replay.what {
            What::Event { message_id } => {
                self.event(message_id, &routes, replay, &mut count).await?;
            }
            What::DeadLettered { since_ms } => {
                for route in routes {
                    self.dead_lettered(*since_ms, route, replay, &mut count).await?;
                }
            }
            What::Missing { since_ms } => {
                self.missing(*since_ms, &routes, replay, &mut count).await?;
            }
        }
        Ok(Replayed { deliveries: count.done })
    }

    fn routes_of(&self, replay: &Replay) -> Result<Vec<&Route>, ReplayError> {
        let Some(destination) = &replay.destination else {
            return Ok(self.routes.iter().collect());
        };
        let named = |route: &&Route| *route.destination == **destination;
        let routes: Vec<_> = self.routes.iter().filter(named).collect();
        if routes.is_empty() {
            let names: Vec<_> = self.routes.iter().map(|route| &*route.destination).collect();
            let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            return Err(ReplayError::NoSuchDestination { destination: destination.clone(), known });
        }
        Ok(routes)
    }

    async fn event(
        &self,
        message_id: &str,
        routes: &[&Route],
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        let mut found = Vec::new();
        for source in &self.sources {
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
            for route in routes {
                let key = key(route, event.seq);
                if existing.iter().any(|delivery| delivery.key == key) {
                    again.push(key);
                } else if replay.destination.is_some()
                    || route.decide(&event, &view) == Decision::Deliver
                {
                    new.push(NewDelivery { key, subject: event.subject.clone() });
                }
            }
            self.revive(&again, replay, count).await?;
            self.enqueue(new, replay, count).await?;
        }
        Ok(())
    }

    async fn dead_lettered(
        &self,
        since_ms: i64,
        route: &Route,
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        let mut after = None;
        while count.left > 0 {
            let query = DeadLetterQuery {
                destination: Some(route.destination.to_string()),
                since_ms: Some(since_ms),
                after: after.take(),
                limit: CHUNK,
            };
            let letters = self.store.dead_letters(&query).await?;
            let Some(last) = letters.last() else { break };
            after = Some(last.key.clone());
            let wanted = letters.into_iter().filter(|letter| replay.takes_letter(letter));
            let keys: Vec<_> = wanted.map(|letter| letter.key).collect();
            self.revive(&keys, replay, count).await?;
        }
        Ok(())
    }

    async fn missing(
        &self,
        since_ms: i64,
        routes: &[&Route],
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        let first = self.log_from(since_ms).await?;
        if let Some(subject) = &replay.subject {
            return self.missing_about(subject, first, routes, replay, count).await;
        }
        let head = self.store.head().await?;
        let mut at = first;
        while count.left > 0 && at < head {
            let limit = ReadLimit { events_max: CHUNK, ..ReadLimit::default() };
            let events = self.store.read(at, limit).await?;
            let Some(last) = events.last() else { break };
            at = last.seq;
            self.enqueue_missing(&events, routes, replay, count).await?;
        }
        Ok(())
    }

    /// As [`missing`](Self::missing), about a subject: its places are known, however long the log.
    async fn missing_about(
        &self,
        subject: &str,
        first: Seq,
        routes: &[&Route],
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        // Places alone, since there may be many; and the oldest is sent first.
        let mut places = Vec::new();
        let mut before = None;
        loop {
            let limit = ReadLimit { events_max: CHUNK, ..ReadLimit::default() };
            let page = self.store.events_by_subject(subject, before, limit).await?;
            places.extend(page.events.iter().map(|event| event.seq).filter(|seq| *seq > first));
            before = page.older.filter(|older| *older > first.next());
            if before.is_none() {
                break;
            }
        }
        for place in places.into_iter().rev() {
            if count.left == 0 {
                break;
            }
            let limit = ReadLimit { events_max: 1, ..ReadLimit::default() };
            let mut events = self.store.read(Seq::new(place.get() - 1), limit).await?;
            // Another one comes where it has been pruned in the meantime.
            events.retain(|event| event.seq == place);
            self.enqueue_missing(&events, routes, replay, count).await?;
        }
        Ok(())
    }

    /// Owes these events to the destinations that want them and were never owed them.
    async fn enqueue_missing(
        &self,
        events: &[StoredEvent],
        routes: &[&Route],
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        let wanted: Vec<NewDelivery> =
            events.iter().flat_map(|event| wanted(event, routes, replay)).collect();
        let keys: Vec<_> = wanted.iter().map(|delivery| delivery.key.clone()).collect();
        let missing = self.store.missing(&keys).await?;
        let new = wanted.into_iter().filter(|delivery| missing.contains(&delivery.key));
        self.enqueue(new.collect(), replay, count).await
    }

    /// The place in front of the first event that was received since then.
    async fn log_from(&self, since_ms: i64) -> Result<Seq, ReplayError> {
        let first = self.store.first_received_since(since_ms).await?;
        Ok(Seq::new(first.get() - 1))
    }

    async fn revive(
        &self,
        keys: &[DeliveryKey],
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        let keys = &keys[..count.room(keys.len())];
        if keys.is_empty() {
            return Ok(());
        }
        let done =
            if replay.dry_run { as_u64(keys.len()) } else { self.store.revive(keys).await? };
        count.add(done);
        Ok(())
    }

    async fn enqueue(
        &self,
        mut new: Vec<NewDelivery>,
        replay: &Replay,
        count: &mut Count,
    ) -> Result<(), ReplayError> {
        new.truncate(count.room(new.len()));
        if new.is_empty() {
            return Ok(());
        }
        let done =
            if replay.dry_run { as_u64(new.len()) } else { self.store.enqueue(&new).await? };
        count.add(done);
        Ok(())
    }
}

/// How many deliveries there were, and how many there may be.
struct Count {
    left: u64,
    done: u64,
}

impl Count {
    fn room(&self, wanted: usize) -> usize {
        wanted.min(usize::try_from(self.left).unwrap_or(usize::MAX))
    }

    fn add(&mut self, deliveries: u64) {
        self.done += deliveries;
        self.left = self.left.saturating_sub(deliveries);
    }
}

impl Replay {
    fn takes(&self, event_type: &str, subject: Option<&str>) -> bool {
        self.events.as_ref().is_none_or(|events| takes_type(events, event_type))
            && self.subject.as_deref().is_none_or(|wanted| subject == Some(wanted))
    }

    fn takes_letter(&self, letter: &DeadLetter) -> bool {
        self.takes(&letter.event_type, letter.subject.as_deref())
    }
}

/// The deliveries of this event that the destinations want.
fn wanted(event: &StoredEvent, routes: &[&Route], replay: &Replay) -> Vec<NewDelivery> {
    if !replay.takes(&event.event_type, event.subject.as_deref()) {
        return Vec::new();
    }
    let view = view(event);
    let wants = |route: &&&Route| route.decide(event, &view) == Decision::Deliver;
    let delivery =
        |route: &&Route| NewDelivery { key: key(route, event.seq), subject: event.subject.clone() };
    routes.iter().filter(wants).map(delivery).collect()
}

fn key(route: &Route, seq: Seq) -> DeliveryKey {
    DeliveryKey { destination: Arc::clone(&route.destination), seq }
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
