//! One event alone, on a server that has nothing else to do: the time to its ack, against a write to the
//! same disk that waits until it is there.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use deskbell_sim::load::IdOrder;

use crate::error::BenchError;
use crate::load::{self, Run};
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

const RATIO_AIM: f64 = 1.2;
/// What a commit of one event writes at least: a page.
const PAGE: [u8; 4096] = [7; 4096];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How long a run takes, in seconds
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Runs of each, in turn; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    #[command(flatten)]
    backend: Backend,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let bodies = load::user_bodies();
    let (mut acks, mut synced, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..options.rounds.max(1) {
        eprintln!("lone-ack: round {} of {}", seed + 1, options.rounds.max(1));
        let fsync_ms = fsync_ms(Duration::from_secs(options.seconds))?;
        let ack_ms = ack_ms(options, &bodies, &runtime, seed)?;
        ratios.push(ack_ms / fsync_ms);
        acks.push(ack_ms);
        synced.push(fsync_ms);
    }
    let row = |what: &str, ms| Row { what: what.to_owned(), numbers: vec![("ms_p50", ms)] };
    let rows = vec![
        row("one event at a time", median(acks)),
        row("one page appended and synced at a time", median(synced)),
    ];
    let aims = vec![Aim::at_most("an ack against an fsync", RATIO_AIM, median(ratios))];
    Ok(Report::new(options.backend.report_name("lone-ack"), rows, aims))
}

fn ack_ms(
    options: &Options,
    bodies: &[Bytes],
    runtime: &tokio::runtime::Runtime,
    seed: u64,
) -> Result<f64, BenchError> {
    let store = runtime.block_on(options.backend.create())?;
    let location = store.location();
    runtime.block_on(location.make())?;
    let run = Run {
        connections: 1,
        requests_max: 50_000,
        duration_max: Duration::from_secs(options.seconds),
        seed,
        ids: IdOrder::Time,
    };
    Ok(load::run(Some(&location), bodies, run)?.load.ack_ms_p50)
}

/// The median milliseconds of an append of a page that waits for the disk.
fn fsync_ms(duration: Duration) -> Result<f64, BenchError> {
    let directory = tempfile::tempdir()?;
    let mut file = File::create(directory.path().join("synced"))?;
    let (begun, mut taken) = (Instant::now(), Vec::new());
    while begun.elapsed() < duration {
        let started = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        taken.push(started.elapsed().as_secs_f64() * 1e3);
    }
    Ok(median(taken))
}
