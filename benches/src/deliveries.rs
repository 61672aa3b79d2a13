//! What the delivery benchmarks have in common: a receiver with threads of its own, a log with
//! events, and the router and the workers between them.

use std::ops::Range;
use std::sync::atomic::{self, AtomicUsize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use deskbell_delivery::{
    DeliveryConfig, EndpointSecrets, Filter, HttpChannel, HttpConfig, Route, Router, RouterOptions,
    Worker, WorkerOptions,
};
use deskbell_sim::Latencies;
use deskbell_sim::receiver::{Received, Receiver, Reply};
use deskbell_store::deliveries::{Ordering, Registration, StartFrom};
use deskbell_store::{LogHandle, LogWriter, LogWriterOptions, NewEvent, Origin, Store};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::endpoint::SECRET;
use crate::error::BenchError;
use crate::location::Location;

const EVENTS_A_TRANSACTION: usize = 1024;
const NUMBER_DIGITS: usize = 26;

/// A receiver on a thread of its own, which notes when each event came first.
#[derive(Debug)]
pub(crate) struct Target {
    receiver: Receiver,
    distinct: Arc<AtomicUsize>,
    arrivals: Arc<Mutex<Vec<Option<Instant>>>>,
    runtime: Runtime,
}

/// A destination that everything goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Destination<'a> {
    pub(crate) name: &'static str,
    pub(crate) url: &'a str,
    pub(crate) max_in_flight: usize,
    pub(crate) timeout: Duration,
}

/// A store, its log writer, and after [`Line::deliver`] the router and the workers.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) store: Arc<dyn Store>,
    log: LogHandle,
    writing: JoinSet<()>,
    delivering: JoinSet<()>,
    shutdown: CancellationToken,
}

impl Target {
    /// Outside of a runtime: it has its own.
    pub(crate) fn start(reply: Reply) -> Result<Self, BenchError> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let arrivals = Arc::new(Mutex::new(Vec::new()));
        let distinct = Arc::new(AtomicUsize::new(0));
        let (noted, counted) = (Arc::clone(&arrivals), Arc::clone(&distinct));
        let plan = move |received: &Received| {
            if received.attempt == 1 {
                counted.fetch_add(1, atomic::Ordering::Relaxed);
            }
            if let Some(number) = number(&received.message_id) {
                note(lock(&noted), number, Instant::now());
            }
            reply
        };
        let receiver = runtime.block_on(Receiver::start_forgetful(plan))?;
        Ok(Self { receiver, distinct, arrivals, runtime })
    }

    pub(crate) fn url(&self) -> String {
        self.receiver.url()
    }

    pub(crate) fn count(&self) -> usize {
        self.receiver.count()
    }

    pub(crate) async fn wait_for(&self, count: usize) {
        self.receiver.wait_for(count).await;
    }

    /// Waits until so many different events have come. Outside of a runtime.
    pub(crate) fn wait_for_distinct(
        &self,
        sent: usize,
        wait_max: Duration,
    ) -> Result<(), BenchError> {
        let distinct = || self.distinct.load(atomic::Ordering::Relaxed);
        let all = async {
            while distinct() < sent {
                // Each of the missing ones is one more request at least.
                let requests = self.count() + sent.saturating_sub(distinct());
                self.wait_for(requests).await;
            }
        };
        let waited = self.runtime.block_on(async { tokio::time::timeout(wait_max, all).await });
        waited.map_err(|_| BenchError::Requests { sent, received: distinct() })
    }

    /// From these moments to the events' arrivals.
    pub(crate) fn latencies(&self, since: &[(usize, Instant)]) -> Latencies {
        let arrivals = lock(&self.arrivals);
        let mut latencies = Latencies::default();
        for (number, acked_at) in since {
            if let Some(Some(arrived)) = arrivals.get(*number) {
                latencies.record(arrived.saturating_duration_since(*acked_at));
            }
        }
        latencies
    }
}

impl Line {
    pub(crate) async fn open(location: &Location) -> Result<Self, BenchError> {
        let store = location.open().await?;
        let (writer, log) = LogWriter::new(store.clone(), &LogWriterOptions::default());
        let writing = JoinSet::from_iter([writer.run()]);
        let shutdown = CancellationToken::new();
        Ok(Self { store, log, writing, delivering: JoinSet::new(), shutdown })
    }

    /// Writes events with these numbers into the log.
    pub(crate) async fn fill(
        &self,
        bodies: &[Bytes],
        numbers: Range<usize>,
    ) -> Result<(), BenchError> {
        let numbers: Vec<usize> = numbers.collect();
        for chunk in numbers.chunks(EVENTS_A_TRANSACTION) {
            let batch: Vec<_> = chunk.iter().map(|&number| event(bodies, number)).collect();
            self.store.append(&batch).await?;
        }
        Ok(())
    }

    pub(crate) async fn register(&self, name: &str, from: StartFrom) -> Result<(), BenchError> {
        register(&*self.store, name, from).await
    }

