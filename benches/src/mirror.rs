//! The mirror: events a second that are carried from the log into a database.
//!
//! SQLite is held against what ingest writes down; PostgreSQL against a bare loop of upserts of the same rows in the same
//! batches (the limit), and against one upsert an event, which is what a hand-written handler does. The mirror is
//! compared with the simulator's truth afterwards: a quick one that is wrong is no result.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use deskbell_config::DatabaseUrl;
use deskbell_sim::load::IdOrder;
use deskbell_sim::{Scenario, Tables, Truth, World, drift};
use deskbell_store::{NewEvent, Origin, ReadLimit, Seq, SqliteStore, Store};
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{
    Batch, DatabaseConfig, Dialect, Fold, Mappings, MirrorConsumer, MirrorOptions, connect,
    migration,
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection};

use crate::bare_upserts::Work;
use crate::error::BenchError;
use crate::load::{self, Run};
use crate::location::Location;
use crate::report::{Aim, Report, Row, median};
use crate::store::Backend;

const KEEPS_UP_AIM: f64 = 1.0;
const OF_THE_LIMIT_AIM: f64 = 0.7;
const OF_ONE_BY_ONE_AIM: f64 = 7.0;
/// Upserts that are made one by one; more take minutes and tell no more.
const ONE_BY_ONE_MAX: usize = 10_000;
const EVENTS_A_TRANSACTION: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of realistic lifecycles in the log
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// Rounds of each, in turn; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    backend: Backend,
}

/// What the mirror is held against, round by round.
#[derive(Default)]
struct Rates {
    limit: Vec<f64>,
    one_by_one: Vec<f64>,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let directory = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let (mut rows, mut aims) = (Vec::new(), Vec::new());
    let (ours, rates) = runtime.block_on(measure(options, directory.path()))?;
    rows.push(Row {
        what: format!("{} events from the log into the mirror", options.events),
        numbers: vec![("per_second", ours)],
    });
    if options.backend.is_postgres() {
        hold_against_upserts(ours, rates, &mut rows, &mut aims);
    } else {
        hold_against_ingest(ours, directory.path(), &mut rows, &mut aims)?;
    }
    let notes = runtime.block_on(options.backend.notes())?;
    Ok(Report::new(options.backend.report_name("mirror"), rows, aims).with_notes(notes))
}

/// Events a second of the mirror, and on PostgreSQL of bare upserts.
async fn measure(options: &Options, directory: &Path) -> Result<(f64, Rates), BenchError> {
    eprintln!("mirror: writing {} events into a log", options.events);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&directory.join("log.db")).await?);
    let truth = write_log(&*store, options.events).await?;
    let upserts = match options.backend.is_postgres() {
        true => Some(Upserts::of(&*store).await?),
        false => None,
    };
    let (mut ours, mut rates) = (Vec::new(), Rates::default());
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    let events = options.events as f64;
    for round in 0..options.rounds.max(1) {
        eprintln!("mirror: round {} of {}", round + 1, options.rounds);
        let database = options.backend.create().await?;
        let started = Instant::now();
        fill(&store, &database.mirror_url()).await?;
        ours.push(events / started.elapsed().as_secs_f64());
        check(&database.mirror_url(), &truth).await?;
        drop(database);
        if let Some(upserts) = &upserts {
            upserts.measure(options, events, &mut rates).await?;
        }
    }
    store.close().await;
    Ok((median(ours), rates))
}

fn hold_against_upserts(ours: f64, rates: Rates, rows: &mut Vec<Row>, aims: &mut Vec<Aim>) {
    let (limit, one_by_one) = (median(rates.limit), median(rates.one_by_one));
    let row = |what: &str, per_second| Row {
        what: what.to_owned(),
        numbers: vec![("per_second", per_second)],
    };
    rows.push(row("bare upserts of the same rows in the same batches", limit));
    rows.push(row("one upsert an event over one connection", one_by_one));
    aims.extend([
        Aim::at_least("mirror against bare upserts", OF_THE_LIMIT_AIM, ours / limit),
        Aim::at_least("mirror against one upsert an event", OF_ONE_BY_ONE_AIM, ours / one_by_one),
    ]);
}

