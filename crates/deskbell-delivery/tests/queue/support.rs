//! A store with events, a channel that does as it is told, and workers between them.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use deskbell_delivery::{
    Attempt, Channel, Delivery, DeliveryConfig, Filter, Outcome, ProbePolicy, Route, Router,
    RouterOptions, Worker, WorkerOptions,
};
use deskbell_store::deliveries::{
    DeliveryState, DeliverySummary, DestinationState, Ordering, Registration, StartFrom,
};
use deskbell_store::{Appended, Clock, NewEvent, Seq, SqliteStore, Store};
use tempfile::TempDir;
use tokio::time::Instant;

/// When the tests' time begins, in milliseconds since the Unix epoch.
pub(crate) const START_MS: i64 = 1_700_000_000_000;

/// A store of a test's own, and its clock.
pub(crate) struct World {
    directory: TempDir,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START_MS);
        let store = open(&directory, &clock).await;
        Self { directory, clock, store }
    }

    /// Closes the store and opens it again, as a program that starts anew would.
    pub(crate) async fn restart(self) -> Self {
        self.store.close().await;
        let Self { directory, clock, store } = self;
        drop(store);
        let store = open(&directory, &clock).await;
        Self { directory, clock, store }
    }

    pub(crate) async fn register(&self, destination: &str) {
        self.register_as(destination, StartFrom::Beginning, Ordering::None).await;
    }

    pub(crate) async fn register_as(&self, destination: &str, from: StartFrom, ordering: Ordering) {
        let name = destination.to_owned();
        self.store.register(&Registration { name, from, ordering }).await.unwrap();
    }

    /// Appends users' events with these message ids, all of one user.
    pub(crate) async fn append(&self, message_ids: &[&str]) -> Vec<Appended> {
        let events: Vec<_> =
            message_ids.iter().map(|id| event(id, "user.updated", "user_1")).collect();
        self.store.append(&events).await.unwrap()
    }

    /// Appends that many events, each about a user of its own, from number `first` on.
    pub(crate) async fn append_many(&self, first: usize, count: usize) {
        let event = |n| event(&format!("msg_{n}"), "user.updated", &format!("user_{n}"));
        let events: Vec<_> = (first..first + count).map(event).collect();
        self.store.append(&events).await.unwrap();
    }

    /// Routes everything to these destinations, which want all of it.
    pub(crate) async fn route(&self, destinations: &[&str]) {
        let mut router = self.router(destinations.iter().map(|name| route(name)).collect());
        while router.run_once().await.unwrap().more {}
    }

    pub(crate) fn router(&self, routes: Vec<Route>) -> Router {
        Router::new(self.store.clone(), routes, RouterOptions::default())
    }

    pub(crate) fn worker(&self, channel: &Arc<Scripted>) -> Worker {
        self.worker_with(channel, options(&channel.destination))
    }

    pub(crate) fn worker_with(&self, channel: &Arc<Scripted>, options: WorkerOptions) -> Worker {
        let channel = Arc::clone(channel) as Arc<dyn Channel>;
        Worker::new(self.store.clone(), channel, options)
    }

    pub(crate) async fn delivery(&self, destination: &str, seq: i64) -> DeliverySummary {
        let all = self.store.deliveries_of(Seq::new(seq)).await.unwrap();
        all.into_iter().find(|one| *one.key.destination == *destination).unwrap()
    }

    pub(crate) async fn state(&self, destination: &str, seq: i64) -> DeliveryState {
        self.delivery(destination, seq).await.state
    }

    pub(crate) async fn destination(&self, name: &str) -> DestinationState {
        let all = self.store.destinations().await.unwrap();
        all.into_iter().find(|state| *state.name == *name).unwrap()
    }
}

async fn open(directory: &TempDir, clock: &Clock) -> Arc<dyn Store> {
    let path = directory.path().join("deskbell.db");
    Arc::new(SqliteStore::open_with_clock(&path, clock.clone()).await.unwrap())
}

