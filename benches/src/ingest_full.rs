//! Ingest into a log that is long already, against an empty one: an append must cost what it always did.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use deskbell_sim::load::IdOrder;
use deskbell_store::{EventLog, NewEvent, Origin, SqliteStore, Store};

use crate::error::BenchError;
use crate::ingest;
use crate::load::{self, Run};
use crate::location::Location;
use crate::report::{Aim, Report, median};

const RATIO_AIM: f64 = 0.95;
const REQUESTS_MAX: usize = 200_000;
const EVENTS_A_TRANSACTION: usize = 4096;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Small events that are in the log before
    #[arg(long, default_value_t = 1_000_000)]
    events: usize,
    /// How long a run takes, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Runs of each, one after the other in turn; the median counts
    #[arg(long, default_value_t = 5)]
    rounds: u64,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let directory = tempfile::tempdir()?;
    let filled = directory.path().join("filled.db");
    eprintln!("ingest-full: filling a log with {} events", options.events);
    fill(&filled, options.events)?;
    let bodies = load::small_bodies();
    let (mut empty, mut full) = (Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) {
        eprintln!("ingest-full: round {} of {}", round + 1, options.rounds);
        let run = Run {
            connections: 64,
            requests_max: REQUESTS_MAX,
            duration_max: Duration::from_secs(options.seconds),
            seed: round,
            ids: IdOrder::Time,
        };
        let store = directory.path().join(format!("empty-{round}.db"));
        empty.push(load::run(Some(&Location::file(&store)), &bodies, run)?);
        let store = directory.path().join(format!("full-{round}.db"));
        fs::copy(&filled, &store)?;
        full.push(load::run(Some(&Location::file(&store)), &bodies, run)?);
        remove(&store)?;
    }
    // Rounds are compared pair by pair, so that a machine that gets slower meanwhile does not count.
    let pairs = full.iter().zip(&empty);
    let ratios =
        pairs.map(|(full, empty)| full.load.acked_per_second / empty.load.acked_per_second);
    let ratio = median(ratios.collect());
    let rows = vec![
        ingest::row("an empty log".to_owned(), &empty),
        ingest::row(format!("a log of {} events", options.events), &full),
    ];
    let aims = vec![Aim::at_least("acks a second, full against empty", RATIO_AIM, ratio)];
    Ok(Report::new("ingest-full", rows, aims))
}

/// Appends small events through the store, in large transactions.
fn fill(path: &Path, events: usize) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = SqliteStore::open(path).await?;
        let source: Arc<str> = "clerk".into();
        let numbers: Vec<usize> = (0..events).collect();
        for chunk in numbers.chunks(EVENTS_A_TRANSACTION) {
            let batch: Vec<NewEvent> =
                chunk.iter().map(|&number| small_event(&source, number)).collect();
            store.append(&batch).await?;
        }
        store.close().await;
        Ok(())
    })
}

fn small_event(source: &Arc<str>, number: usize) -> NewEvent {
    NewEvent {
        source: Arc::clone(source),
        message_id: format!("msg_0{number:026}"),
        event_type: "user.deleted".to_owned(),
        subject: Some(format!("user_{number:027}")),
        occurred_at_ms: 1_767_225_600_000,
        instance_id: None,
        payload: Bytes::from_static(b"{\"data\":{\"deleted\":true},\"type\":\"user.deleted\"}")
            .into(),
        origin: Origin::Webhook,
    }
}

/// Removes a database with what SQLite put beside it.
fn remove(store: &Path) -> Result<(), BenchError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = store.as_os_str().to_owned();
        file.push(suffix);
        if Path::new(&file).exists() {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}
