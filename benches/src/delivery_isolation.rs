//! A healthy destination beside a dead one with a large backlog, against the same one alone.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use deskbell_sim::Latencies;
use deskbell_sim::receiver::Reply;
use deskbell_store::deliveries::StartFrom;
use tokio::runtime::Runtime;

use crate::deliveries::{Destination, Line, Target};
use crate::error::BenchError;
use crate::load;
use crate::location::Location;
use crate::process;
use crate::report::{Aim, Report, Row};

const RATIO_AIM: f64 = 1.5;
const MEMORY_MB_AIM: f64 = 128.0;
/// Short, so that a run sees both: attempts that hang, and probes.
const DEAD_TIMEOUT: Duration = Duration::from_secs(2);
const HEALTHY_TIMEOUT: Duration = Duration::from_secs(15);
const IN_FLIGHT_MAX: usize = 16;
/// How often the router is asked how far it is.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
const HEALTHY: &str = "healthy";
const DEAD: &str = "dead";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events that are pending for the dead destination
    #[arg(long, default_value_t = 200_000)]
    backlog: usize,
    /// Events a second that come in meanwhile
    #[arg(long, default_value_t = 100)]
    rate: usize,
    /// How long a run takes, in seconds
    #[arg(long, default_value_t = 8)]
    seconds: usize,
    /// Runs of each, one after the other in turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// A log of the whole backlog, and the number of its next event.
struct Scene<'a> {
    options: &'a Options,
    bodies: Vec<Bytes>,
    next: usize,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let directory = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut scene = Scene { options, bodies: load::user_bodies(), next: options.backlog };
    let store = |name: &str| Location::file(directory.path().join(name));
    let (alone, beside) = (store("alone.db"), store("beside.db"));
    eprintln!("delivery-isolation: filling two logs with {} events", options.backlog);
    runtime.block_on(scene.fill(&alone, &[HEALTHY]))?;
    runtime.block_on(scene.fill(&beside, &[HEALTHY, DEAD]))?;
    eprintln!("delivery-isolation: while the backlog is routed");
    let routing = scene.measure(&runtime, &beside, true)?;
    runtime.block_on(scene.route_the_rest(&beside))?;
    let (mut without, mut with) = (Latencies::default(), Latencies::default());
    for round in 0..options.rounds.max(1) {
        eprintln!("delivery-isolation: round {} of {}", round + 1, options.rounds.max(1));
        without.merge(&scene.measure(&runtime, &alone, false)?);
        with.merge(&scene.measure(&runtime, &beside, true)?);
    }
    Ok(report(options, routing, without, with))
}

/// The percentiles are those of all rounds together: of one round they are mostly noise.
fn report(options: &Options, routing: Latencies, without: Latencies, with: Latencies) -> Report {
    let [routing, without, with] =
        [routing, without, with].map(|latencies| latencies.percentiles_ms([50, 99]));
    let row = |what: &str, [p50, p99]: [f64; 2]| Row {
        what: what.to_owned(),
        numbers: vec![("ms_p50", p50), ("ms_p99", p99)],
    };
    let ratio = |which: usize| with[which] / without[which];
    let memory = process::own_memory_mb_max();
    let rows = vec![
        row("alone", without),
        row(&format!("beside {} that are pending", options.backlog), with),
        row("while those are routed", routing),
        Row { what: "the whole program".to_owned(), numbers: vec![("memory_mb_max", memory)] },
    ];
    let aims = vec![
        Aim::at_most("ack to arrival, p50 beside against alone", RATIO_AIM, ratio(0)),
        Aim::at_most("ack to arrival, p99 beside against alone", RATIO_AIM, ratio(1)),
        Aim::at_most("memory in MB, receivers included", MEMORY_MB_AIM, memory),
    ];
    Report::new("delivery-isolation", rows, aims)
}

impl Scene<'_> {
    /// A log with the backlog, of which all is for the dead destination.
    async fn fill(&self, store: &Location, destinations: &[&str]) -> Result<(), BenchError> {
        let line = Line::open(store).await?;
        line.fill(&self.bodies, 0..self.options.backlog).await?;
        for &name in destinations {
            let from = if name == DEAD { StartFrom::Beginning } else { StartFrom::Now };
            line.register(name, from).await?;
        }
        line.close().await;
        Ok(())
    }

    /// The percentiles from ack to arrival at the healthy destination.
    fn measure(
        &mut self,
        runtime: &Runtime,
        store: &Location,
        with_dead: bool,
    ) -> Result<Latencies, BenchError> {
        let healthy = Target::start(Reply::Status(200))?;
        let dead = Target::start(Reply::Hang)?;
        let (options, first) = (self.options, self.next);
        self.next += options.rate * options.seconds;
        let numbers = first..self.next;
        runtime.block_on(async {
            let mut line = Line::open(store).await?;
            let (healthy_url, dead_url) = (healthy.url(), dead.url());
            let destination = |name, url, timeout| Destination {
                name,
                url,
                max_in_flight: IN_FLIGHT_MAX,
                timeout,
            };
            let mut destinations = vec![destination(HEALTHY, &*healthy_url, HEALTHY_TIMEOUT)];
            if with_dead {
                destinations.push(destination(DEAD, &*dead_url, DEAD_TIMEOUT));
            }
            line.deliver(&destinations)?;
            if with_dead {
                dead.wait_for(1).await;
            }
            let every = Duration::from_secs(1) / u32::try_from(options.rate).unwrap_or(u32::MAX);
            let acked_at = line.append_each(every, &self.bodies, numbers.clone()).await?;
            healthy.wait_for(numbers.len()).await;
            line.close().await;
            Ok(healthy.latencies(&acked_at))
        })
    }

    /// Makes sure that all of it is pending for the dead destination.
    async fn route_the_rest(&self, store: &Location) -> Result<(), BenchError> {
        let mut line = Line::open(store).await?;
        line.route(&[HEALTHY, DEAD])?;
        let head = line.store.head().await?;
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        loop {
            look.tick().await;
            let states = line.store.destinations().await?;
            if states.iter().all(|state| state.routed >= head) {
                break;
            }
        }
        let backlogs = line.store.backlogs().await?;
        let pending = backlogs.iter().find(|backlog| *backlog.destination == *DEAD);
        eprintln!(
            "delivery-isolation: {} are pending",
            pending.map_or(0, |backlog| backlog.pending)
        );
        line.close().await;
        Ok(())
    }
}
