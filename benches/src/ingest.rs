//! Ingest: durable acks a second, against the same server without a store and against bare commits of the same rows.
//!
//! On PostgreSQL also of two replicas on one store, and of one replica over TLS, against the same without.

use std::time::Duration;

use bytes::Bytes;
use clap::{Args, ValueEnum};
use deskbell_sim::load::IdOrder;
use tokio::runtime::Runtime;

use crate::bare_append;
use crate::error::BenchError;
use crate::load::{self, Outcome, Run};
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

/// Requests that a run may use up, by how much faster than a disk a store is that has none.
const REQUESTS_MAX_DURABLE: usize = 200_000;
const REQUESTS_MAX_DISCARDED: usize = 500_000;

const RATIO_AIM: f64 = 0.6;
/// Over TLS against without.
const TLS_RATIO_AIM: f64 = 0.85;
/// On SQLite, with 64 connections.
const ACK_MS_P99_AIM: f64 = 20.0;
/// On SQLite.
const MEMORY_MB_AIM: f64 = 50.0;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keep-alive connections, dealt out to the replicas; once for each number
    #[arg(long, value_delimiter = ',', default_values_t = [32, 64, 256])]
    connections: Vec<usize>,
    /// How long a run takes, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Runs of each, one after the other in turn; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// The order of message ids: Svix's come by time
    #[arg(long, value_enum, default_value_t = Ids::Time)]
    ids: Ids,
    #[command(flatten)]
    backend: Backend,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ids {
    Time,
    Random,
}

impl From<Ids> for IdOrder {
    fn from(ids: Ids) -> Self {
        match ids {
            Ids::Time => Self::Time,
            Ids::Random => Self::Random,
        }
    }
}

/// The runs with one number of connections.
struct Rounds {
    discarded: Vec<Outcome>,
    replicas: Vec<Replicas>,
    /// Of one replica; empty where the store has no TLS.
    over_tls: Vec<Outcome>,
}

/// The runs of so many replicas.
struct Replicas {
    count: usize,
    durable: Vec<Outcome>,
    bare_rows_per_second: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let (backend, bodies) = (&options.backend, load::user_bodies());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let has_tls = backend.is_postgres() && runtime.block_on(backend.server.has_tls())?;
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    for &connections in &options.connections {
        let mut rounds = Rounds::new(backend);
        for round in 0..options.rounds.max(1) {
            let of = options.rounds.max(1);
            eprintln!("ingest: {connections} connections, round {} of {of}", round + 1);
            let measuring =
                Measuring { options, connections, seed: round, bodies: &bodies, runtime: &runtime };
            rounds.measure(&measuring)?;
            if has_tls {
                rounds.over_tls.push(measuring.over_tls()?);
            }
        }
        rounds.judge(backend, connections, &mut rows, &mut aims);
    }
    let mut notes = runtime.block_on(backend.notes())?;
    if backend.is_postgres() && !has_tls {
        notes.push("no TLS, so not measured".to_owned());
    }
    let name = match options.ids {
        Ids::Time => "ingest",
        Ids::Random => "ingest-random-ids",
    };
    Ok(Report::new(backend.report_name(name), rows, aims).with_notes(notes))
}

impl Rounds {
    fn new(backend: &Backend) -> Self {
        let counts: &[usize] = if backend.is_postgres() { &[1, 2] } else { &[1] };
        let replicas = counts.iter().map(|&count| Replicas {
            count,
            durable: Vec::new(),
            bare_rows_per_second: Vec::new(),
        });
        Self { discarded: Vec::new(), replicas: replicas.collect(), over_tls: Vec::new() }
    }

    /// One run of each, the bare loop at the batch size that the servers' own commits came to.
    fn measure(&mut self, measuring: &Measuring<'_>) -> Result<(), BenchError> {
        let Measuring { options, bodies, runtime, .. } = *measuring;
        self.discarded.push(load::run(None, bodies, measuring.run(REQUESTS_MAX_DISCARDED))?);
        for replicas in &mut self.replicas {
            let store = runtime.block_on(options.backend.create())?;
            let location = store.location();
            runtime.block_on(location.make())?;
            let run = measuring.run(REQUESTS_MAX_DURABLE);
            let duration_max = run.duration_max;
            let before = runtime.block_on(store.server_usage())?;
            let mut durable = load::on_replicas(replicas.count, Some(&location), bodies, run)?;
            durable.server = runtime.block_on(store.server_usage())?.since(before);
            drop(store);
            let batch = rows_per_commit(&durable);
            let bare = bare_append::rows_per_second(&options.backend, bodies, batch, duration_max);
            replicas.bare_rows_per_second.push(runtime.block_on(bare)?);
            replicas.durable.push(durable);
        }
        Ok(())
    }

