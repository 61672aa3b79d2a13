//! A lean load generator: keep-alive connections that write requests signed beforehand and read no more of an answer than they must.
//!
//! For benchmarks. It shares the machine with the server it measures, so that it does as little as it can while it runs.

mod connection;
mod request;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::connection::Connection;
pub use self::request::{IdOrder, PreparedRequest, Target, prepare};
use crate::latency::Latencies;
use crate::sender::per_second;

/// How to load a server.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    pub address: SocketAddr,
    /// How many keep-alive connections send, each one request at a time.
    pub connections: usize,
    /// When to stop, unless the requests are used up before.
    pub duration_max: Option<Duration>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct LoadReport {
    /// Requests that were answered.
    pub answered: usize,
    /// Answers that were 2xx.
    pub acked: usize,
    /// Answers that were not.
    pub refused: usize,
    /// Requests that got no answer, because the connection could not be made or broke.
    pub broken: usize,
    /// 2xx a second.
    pub acked_per_second: f64,
    /// The median time to an ack, in milliseconds.
    pub ack_ms_p50: f64,
    /// The time that 99 of 100 acks did not take longer than, in milliseconds.
    pub ack_ms_p99: f64,
    /// From the first request to the last answer, in seconds.
    pub elapsed_seconds: f64,
}

/// Sends the requests, each once, over all connections, and returns when they are used up or the time is.
///
/// Best run on a current-thread runtime of its own: that costs least.
pub async fn run(options: LoadOptions, requests: Arc<[PreparedRequest]>) -> LoadReport {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let deadline = options.duration_max.and_then(|duration| started.checked_add(duration));
    let mut connections = JoinSet::new();
    for _ in 0..options.connections.max(1) {
        let (requests, next) = (Arc::clone(&requests), Arc::clone(&next));
        connections.spawn(async move {
            let mut worker = Worker { tally: Tally::default(), address: options.address };
            worker.run(&requests, &next, deadline).await;
            worker.tally
        });
    }
    let mut total = Tally::default();
    while let Some(joined) = connections.join_next().await {
        match joined {
            Ok(tally) => total.merge(&tally),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    total.into_report(started.elapsed())
}

struct Worker {
    address: SocketAddr,
    tally: Tally,
}

impl Worker {
    /// Takes requests until there are none. A broken connection is opened again; one that cannot be made ends the worker.
    async fn run(
        &mut self,
        requests: &[PreparedRequest],
        next: &AtomicUsize,
        deadline: Option<Instant>,
    ) {
        let mut connection = None;
        while deadline.is_none_or(|deadline| Instant::now() < deadline) {
            let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
            let open = match connection.take() {
                Some(open) => Ok(open),
                None => Connection::open(self.address).await,
            };
            let Ok(mut open) = open else {
                self.tally.broken += 1;
                return;
            };
            let started = Instant::now();
            match open.exchange(request).await {
                Ok(status) => {
                    self.tally.answer(status, started.elapsed());
                    connection = Some(open);
                }
                Err(_) => self.tally.broken += 1,
            }
        }
    }
}

#[derive(Default)]
struct Tally {
    latencies: Latencies,
    refused: usize,
    broken: usize,
}

impl Tally {
    fn answer(&mut self, status: u16, latency: Duration) {
        if (200..300).contains(&status) {
            self.latencies.record(latency);
        } else {
            self.refused += 1;
        }
    }

    fn merge(&mut self, other: &Self) {
        self.latencies.merge(&other.latencies);
        self.refused += other.refused;
        self.broken += other.broken;
    }

    fn into_report(self, elapsed: Duration) -> LoadReport {
        let acked = self.latencies.count();
        let [ack_ms_p50, ack_ms_p99] = self.latencies.percentiles_ms([50, 99]);
        LoadReport {
            answered: acked + self.refused,
            acked,
            refused: self.refused,
            broken: self.broken,
            acked_per_second: per_second(acked, elapsed),
            ack_ms_p50,
            ack_ms_p99,
            elapsed_seconds: elapsed.as_secs_f64(),
        }
    }
}
