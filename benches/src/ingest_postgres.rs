//! Ingest on PostgreSQL: durable acks a second of one replica and of two on one store, against the
//! same server without a store and against bare inserts of the same rows; and of one replica over
//! TLS, against the same without.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use tokio::runtime::Runtime;

use crate::bare_append;
use crate::database::Server;
use crate::error::BenchError;
use crate::ingest::{batch_rows, row, rows_per_commit};
use crate::load::{self, Outcome, Run};
use crate::report::{Aim, Report, Row, median};

const RATIO_AIM: f64 = 0.6;
/// Over TLS against without.
const TLS_RATIO_AIM: f64 = 0.85;
/// Requests that a run may use up, by how much faster than a disk a store is that has none.
const REQUESTS_MAX_DURABLE: usize = 200_000;
const REQUESTS_MAX_DISCARDED: usize = 500_000;
const REPLICAS: [usize; 2] = [1, 2];

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Keep-alive connections, dealt out to the replicas; once for each number
    #[arg(long, value_delimiter = ',', default_values_t = [64, 256])]
    connections: Vec<usize>,
    /// How long a run takes, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Runs of each, one after the other in turn; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    #[command(flatten)]
    server: Server,
}

/// The runs with one number of connections; of what differs by replicas, one list each.
#[derive(Default)]
struct Rounds {
    discarded: Vec<Outcome>,
    durable: [Vec<Outcome>; 2],
    bare_rows_per_second: [Vec<f64>; 2],
    /// Of one replica; empty where the server has no TLS.
    over_tls: Vec<Outcome>,
}

pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let bodies = load::user_bodies();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let has_tls = runtime.block_on(options.server.has_tls())?;
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    for &connections in &options.connections {
        let mut rounds = Rounds::default();
        for round in 0..options.rounds.max(1) {
            let of = options.rounds.max(1);
            eprintln!("ingest-postgres: {connections} connections, round {} of {of}", round + 1);
            rounds.measure(options, connections, round, &bodies, &runtime)?;
            if has_tls {
                rounds.measure_over_tls(options, connections, round, &bodies, &runtime)?;
            }
        }
        rounds.judge(connections, &mut rows, &mut aims);
    }
    let settings = runtime.block_on(options.server.settings())?;
    let note = if has_tls { settings } else { format!("{settings}; no TLS, so not measured") };
    Report::new("ingest-postgres", rows, aims).with_note(note).publish()
}

impl Rounds {
    /// One run of each, the bare inserts in batches as large as the replicas' commits came to.
    fn measure(
        &mut self,
        options: &Options,
        connections: usize,
        seed: u64,
        bodies: &[Bytes],
        runtime: &Runtime,
    ) -> Result<(), BenchError> {
        let duration_max = Duration::from_secs(options.seconds);
        let run = |requests_max| Run { connections, requests_max, duration_max, seed };
        self.discarded.push(load::run(None, bodies, run(REQUESTS_MAX_DISCARDED))?);
        for (which, replicas) in REPLICAS.into_iter().enumerate() {
            let database = runtime.block_on(options.server.create_database())?;
            let store = database.place();
            runtime.block_on(store.make())?;
            let run = run(REQUESTS_MAX_DURABLE);
            let durable = load::on_replicas(replicas, Some(&store), bodies, run)?;
            drop(database);
            let batch = rows_per_commit(&durable);
            let bare = bare_append::rows_per_second(&options.server, bodies, batch, duration_max);
            self.bare_rows_per_second[which].push(runtime.block_on(bare)?);
            self.durable[which].push(durable);
        }
        Ok(())
    }

    fn measure_over_tls(
        &mut self,
        options: &Options,
        connections: usize,
        seed: u64,
        bodies: &[Bytes],
        runtime: &Runtime,
    ) -> Result<(), BenchError> {
        let duration_max = Duration::from_secs(options.seconds);
        let database = runtime.block_on(options.server.create_database())?;
        let store = database.place_over_tls()?;
        runtime.block_on(store.make())?;
        let run = Run { connections, requests_max: REQUESTS_MAX_DURABLE, duration_max, seed };
        self.over_tls.push(load::run(Some(&store), bodies, run)?);
        Ok(())
    }

    fn judge(self, connections: usize, rows: &mut Vec<Row>, aims: &mut Vec<Aim>) {
        let discarded =
            row(format!("discarding store, {connections} connections"), &self.discarded);
        let without = discarded.numbers[0].1;
        rows.push(discarded);
        if !self.over_tls.is_empty() {
            let what = format!("one replica over TLS, {connections} connections");
            let over_tls = row(what.clone(), &self.over_tls);
            let plain = row(String::new(), &self.durable[0]);
            let ratio = over_tls.numbers[0].1 / plain.numbers[0].1;
            rows.push(over_tls);
            aims.push(Aim::at_least(format!("{what}, against without"), TLS_RATIO_AIM, ratio));
        }
        let runs = self.durable.into_iter().zip(self.bare_rows_per_second);
        for (replicas, (durable, bare)) in REPLICAS.into_iter().zip(runs) {
            let name = if replicas == 1 { "one replica" } else { "two replicas" };
            let name = format!("{name}, {connections} connections");
            let mut ours = row(name.clone(), &durable);
            let batch = batch_rows(&durable);
            let (per_second, bare) = (ours.numbers[0].1, median(bare));
            ours.numbers.push(("rows_per_commit", batch));
            rows.push(ours);
            rows.push(Row {
                what: format!("bare inserts of {batch:.0} rows"),
                numbers: vec![("per_second", bare)],
            });
            let what = format!("{name}, against the lower of discarding and bare");
            aims.push(Aim::at_least(what, RATIO_AIM, per_second / without.min(bare)));
        }
    }
}
