//! Deliveries a second from the log to a receiver on this machine, against the same requests from
//! the same client without a log and a queue; and how long an event takes from its ack to its arrival.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use deskbell_sim::receiver::Reply;
use deskbell_store::deliveries::StartFrom;
use reqwest::Client;
use reqwest::redirect::Policy;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::deliveries::{Destination, Line, Target, deliver_all};
use crate::error::BenchError;
use crate::load;
use crate::location::Location;
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

const RATIO_AIM: f64 = 0.5;
const LATENCY_MS_P50_AIM: f64 = 10.0;
const TIMEOUT: Duration = Duration::from_secs(15);
/// As the `http` channel's client has it.
const IDLE_CONNECTIONS_MAX: usize = 16;
const NAME: &str = "receiver";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of 2 KB to deliver as fast as it goes
    #[arg(long, default_value_t = 30_000)]
    events: usize,
    /// Deliveries in flight at the same time
    #[arg(long, default_value_t = 16)]
    in_flight: usize,
    /// Events a second under light load, for five seconds
    #[arg(long, default_value_t = 100)]
    rate: usize,
    /// Runs of each, one after the other in turn; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    backend: Backend,
}

#[derive(Default)]
struct Rounds {
    delivered: Vec<f64>,
    bare: Vec<f64>,
    ratios: Vec<f64>,
    ms_p50: Vec<f64>,
    ms_p99: Vec<f64>,
    bare_ms_p50: Vec<f64>,
    bare_ms_p99: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let bodies: Arc<[Bytes]> = load::user_bodies().into();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut rounds = Rounds::default();
    for round in 0..options.rounds.max(1) {
        eprintln!("delivery: round {} of {}", round + 1, options.rounds.max(1));
        rounds.measure(options, &bodies, &runtime)?;
    }
    Ok(rounds.report(options, runtime.block_on(options.backend.notes())?))
}

impl Rounds {
    fn measure(
        &mut self,
        options: &Options,
        bodies: &Arc<[Bytes]>,
        runtime: &tokio::runtime::Runtime,
    ) -> Result<(), BenchError> {
        let target = Target::start(Reply::Status(200))?;
        let (store, url) = (runtime.block_on(options.backend.create())?, target.url());
        let (location, to) = (store.location(), destination(options, &url));
        let delivered =
            runtime.block_on(deliver_all(&location, bodies, 0..options.events, to, &target))?;
        drop(store);
        let target = Target::start(Reply::Status(200))?;
        let bare = runtime.block_on(post(options, bodies, &target))?;
        self.delivered.push(delivered);
        self.bare.push(bare);
        self.ratios.push(delivered / bare);
        let target = Target::start(Reply::Status(200))?;
        let store = runtime.block_on(options.backend.create())?;
        let light = runtime.block_on(light(options, bodies, &store.location(), &target))?;
        self.ms_p50.push(light[0]);
        self.ms_p99.push(light[1]);
        let target = Target::start(Reply::Status(200))?;
        let light = runtime.block_on(post_lightly(options, bodies, &target))?;
        self.bare_ms_p50.push(light[0]);
        self.bare_ms_p99.push(light[1]);
        Ok(())
    }

    fn report(self, options: &Options, notes: Vec<String>) -> Report {
        let (in_flight, rate) = (options.in_flight, options.rate);
        let per_second = |what: &str, numbers| Row {
            what: format!("{what}, {in_flight} in flight"),
            numbers: vec![("per_second", median(numbers))],
        };
        let ms_p50 = median(self.ms_p50);
        let latency = |what: &str, p50, p99| Row {
            what: format!("{what}, {rate} a second"),
            numbers: vec![("ms_p50", p50), ("ms_p99", p99)],
        };
        let rows = vec![
            per_second("from the log, through the queue", self.delivered),
            per_second("the client alone", self.bare),
            latency("from ack to arrival", ms_p50, median(self.ms_p99)),
            latency("the client alone", median(self.bare_ms_p50), median(self.bare_ms_p99)),
        ];
        let aims = vec![
            Aim::at_least("deliveries against the client alone", RATIO_AIM, median(self.ratios)),
            Aim::at_most("ack to arrival, p50 in ms", LATENCY_MS_P50_AIM, ms_p50),
        ];
        Report::new(options.backend.report_name("delivery"), rows, aims).with_notes(notes)
    }
}

fn destination<'a>(options: &Options, url: &'a str) -> Destination<'a> {
    Destination { name: NAME, url, max_in_flight: options.in_flight, timeout: TIMEOUT }
}

/// Requests a second with the same bodies, from as many tasks as there may be deliveries in flight.
async fn post(
    options: &Options,
    bodies: &Arc<[Bytes]>,
    target: &Target,
) -> Result<f64, BenchError> {
    let (client, next) = (client()?, Arc::new(AtomicUsize::new(0)));
    let (events, url) = (options.events, target.url());
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..options.in_flight {
        let (client, bodies, next) = (client.clone(), Arc::clone(bodies), Arc::clone(&next));
        let url = url.clone();
        tasks.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= events {
                    return Ok::<(), reqwest::Error>(());
                }
                let body = bodies[number % bodies.len()].clone();
                client.post(&url).body(body).send().await?.error_for_status()?.bytes().await?;
            }
        });
    }
    for done in tasks.join_all().await {
        done?;
    }
    let elapsed = started.elapsed();
    // Every one of them has come: a ceiling that leaves some out would be none.
    if target.count() != events {
        return Err(BenchError::Requests { sent: events, received: target.count() });
    }
    Ok(per_second(events, elapsed))
}

/// The percentiles from ack to arrival where little is to be done.
async fn light(
    options: &Options,
    bodies: &[Bytes],
    store: &Location,
    target: &Target,
) -> Result<[f64; 2], BenchError> {
    let mut line = Line::open(store).await?;
    line.register(NAME, StartFrom::Now).await?;
    line.deliver(&[destination(options, &target.url())])?;
    let events = options.rate * 5;
    let acked_at = line.append_each(every(options), bodies, 0..events).await?;
    target.wait_for(events).await;
    line.close().await;
    Ok(target.latencies(&acked_at).percentiles_ms([50, 99]))
}

/// The percentiles from the call to the arrival, at the same rate.
async fn post_lightly(
    options: &Options,
    bodies: &[Bytes],
    target: &Target,
) -> Result<[f64; 2], BenchError> {
    let client = client()?;
    let mut called_at = Vec::new();
    let mut pace = tokio::time::interval(every(options));
    for number in 0..options.rate * 5 {
        pace.tick().await;
        called_at.push((number, Instant::now()));
        let request = client.post(target.url()).header("svix-id", format!("msg_{number}"));
        request.body(bodies[number % bodies.len()].clone()).send().await?.bytes().await?;
    }
    Ok(target.latencies(&called_at).percentiles_ms([50, 99]))
}

fn every(options: &Options) -> Duration {
    Duration::from_secs(1) / u32::try_from(options.rate.max(1)).unwrap_or(u32::MAX)
}

/// The options of the `http` channel's client, as far as they matter here. Its provider of
/// cryptography is there: a channel was made before.
fn client() -> Result<Client, BenchError> {
    Ok(Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .pool_idle_timeout(Duration::from_secs(30))
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .build()?)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_second(count: usize, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
