//! The mirror: events a second that are carried from the log into SQLite, against those that ingest writes down.
//!
//! The mirror is compared with the simulator's truth afterwards: a quick one that is wrong is no result.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use deskbell_sim::{Scenario, Tables, Truth, World, drift};
use deskbell_store::{NewEvent, SqliteStore, Store};
use deskbell_sync::inspect::MirrorReader;
use deskbell_sync::{MirrorConsumer, MirrorOptions};
use serde_json::Value;

use crate::error::BenchError;
use crate::load::{self, Run};
use crate::place::Place;
use crate::report::{Aim, Report, Row, median};

const KEEPS_UP_AIM: f64 = 1.0;
const EVENTS_A_TRANSACTION: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of realistic lifecycles in the log
    #[arg(long, default_value_t = 100_000)]
    events: usize,
    /// Mirrors that are filled from it, one after the other; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let directory = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let applied = runtime.block_on(fill_mirrors(options, directory.path()))?;
    let (mirror, median_rows_written) = (median(applied.per_second), applied.rows_written);
    eprintln!("mirror: ingest, to compare with");
    let run = Run {
        connections: 64,
        requests_max: 200_000,
        duration_max: Duration::from_secs(4),
        seed: 0,
    };
    let store = Place::file(directory.path().join("ingest.db"));
    let ingest = load::run(Some(&store), &load::user_bodies(), run)?.load.acked_per_second;
    let rows = vec![
        Row {
            what: format!("{} events from the log into SQLite", options.events),
            numbers: vec![("per_second", mirror), ("rows_written", median_rows_written)],
        },
        Row { what: "ingest, 64 connections".to_owned(), numbers: vec![("per_second", ingest)] },
    ];
    let aims = vec![Aim::at_least("mirror against ingest", KEEPS_UP_AIM, mirror / ingest)];
    Report::new("mirror", rows, aims).publish()
}

struct Applied {
    per_second: Vec<f64>,
    rows_written: f64,
}

async fn fill_mirrors(options: &Options, directory: &Path) -> Result<Applied, BenchError> {
    eprintln!("mirror: writing {} events into a log", options.events);
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&directory.join("log.db")).await?);
    let truth = write_log(&*store, options.events).await?;
    let mut applied = Applied { per_second: Vec::new(), rows_written: 0.0 };
    for round in 0..options.rounds.max(1) {
        eprintln!("mirror: round {} of {}", round + 1, options.rounds);
        let url = format!("sqlite://{}", directory.join(format!("clerk-{round}.db")).display());
        let started = Instant::now();
        let rows_written = fill(&store, &url).await?;
        let seconds = started.elapsed().as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        applied.per_second.push(options.events as f64 / seconds);
        applied.rows_written = rows_written;
        check(&url, &truth).await?;
    }
    store.close().await;
    Ok(applied)
}

/// Carries the whole log into a new mirror.
pub(crate) async fn fill(store: &Arc<dyn Store>, url: &str) -> Result<f64, BenchError> {
    let options = MirrorOptions { url: url.to_owned(), ..MirrorOptions::default() };
    let target = deskbell_sync::connect(&options).await?;
    let mut consumer = MirrorConsumer::new(Arc::clone(store), target, options);
    let mut rows_written = 0_u64;
    loop {
        let progress = consumer.run_once().await?;
        rows_written += progress.rows_written;
        if !progress.more {
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            return Ok(rows_written as f64);
        }
    }
}

pub(crate) async fn check(url: &str, truth: &Truth) -> Result<(), BenchError> {
    let reader = MirrorReader::open(url).await?;
    let mut tables = Tables::new();
    for table in reader.tables().await? {
        tables.insert(table.name.to_owned(), reader.whole_rows(table.name).await?);
    }
    match drift(truth, &tables).first() {
        Some(difference) => Err(BenchError::Drift { example: difference.to_string() }),
        None => Ok(()),
    }
}

pub(crate) async fn write_log(store: &dyn Store, events: usize) -> Result<Truth, BenchError> {
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
                payload: message.body,
            });
        }
        if batch.is_empty() {
            break;
        }
        store.append(&batch).await?;
    }
    Ok(world.into_truth())
}