pub(crate) fn event(message_id: &str, event_type: &str, subject: &str) -> NewEvent {
    let body = format!(r#"{{"type":"{event_type}","object":"event","data":{{"id":"{subject}"}}}}"#);
    testkit::event(message_id, event_type).subject(subject).at(START_MS).body(body).new_event()
}

pub(crate) fn route(destination: &str) -> Route {
    route_with(destination, Filter::default())
}

pub(crate) fn route_with(destination: &str, filter: Filter) -> Route {
    Route {
        destination: destination.into(),
        filter,
        takes_notices: false,
        takes_api_messages: false,
    }
}

/// A worker's options, with a destination that is never merely probed.
pub(crate) fn options(destination: &str) -> WorkerOptions {
    let probe = ProbePolicy { failures: u32::MAX, ..ProbePolicy::default() };
    WorkerOptions { probe, ..WorkerOptions::new(destination) }
}

/// The delivery keys with this `max_in_flight`.
pub(crate) fn in_flight(max_in_flight: usize) -> DeliveryConfig {
    DeliveryConfig { max_in_flight, ..DeliveryConfig::default() }
}

/// An attempt that failed with this status.
pub(crate) fn status(status: u16) -> Attempt {
    let reason = format!("the receiver answered {status}");
    Attempt { status: Some(status), ..Attempt::failed(reason) }
}

pub(crate) fn delivered() -> Attempt {
    Attempt {
        outcome: Outcome::Delivered,
        status: Some(200),
        reply: b"\0thanks\xff".as_slice().into(),
    }
}

type Script = dyn Fn(&Delivery) -> Attempt + Send + Sync;

/// A channel that answers as its script says, and remembers what it was asked.
pub(crate) struct Scripted {
    pub(crate) destination: String,
    script: Box<Script>,
    /// Message ids in the order in which their attempts began.
    seen: Mutex<Vec<String>>,
    in_flight: Mutex<(usize, usize)>,
}

impl Scripted {
    pub(crate) fn new(
        destination: &str,
        script: impl Fn(&Delivery) -> Attempt + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            destination: destination.to_owned(),
            script: Box::new(script),
            seen: Mutex::default(),
            in_flight: Mutex::default(),
        })
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The most attempts that were under way at once.
    pub(crate) fn most_in_flight(&self) -> usize {
        self.in_flight.lock().unwrap().1
    }
}

#[async_trait]
impl Channel for Scripted {
    async fn attempt(&self, delivery: &Delivery, _deadline: Instant) -> Attempt {
        self.seen.lock().unwrap().push(delivery.event.message_id.clone());
        {
            let mut in_flight = self.in_flight.lock().unwrap();
            in_flight.0 += 1;
            in_flight.1 = in_flight.1.max(in_flight.0);
        }
        // Others get their turn while this one is under way.
        tokio::task::yield_now().await;
        self.in_flight.lock().unwrap().0 -= 1;
        (self.script)(delivery)
    }
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scripted").field("destination", &self.destination).finish_non_exhaustive()
    }
}

/// A channel whose attempts never end.
#[derive(Debug)]
pub(crate) struct Hanging {
    pub(crate) begun: tokio::sync::Notify,
}

#[async_trait]
impl Channel for Hanging {
    async fn attempt(&self, _delivery: &Delivery, _deadline: Instant) -> Attempt {
        self.begun.notify_one();
        std::future::pending().await
    }
}

/// Works, and sets the clock forward to when more is due, until nothing is; the time that went by
/// at each attempt.
pub(crate) async fn work_for_days(
    world: &World,
    worker: &mut Worker,
    days_max: u64,
) -> Vec<Duration> {
    let mut times = Vec::new();
    let mut now = Duration::ZERO;
    while now < Duration::from_secs(days_max * 86_400) {
        let progress = worker.run_until_idle().await.unwrap();
        let attempts = progress.delivered + progress.retried + progress.dead_lettered;
        times.extend((0..attempts).map(|_| now));
        let Some(wait) = progress.next_due else { break };
        // The store counts in whole milliseconds.
        let wait = wait.max(Duration::from_millis(1));
        world.clock.advance(wait);
        now += wait;
    }
    times
}

impl World {
    /// Writes down how the destination `crm` is, as a command would.
    pub(crate) async fn store_health(
        &self,
        health: &deskbell_store::deliveries::DestinationHealth,
    ) {
        self.store.set_health("crm", health).await.unwrap();
    }
}
