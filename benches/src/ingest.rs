//! Ingest: durable acks a second, against the same server without a store and against bare commits of the same rows.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;

use crate::bare;
use crate::error::BenchError;
use crate::load::{self, Outcome, Run};
use crate::place::Place;
use crate::report::{Aim, Report, Row, median};

/// Requests that a run may use up, by how much faster than a disk a store is that has none.
const REQUESTS_MAX_DURABLE: usize = 200_000;
const REQUESTS_MAX_DISCARDED: usize = 500_000;

const RATIO_AIM: f64 = 0.6;
const ACK_MS_P99_AIM: f64 = 20.0;
const MEMORY_MB_AIM: f64 = 60.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keep-alive connections; once for each number
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256])]
    connections: Vec<usize>,
    /// How long a run takes, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Runs of each, one after the other in turn; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: u64,
}

/// The runs with one number of connections.
#[derive(Default)]
struct Rounds {
    durable: Vec<Outcome>,
    discarded: Vec<Outcome>,
    bare_rows_per_second: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let bodies = load::user_bodies();
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    for &connections in &options.connections {
        let mut rounds = Rounds::default();
        for round in 0..options.rounds.max(1) {
            eprintln!(
                "ingest: {connections} connections, round {} of {}",
                round + 1,
                options.rounds
            );
            rounds.measure(options, connections, round, &bodies)?;
        }
        rounds.judge(connections, &mut rows, &mut aims);
    }
    Report::new("ingest", rows, aims).publish()
}

impl Rounds {
    /// One run of each, the bare loop at the batch size that the server's own commits came to.
    fn measure(
        &mut self,
        options: &Options,
        connections: usize,
        seed: u64,
        bodies: &[Bytes],
    ) -> Result<(), BenchError> {
        let directory = tempfile::tempdir()?;
        let duration_max = Duration::from_secs(options.seconds);
        let run = |requests_max| Run { connections, requests_max, duration_max, seed };
        let store = Place::file(directory.path().join("deskbell.db"));
        let durable = load::run(Some(&store), bodies, run(REQUESTS_MAX_DURABLE))?;
        let rows_per_commit = rows_per_commit(&durable);
        self.discarded.push(load::run(None, bodies, run(REQUESTS_MAX_DISCARDED))?);
        let bare = directory.path().join("bare.db");
        self.bare_rows_per_second.push(bare::rows_per_second(
            &bare,
            bodies,
            rows_per_commit,
            duration_max,
        )?);
        self.durable.push(durable);
        Ok(())
    }

    fn judge(self, connections: usize, rows: &mut Vec<Row>, aims: &mut Vec<Aim>) {
        let what = |what: &str| format!("{what}, {connections} connections");
        let durable = row(what("durable in SQLite"), &self.durable);
        let discarded = row(what("discarding store"), &self.discarded);
        let bare = median(self.bare_rows_per_second);
        let batch = batch_rows(&self.durable);
        let (ours, without) = (durable.numbers[0].1, discarded.numbers[0].1);
        aims.push(Aim::at_least(
            what("durable acks against the lower of discarding and bare"),
            RATIO_AIM,
            ours / without.min(bare),
        ));
        if connections <= 64 {
            let p99 = middle(&self.durable, |outcome| outcome.load.ack_ms_p99);
            aims.push(Aim::at_most(what("ack p99 in ms"), ACK_MS_P99_AIM, p99));
        }
        let memory = middle(&self.durable, |outcome| outcome.usage.memory_mb_max);
        aims.push(Aim::at_most(what("memory in MB"), MEMORY_MB_AIM, memory));
        rows.extend([durable, discarded]);
        rows.push(Row {
            what: format!("bare commits of {batch:.0} rows"),
            numbers: vec![("per_second", bare)],
        });
    }
}

/// The medians of the runs; acks a second come first.
pub(crate) fn row(what: String, outcomes: &[Outcome]) -> Row {
    let numbers = vec![
        ("per_second", middle(outcomes, |outcome| outcome.load.acked_per_second)),
        ("ack_ms_p50", middle(outcomes, |outcome| outcome.load.ack_ms_p50)),
        ("ack_ms_p99", middle(outcomes, |outcome| outcome.load.ack_ms_p99)),
        ("processor_us_per_ack", middle(outcomes, processor_us_per_ack)),
        ("memory_mb_max", middle(outcomes, |outcome| outcome.usage.memory_mb_max)),
    ];
    Row { what, numbers }
}

fn middle(outcomes: &[Outcome], number: impl Fn(&Outcome) -> f64) -> f64 {
    median(outcomes.iter().map(number).collect())
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn processor_us_per_ack(outcome: &Outcome) -> f64 {
    outcome.usage.processor_seconds * 1e6 / outcome.load.acked.max(1) as f64
}

pub(crate) fn rows_per_commit(outcome: &Outcome) -> usize {
    let rows = outcome.committed.events / outcome.committed.commits.max(1);
    usize::try_from(rows).unwrap_or(1)
}

/// The median of the runs.
pub(crate) fn batch_rows(outcomes: &[Outcome]) -> f64 {
    middle(outcomes, |outcome| {
        f64::from(u32::try_from(rows_per_commit(outcome)).unwrap_or(u32::MAX))
    })
}