    fn judge(
        self,
        backend: &Backend,
        connections: usize,
        rows: &mut Vec<Row>,
        aims: &mut Vec<Aim>,
    ) {
        let discarded =
            row(format!("discarding store, {connections} connections"), &self.discarded);
        let without = discarded.numbers[0].1;
        rows.push(discarded);
        if !self.over_tls.is_empty() {
            let what = format!("one replica over TLS, {connections} connections");
            let over_tls = row(what.clone(), &self.over_tls);
            let plain = row(String::new(), &self.replicas[0].durable);
            let ratio = over_tls.numbers[0].1 / plain.numbers[0].1;
            rows.push(over_tls);
            aims.push(Aim::at_least(format!("{what}, against without"), TLS_RATIO_AIM, ratio));
        }
        for replicas in self.replicas {
            if !backend.is_postgres() {
                aims.extend(replicas.aims_of_one(connections));
            }
            replicas.judge(connections, without, rows, aims);
        }
    }
}

/// One round with one number of connections.
struct Measuring<'a> {
    options: &'a Options,
    connections: usize,
    seed: u64,
    bodies: &'a [Bytes],
    runtime: &'a Runtime,
}

impl Measuring<'_> {
    fn run(&self, requests_max: usize) -> Run {
        let duration_max = Duration::from_secs(self.options.seconds);
        let ids = self.options.ids.into();
        Run { connections: self.connections, requests_max, duration_max, seed: self.seed, ids }
    }

    fn over_tls(&self) -> Result<Outcome, BenchError> {
        let server = &self.options.backend.server;
        let store = self.runtime.block_on(server.create_database())?;
        let location = store.place_over_tls()?;
        self.runtime.block_on(location.make())?;
        load::run(Some(&location), self.bodies, self.run(REQUESTS_MAX_DURABLE))
    }
}

impl Replicas {
    fn judge(self, connections: usize, without: f64, rows: &mut Vec<Row>, aims: &mut Vec<Aim>) {
        let name = if self.count == 1 { "one replica" } else { "two replicas" };
        let name = format!("{name}, {connections} connections");
        let mut ours = row(name.clone(), &self.durable);
        let batch = batch_rows(&self.durable);
        let (per_second, bare) = (ours.numbers[0].1, median(self.bare_rows_per_second));
        ours.numbers.push(("rows_per_commit", batch));
        rows.push(ours);
        rows.push(Row {
            what: format!("bare commits of {batch:.0} rows"),
            numbers: vec![("per_second", bare)],
        });
        let what = format!("{name}, against the lower of discarding and bare");
        aims.push(Aim::at_least(what, RATIO_AIM, per_second / without.min(bare)));
    }

    fn aims_of_one(&self, connections: usize) -> Vec<Aim> {
        let what = |what: &str| format!("{what}, {connections} connections");
        let memory = middle(&self.durable, |outcome| outcome.usage.memory_mb_max);
        let mut aims = vec![Aim::at_most(what("memory in MB"), MEMORY_MB_AIM, memory)];
        if connections <= 64 {
            let p99 = middle(&self.durable, |outcome| outcome.load.ack_ms_p99);
            aims.push(Aim::at_most(what("ack p99 in ms"), ACK_MS_P99_AIM, p99));
        }
        aims
    }
}

/// The medians of the runs; acks a second come first.
pub(crate) fn row(what: String, outcomes: &[Outcome]) -> Row {
    let numbers = vec![
        ("per_second", middle(outcomes, |outcome| outcome.load.acked_per_second)),
        ("ack_ms_p50", middle(outcomes, |outcome| outcome.load.ack_ms_p50)),
        ("ack_ms_p99", middle(outcomes, |outcome| outcome.load.ack_ms_p99)),
        ("processor_us_per_ack", middle(outcomes, processor_us_per_ack)),
        ("of_them_postgres", middle(outcomes, postgres_us_per_ack)),
        ("written_bytes_per_ack", middle(outcomes, written_bytes_per_ack)),
        ("memory_mb_max", middle(outcomes, |outcome| outcome.usage.memory_mb_max)),
    ];
    Row { what, numbers }
}

fn middle(outcomes: &[Outcome], number: impl Fn(&Outcome) -> f64) -> f64 {
    median(outcomes.iter().map(number).collect())
}

/// The server's and PostgreSQL's.
fn processor_us_per_ack(outcome: &Outcome) -> f64 {
    per_ack(outcome, outcome.usage.processor_seconds * 1e6) + postgres_us_per_ack(outcome)
}

fn postgres_us_per_ack(outcome: &Outcome) -> f64 {
    per_ack(outcome, outcome.server.processor_seconds * 1e6)
}

/// To the file, or to PostgreSQL's write-ahead log.
fn written_bytes_per_ack(outcome: &Outcome) -> f64 {
    per_ack(outcome, outcome.usage.written_bytes + outcome.server.wal_bytes)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_ack(outcome: &Outcome, number: f64) -> f64 {
    number / outcome.load.acked.max(1) as f64
}

fn rows_per_commit(outcome: &Outcome) -> usize {
    let rows = outcome.committed.events / outcome.committed.commits.max(1);
    usize::try_from(rows).unwrap_or(1)
}

/// The median of the runs.
fn batch_rows(outcomes: &[Outcome]) -> f64 {
    middle(outcomes, |outcome| {
        f64::from(u32::try_from(rows_per_commit(outcome)).unwrap_or(u32::MAX))
    })
}