fn hold_against_ingest(
    ours: f64,
    directory: &Path,
    rows: &mut Vec<Row>,
    aims: &mut Vec<Aim>,
) -> Result<(), BenchError> {
    eprintln!("mirror: ingest, to compare with");
    let run = Run {
        connections: 64,
        requests_max: 200_000,
        duration_max: Duration::from_secs(4),
        seed: 0,
        ids: IdOrder::Time,
    };
    let store = Location::file(directory.join("ingest.db"));
    let ingest = load::run(Some(&store), &load::user_bodies(), run)?.load.acked_per_second;
    rows.push(Row {
        what: "ingest, 64 connections".to_owned(),
        numbers: vec![("per_second", ingest)],
    });
    aims.push(Aim::at_least("mirror against ingest", KEEPS_UP_AIM, ours / ingest));
    Ok(())
}

/// What the log comes to, as bare upserts.
struct Upserts {
    at_once: Vec<Work>,
    one_by_one: Vec<Work>,
}

impl Upserts {
    async fn of(store: &dyn Store) -> Result<Self, BenchError> {
        let (batches, mappings) = folded(store).await?;
        let of_all = |one_by_one| -> Vec<Work> {
            batches.iter().flat_map(|batch| Work::of(batch, &mappings, one_by_one)).collect()
        };
        let (at_once, mut one_by_one) = (of_all(false), of_all(true));
        one_by_one.truncate(ONE_BY_ONE_MAX);
        Ok(Self { at_once, one_by_one })
    }

    async fn measure(
        &self,
        options: &Options,
        events: f64,
        rates: &mut Rates,
    ) -> Result<(), BenchError> {
        rates.limit.push(events / bare(&options.backend, &self.at_once).await?);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let one_by_one = self.one_by_one.len() as f64;
        rates.one_by_one.push(one_by_one / bare(&options.backend, &self.one_by_one).await?);
        Ok(())
    }
}

/// The seconds that the bare loop takes.
pub(crate) async fn bare(backend: &Backend, works: &[Work]) -> Result<f64, BenchError> {
    let database = backend.server.create_database().await?;
    let mut connection = database.connect().await?;
    for step in migration::from_nothing(Dialect::Postgres, &DatabaseConfig::default())? {
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
    let url = DatabaseUrl::sqlite(&directory.path().join("clerk.db"));
    let target = connect(&MirrorOptions::new("mirror", DatabaseConfig::at(url))).await?;
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

/// Carries the whole log into a new mirror.
async fn fill(store: &Arc<dyn Store>, url: &str) -> Result<(), BenchError> {
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig::at(url.parse().map_err(BenchError::MirrorUrl)?),
    );
    let target = connect(&options).await?;
    let mut consumer = MirrorConsumer::new(store.clone(), target, options);
    while consumer.run_once().await?.more {}
    Ok(())
}

async fn check(url: &str, truth: &Truth) -> Result<(), BenchError> {
    let reader = MirrorReader::open(&url.parse().map_err(BenchError::MirrorUrl)?).await?;
    let mut tables = Tables::new();
    for table in reader.tables().await? {
        tables.insert(table.name.to_owned(), reader.whole_rows(table.name).await?);
    }
    match drift(truth, &tables).first() {
        Some(difference) => Err(BenchError::Drift { example: difference.to_string() }),
        None => Ok(()),
    }
}

async fn write_log(store: &dyn Store, events: usize) -> Result<Truth, BenchError> {
    let source: Arc<str> = "clerk".into();
    let mut world = World::new(&Scenario::new(1, events));
    loop {
        let mut batch = Vec::with_capacity(EVENTS_A_TRANSACTION);
        for message in world.by_ref().take(EVENTS_A_TRANSACTION) {
            let body: Value = serde_json::from_slice(&message.body)?;
            let text = |value: &Value| value.as_str().map(str::to_owned);
            batch.push(NewEvent {
                source: Arc::clone(&source),
                message_id: message.id,
                event_type: message.event_type.to_owned(),
                subject: text(&body["data"]["id"]),
                occurred_at_ms: body["timestamp"].as_i64().unwrap_or_default(),
                instance_id: text(&body["instance_id"]),
                payload: message.body.into(),
                origin: Origin::Webhook,
            });
        }
        if batch.is_empty() {
            break;
        }
        store.append(&batch).await?;
    }
    Ok(world.into_truth())
}
