//! The mirror in PostgreSQL: events a second from the log, against a bare loop of upserts of the same rows in the same
//! batches (the limit), and against one upsert an event, which is what a hand-written handler does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use deskbell_store::{ReadLimit, Seq, SqliteStore, Store};
use deskbell_sync::{Batch, Dialect, Fold, Mappings, MirrorOptions, connect, migration};
use sqlx::{AssertSqlSafe, Connection};

use crate::bare_postgres::Work;
use crate::database::Server;
use crate::error::BenchError;
use crate::mirror;
use crate::report::{Aim, Report, Row, median};

const OF_THE_LIMIT_AIM: f64 = 0.7;
const OF_ONE_BY_ONE_AIM: f64 = 7.0;
/// Upserts that are made one by one; more take minutes and tell no more.
const ONE_BY_ONE_MAX: usize = 10_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of realistic lifecycles in the log
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// Rounds of each, in turn; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    server: Server,
}

pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(options))?.publish()
}

#[derive(Default)]
struct Rates {
    ours: Vec<f64>,
    limit: Vec<f64>,
    one_by_one: Vec<f64>,
}

async fn measure(options: &Options) -> Result<Report, BenchError> {
    let directory = tempfile::tempdir()?;
    eprintln!("mirror-postgres: writing {} events into a log", options.events);
    let store: Arc<dyn Store> =
        Arc::new(SqliteStore::open(&directory.path().join("log.db")).await?);
    let truth = mirror::write_log(&*store, options.events).await?;
    let (batches, mappings) = folded(&*store).await?;
    let of_all = |one_by_one| -> Vec<Work> {
        batches.iter().flat_map(|batch| Work::of(batch, &mappings, one_by_one)).collect()
    };
    let (at_once, mut one_by_one) = (of_all(false), of_all(true));
    one_by_one.truncate(ONE_BY_ONE_MAX);
    let mut rates = Rates::default();
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let events = options.events as f64;
    for round in 0..options.rounds.max(1) {
        eprintln!("mirror-postgres: round {} of {}", round + 1, options.rounds);
        let database = options.server.create_database().await?;
        let started = Instant::now();
        mirror::fill(&store, database.url()).await?;
        rates.ours.push(events / started.elapsed().as_secs_f64());
        mirror::check(database.url(), &truth).await?;
        drop(database);
        rates.limit.push(events / bare(options, &at_once).await?);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        rates.one_by_one.push(one_by_one.len() as f64 / bare(options, &one_by_one).await?);
    }
    Ok(report(options, rates).with_note(options.server.settings().await?))
}

/// The seconds that the bare loop takes.
async fn bare(options: &Options, works: &[Work]) -> Result<f64, BenchError> {
    let database = options.server.create_database().await?;
    let mut connection = database.connect().await?;
    for step in migration::from_nothing(Dialect::Postgres, &MirrorOptions::default())? {
        sqlx::raw_sql(AssertSqlSafe(step.sql)).execute(&mut connection).await?;
    }
    // Plans of empty tables would be kept, and read the grown ones whole.
    sqlx::raw_sql("SET plan_cache_mode = force_custom_plan").execute(&mut connection).await?;
    let started = Instant::now();
    for work in works {
        work.write(&mut connection).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(seconds)
}

/// What the log comes to, in the batches of the mirror.
async fn folded(store: &dyn Store) -> Result<(Vec<Batch>, Arc<Mappings>), BenchError> {
    let directory = tempfile::tempdir()?;
    let url = format!("sqlite://{}", directory.path().join("clerk.db").display());
    let target = connect(&MirrorOptions { url, ..MirrorOptions::default() }).await?;
    let mappings = target.mappings();
    let fold = Fold::new(Arc::clone(&mappings), BTreeMap::new());
    let (mut at, mut batches) = (Seq::ZERO, Vec::new());
    loop {
        let events = store.read(at, ReadLimit::default()).await?;
        let Some(last) = events.last() else { return Ok((batches, mappings)) };
        at = last.seq;
        batches.push(fold.fold(&events));
    }
}

fn report(options: &Options, rates: Rates) -> Report {
    let Rates { ours, limit, one_by_one } = rates;
    let (ours, limit, one_by_one) = (median(ours), median(limit), median(one_by_one));
    let row = |what: String, per_second| Row { what, numbers: vec![("per_second", per_second)] };
    let rows = vec![
        row(format!("{} events from the log into PostgreSQL", options.events), ours),
        row("bare upserts of the same rows in the same batches".to_owned(), limit),
        row("one upsert an event over one connection".to_owned(), one_by_one),
    ];
    let aims = vec![
        Aim::at_least("mirror against bare upserts", OF_THE_LIMIT_AIM, ours / limit),
        Aim::at_least("mirror against one upsert an event", OF_ONE_BY_ONE_AIM, ours / one_by_one),
    ];
    Report::new("mirror-postgres", rows, aims)
}