    /// Starts the router, and a worker for each destination; all are registered.
    pub(crate) fn deliver(&mut self, destinations: &[Destination<'_>]) -> Result<(), BenchError> {
        deliver(&self.store, destinations, &self.shutdown, &mut self.delivering)
    }

    pub(crate) fn route(&mut self, destinations: &[&str]) -> Result<(), BenchError> {
        route(&self.store, destinations, &self.shutdown, &mut self.delivering)
    }

    /// Appends one event every so often; when each was acked.
    pub(crate) async fn append_each(
        &self,
        every: Duration,
        bodies: &[Bytes],
        numbers: Range<usize>,
    ) -> Result<Vec<(usize, Instant)>, BenchError> {
        let mut acked_at = Vec::with_capacity(numbers.len());
        let mut pace = tokio::time::interval(every);
        for number in numbers {
            pace.tick().await;
            self.log.append(event(bodies, number)).await?;
            acked_at.push((number, Instant::now()));
        }
        Ok(acked_at)
    }

    /// Stops the workers, which write down what they have done, and then the rest.
    pub(crate) async fn stop_delivering(&mut self) {
        self.shutdown.cancel();
        while self.delivering.join_next().await.is_some() {}
    }

    pub(crate) async fn close(mut self) {
        self.stop_delivering().await;
        let Self { store, log, writing, .. } = self;
        drop(log);
        writing.join_all().await;
        store.close().await;
    }
}

pub(crate) async fn register(
    store: &dyn Store,
    name: &str,
    from: StartFrom,
) -> Result<(), BenchError> {
    let name = name.to_owned();
    store.register(&Registration { name, from, ordering: Ordering::None }).await?;
    Ok(())
}

/// Starts the router, and a worker for each destination; all are registered.
pub(crate) fn deliver(
    store: &Arc<dyn Store>,
    destinations: &[Destination<'_>],
    shutdown: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<(), BenchError> {
    for destination in destinations {
        let options = WorkerOptions {
            delivery: DeliveryConfig {
                max_in_flight: destination.max_in_flight,
                timeout: deskbell_config::Duration::new(destination.timeout),
                ..DeliveryConfig::default()
            },
            grace: Duration::from_millis(100),
            ..WorkerOptions::new(destination.name)
        };
        let channel = Arc::new(HttpChannel::new(&http_config(destination.url)?)?);
        let worker = Worker::new(store.clone(), channel, options);
        tasks.spawn(worker.run(shutdown.clone()));
    }
    let names: Vec<_> = destinations.iter().map(|destination| destination.name).collect();
    route(store, &names, shutdown, tasks)
}

fn route(
    store: &Arc<dyn Store>,
    destinations: &[&str],
    shutdown: &CancellationToken,
    tasks: &mut JoinSet<()>,
) -> Result<(), BenchError> {
    let mut routes = Vec::new();
    for &name in destinations {
        let filter = Filter::default();
        routes.push(Route {
            destination: name.into(),
            filter,
            takes_notices: false,
            takes_api_messages: false,
        });
    }
    let router = Router::new(store.clone(), routes, RouterOptions::default());
    tasks.spawn(router.run(shutdown.clone()));
    Ok(())
}

/// Writes events with these numbers into a log, and delivers them all. How many a second, until the
/// last of them is settled.
pub(crate) async fn deliver_all(
    location: &Location,
    bodies: &[Bytes],
    numbers: Range<usize>,
    destination: Destination<'_>,
    target: &Target,
) -> Result<f64, BenchError> {
    let events = numbers.len();
    let mut line = Line::open(location).await?;
    line.register(destination.name, StartFrom::Beginning).await?;
    line.fill(bodies, numbers).await?;
    let started = Instant::now();
    line.deliver(&[destination])?;
    target.wait_for(events).await;
    line.stop_delivering().await;
    let elapsed = started.elapsed();
    line.close().await;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok(events as f64 / elapsed.as_secs_f64())
}

fn http_config(url: &str) -> Result<HttpConfig, BenchError> {
    let parsed = |error: String| BenchError::Config(error);
    let url = url.parse().map_err(parsed)?;
    let secrets = EndpointSecrets(vec![SECRET.parse().map_err(parsed)?]);
    let allow_hosts = vec!["127.0.0.1".parse()?];
    Ok(HttpConfig { allow_hosts, ..HttpConfig::new(url, secrets) })
}

fn event(bodies: &[Bytes], number: usize) -> NewEvent {
    NewEvent {
        source: "clerk".into(),
        message_id: format!("msg_{number:0NUMBER_DIGITS$}"),
        event_type: "user.updated".to_owned(),
        subject: Some(format!("user_{number:027}")),
        occurred_at_ms: 1_767_225_600_000,
        instance_id: None,
        payload: bodies[number % bodies.len()].clone().into(),
        origin: Origin::Webhook,
    }
}

/// The number of the event with this message id.
fn number(message_id: &str) -> Option<usize> {
    message_id.strip_prefix("msg_")?.parse().ok()
}

fn note(mut arrivals: MutexGuard<'_, Vec<Option<Instant>>>, number: usize, at: Instant) {
    if arrivals.len() <= number {
        arrivals.resize(number + 1, None);
    }
    arrivals[number].get_or_insert(at);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
