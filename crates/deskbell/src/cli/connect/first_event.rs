//! The first event: whether it has arrived in the event log, and having one sent for it.

use std::sync::Arc;
use std::time::Duration;

use clerk_api::sender::{Endpoint, EventFilter, SenderSession, TimeRange};
use deskbell_store::{
    Origin, ReadLimit, ReplayRequest, Seq, Store, StoreError, StoreLocation, StoredEvent,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::error::Error;
use crate::config::Config;
use crate::used_types::has_side_effects;

/// How often the event log is read.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How often the message is sent again while nothing arrives: `serve` may start meanwhile.
const RESEND_INTERVAL: Duration = Duration::from_secs(10);
/// Replay requests that are read at once.
const REPLAYS_MAX: u32 = 1_000;

/// What has arrived since the beginning.
pub(super) struct FirstEvent {
    location: StoreLocation,
    source: String,
    /// `None` as long as there is no event log.
    store: Option<Arc<dyn Store>>,
    after: Seq,
    /// The last replay request before.
    replay_after: i64,
}

/// An event that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    pub(super) message_id: String,
    pub(super) event_type: String,
    pub(super) seq: i64,
}

pub(super) enum Received {
    Event(Arrived),
    /// In time.
    Nothing {
        /// The HTTP status of the sender's last attempt, if there was one.
        last_status: Option<i32>,
    },
}

impl FirstEvent {
    /// Remembers what is in the event log now.
    pub(super) async fn begin(config: &Config, source: &str) -> Result<Self, Error> {
        let (location, source) = (config.store.location(), source.to_owned());
        let mut first = Self { location, source, store: None, after: Seq::ZERO, replay_after: 0 };
        if let Some(store) = first.opened().await? {
            first.after = store.head().await?;
            while !first.next_replays(&*store).await?.is_empty() {}
        }
        Ok(first)
    }

    /// The newest message that the endpoint takes and that can be sent again without any other effect than an event:
    /// one that is in the event log already, or that no delivery is made of.
    pub(super) async fn choose_message(
        &mut self,
        config: &Config,
        session: &SenderSession,
        endpoint: &Endpoint,
    ) -> Result<Option<String>, Error> {
        let messages = match session.message_ids(TimeRange::default(), None).await {
            Ok(page) => page.items,
            Err(error) => {
                errln!("warning: {error}; waiting for the next event instead");
                return Ok(None);
            }
        };
        let store = self.opened().await?;
        for message in messages {
            if !takes(endpoint, &message.event_type) {
                continue;
            }
            let is_known = match &store {
                Some(store) => store.find(&self.source, &message.id).await?.is_some(),
                None => false,
            };
            if is_known || !has_side_effects(config, &self.source, &message.event_type) {
                return Ok(Some(message.id));
            }
        }
        Ok(None)
    }

    /// Waits for an event of the source, and has the message sent again meanwhile.
    pub(super) async fn wait(
        &mut self,
        time: Duration,
        mut message: Option<String>,
        session: &SenderSession,
        endpoint: &Endpoint,
    ) -> Result<Received, Error> {
        let start = Instant::now();
        let mut resend_at = start;
        let mut poll = interval(POLL_INTERVAL);
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let resent = message.clone();
        loop {
            poll.tick().await;
            if let Some(arrived) = self.arrived(resent.as_deref()).await? {
                return Ok(Received::Event(arrived));
            }
            if start.elapsed() >= time {
                let last_status = last_status(session, endpoint).await;
                return Ok(Received::Nothing { last_status });
            }
            if let Some(id) = message.take_if(|_| resend_at <= Instant::now()) {
                match session.resend(&id, &endpoint.id).await {
                    Ok(()) => message = Some(id),
                    Err(error) => errln!("warning: {error}; waiting for the next event instead"),
                }
                resend_at = Instant::now() + RESEND_INTERVAL;
            }
        }
    }

    pub(super) async fn close(self) {
        if let Some(store) = self.store {
            store.close().await;
        }
    }

    /// The next event of the source, or the message that was there before and has come again.
    async fn arrived(&mut self, resent: Option<&str>) -> Result<Option<Arrived>, Error> {
        let Some(store) = self.opened().await? else { return Ok(None) };
        let limit = ReadLimit { events_max: 100, bytes_max: 1 << 20 };
        for event in store.read(self.after, limit).await? {
            self.after = event.seq;
            if *event.source == *self.source && event.origin == Origin::Webhook {
                return Ok(Some(Arrived::new(&event)));
            }
        }
        let replays = self.next_replays(&*store).await?;
        let (Some(resent), false) = (resent, replays.is_empty()) else { return Ok(None) };
        let event = store.find(&self.source, resent).await?;
        let event = event.filter(|event| replays.iter().any(|replay| replay.seq == event.seq));
        Ok(event.map(|event| Arrived::new(&event)))
    }

    /// The next of the requests that messages leave which come again.
    async fn next_replays(&mut self, store: &dyn Store) -> Result<Vec<ReplayRequest>, StoreError> {
        let replays = store.replay_requests(self.replay_after, REPLAYS_MAX).await?;
        self.replay_after = replays.last().map_or(self.replay_after, |last| last.number);
        Ok(replays)
    }

    /// The event log, as soon as there is one.
    async fn opened(&mut self) -> Result<Option<Arc<dyn Store>>, Error> {
        if self.store.is_none() {
            self.store = match self.location.open_to_read().await {
                Ok(store) => Some(store),
                Err(error) if error.is_missing() => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(self.store.clone())
    }
}

impl Arrived {
    fn new(event: &StoredEvent) -> Self {
        Self {
            message_id: event.message_id.clone(),
            event_type: event.event_type.clone(),
            seq: event.seq.get(),
        }
    }
}

fn takes(endpoint: &Endpoint, event_type: &str) -> bool {
    match &endpoint.events {
        EventFilter::All => true,
        EventFilter::Only(types) => types.iter().any(|one| one == event_type),
    }
}

/// What the last attempt came to. It only helps to explain, and so an error is none.
async fn last_status(session: &SenderSession, endpoint: &Endpoint) -> Option<i32> {
    let attempts = session.attempts(&endpoint.id, TimeRange::default(), None).await.ok()?;
    Some(attempts.items.first()?.response_status)
}
