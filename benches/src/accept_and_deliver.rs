//! Events a second that are accepted over HTTP and delivered to a receiver, both at once.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use deskbell_sim::load::IdOrder;
use deskbell_sim::receiver::Reply;
use tokio::time::Instant;

use crate::child;
use crate::deliveries::Target;
use crate::error::BenchError;
use crate::load::{self, Run};
use crate::location::Location;
use crate::process::{ServerProcess, Usage};
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

const PER_SECOND_AIM: f64 = 6_000.0;
const MEMORY_MB_AIM: f64 = 50.0;
/// Requests are prepared before: more than are ever accepted in a second.
const REQUESTS_A_SECOND_MAX: usize = 20_000;
/// Requests are signed before the clock starts, and a signature is good for five minutes.
const PART_SECONDS_MAX: u32 = 120;
/// How long deliveries may go on behind the last ack.
const BEHIND_MAX: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keep-alive connections that send
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Deliveries in flight at the same time
    #[arg(long, default_value_t = 16)]
    in_flight: usize,
    /// How long a run accepts, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Runs, one after the other; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    #[command(flatten)]
    backend: Backend,
}

/// What a run came to.
struct Outcome {
    /// Until the last of them had arrived.
    per_second: f64,
    acked_per_second: f64,
    ack_ms_p99: f64,
    /// From the last ack until everything had arrived.
    behind_seconds: f64,
    usage: Usage,
    processor_us: f64,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let bodies = load::user_bodies();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut outcomes = Vec::new();
    for round in 0..options.rounds.max(1) {
        eprintln!("accept-and-deliver: round {} of {}", round + 1, options.rounds.max(1));
        let store = runtime.block_on(options.backend.create())?;
        outcomes.push(measure(options, &store.location(), &bodies, round)?);
    }
    let notes = runtime.block_on(options.backend.notes())?;
    Ok(report(options, &outcomes).with_notes(notes))
}

fn measure(
    options: &Options,
    store: &Location,
    bodies: &[Bytes],
    seed: u64,
) -> Result<Outcome, BenchError> {
    let target = Target::start(Reply::Status(200))?;
    let server = child::Options::delivering(store, target.url(), options.in_flight);
    let server = ServerProcess::start(&server)?;
    let servers = [server];
    let (mut acked, mut seconds, mut ack_ms_p99) = (0, 0.0, 0.0);
    for (number, part) in parts(options.seconds).enumerate() {
        let run = Run {
            connections: options.connections,
            requests_max: REQUESTS_A_SECOND_MAX * part as usize,
            duration_max: Duration::from_secs(part.into()),
            seed: seed << 8 | number as u64,
            ids: IdOrder::Time,
        };
        let load = load::send(&servers, bodies, run)?;
        acked += load.acked;
        seconds += load.elapsed_seconds;
        ack_ms_p99 = f64::max(ack_ms_p99, load.ack_ms_p99);
    }
    let accepted = Instant::now();
    target.wait_for_distinct(acked, BEHIND_MAX)?;
    let behind_seconds = accepted.elapsed().as_secs_f64();
    let [server] = servers;
    let usage = server.usage();
    server.stop()?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let acked = acked as f64;
    Ok(Outcome {
        per_second: acked / (seconds + behind_seconds),
        acked_per_second: acked / seconds,
        ack_ms_p99,
        behind_seconds,
        usage,
        processor_us: usage.processor_seconds * 1e6 / acked,
    })
}

/// So many seconds, in parts that are short enough.
fn parts(seconds: u32) -> impl Iterator<Item = u32> {
    (0..seconds)
        .step_by(PART_SECONDS_MAX as usize)
        .map(move |at| PART_SECONDS_MAX.min(seconds - at))
}

fn report(options: &Options, outcomes: &[Outcome]) -> Report {
    let middle = |number: fn(&Outcome) -> f64| median(outcomes.iter().map(number).collect());
    let per_second = middle(|outcome| outcome.per_second);
    let memory = middle(|outcome| outcome.usage.memory_mb_max);
    let (connections, in_flight) = (options.connections, options.in_flight);
    let row = Row {
        what: format!("{connections} connections, {in_flight} in flight"),
        numbers: vec![
            ("per_second", per_second),
            ("acked_per_second", middle(|outcome| outcome.acked_per_second)),
            ("ack_ms_p99", middle(|outcome| outcome.ack_ms_p99)),
            ("behind_seconds", middle(|outcome| outcome.behind_seconds)),
            ("processor_us", middle(|outcome| outcome.processor_us)),
            ("memory_mb_max", memory),
        ],
    };
    let aims = vec![
        Aim::at_least("accepted and delivered a second", PER_SECOND_AIM, per_second),
        Aim::at_most("memory in MB", MEMORY_MB_AIM, memory),
    ];
    Report::new(options.backend.report_name("accept-and-deliver"), vec![row], aims)
}
