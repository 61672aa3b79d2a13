//! A log of ten million events, against a short one: to start, to append, to find and to search must
//! cost what it always did.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use deskbell_store::{Database as Store, ReadLimit, Seq, StoreError, StoredEvent};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::database::{Database, Server};
use crate::error::BenchError;
use crate::history;
use crate::load::{self, Run};
use crate::place::Place;
use crate::report::{Aim, Report, Row, median};

const RATIO_AIM: f64 = 1.2;
/// Events in the short log: what is looked for is in it, too.
const FEW: i64 = 1_000;
const REQUESTS_MAX: usize = 200_000;
const CONNECTIONS: usize = 64;
/// How often each is done in a round.
const OPENED: usize = 5;
const FOUND: i64 = 200;
const SEARCHED: i64 = 20;
/// As `deskbell events list` has them.
const LISTED: usize = 20;
const STRETCH: i64 = 500;
const PLACES_MAX: i64 = 100_000;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Events of 100 bytes in the long log
    #[arg(long, default_value_t = 10_000_000)]
    events: i64,
    /// How long a run of ingest takes, in seconds
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Rounds, in turn; the medians count
    #[arg(long, default_value_t = 3)]
    rounds: u64,
    /// The store is an SQLite file instead
    #[arg(long)]
    sqlite: bool,
    #[command(flatten)]
    server: Server,
}

/// A log that is gone when it is dropped.
struct Log {
    place: Place,
    events: i64,
    _database: Option<Database>,
    _directory: TempDir,
}

/// A round.
struct Measured {
    open_ms: f64,
    find_ms: f64,
    search_ms: f64,
    acked_per_second: f64,
}

pub(crate) fn run(options: &Options) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    eprintln!("log-full: writing a log of {} events", options.events);
    let long_log = runtime.block_on(Log::of(options, options.events))?;
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) {
        eprintln!("log-full: round {} of {}", round + 1, options.rounds.max(1));
        // What the round before has appended would make it a long one.
        let short_log = runtime.block_on(Log::of(options, FEW))?;
        short.push(short_log.measure(options, round, &runtime)?);
        long.push(long_log.measure(options, round, &runtime)?);
    }
    let report = report(options, &short, &long);
    if options.sqlite {
        return report.publish();
    }
    report.with_note(runtime.block_on(options.server.settings())?).publish()
}

impl Log {
    async fn of(options: &Options, events: i64) -> Result<Self, BenchError> {
        let directory = tempfile::tempdir()?;
        let (place, database) = if options.sqlite {
            (Place::file(directory.path().join("log.db")), None)
        } else {
            let database = options.server.create_database().await?;
            (database.place(), Some(database))
        };
        place.make().await?;
        history::fill(&place, events).await?;
        Ok(Self { place, events, _database: database, _directory: directory })
    }

    fn measure(
        &self,
        options: &Options,
        seed: u64,
        runtime: &Runtime,
    ) -> Result<Measured, BenchError> {
        let [open_ms, find_ms, search_ms] = runtime.block_on(self.look())?;
        let run = Run {
            connections: CONNECTIONS,
            requests_max: REQUESTS_MAX,
            duration_max: Duration::from_secs(options.seconds),
            seed,
        };
        let load = load::run(Some(&self.place), &load::small_bodies(), run)?.load;
        let acked_per_second = load.acked_per_second;
        Ok(Measured { open_ms, find_ms, search_ms, acked_per_second })
    }

    /// The median milliseconds to open it, to find a message, and to search for a subject.
    async fn look(&self) -> Result<[f64; 3], BenchError> {
        let mut opened = Vec::new();
        for _ in 0..OPENED {
            let started = Instant::now();
            let store = self.place.open().await?;
            opened.push(ms_since(started));
            store.close().await;
        }
        let store = self.place.open().await?;
        let (mut found, mut searched) = (Vec::new(), Vec::new());
        for number in self.numbers(FOUND) {
            let started = Instant::now();
            let event = store.find("clerk", &history::message_id(number)).await?;
            found.push(ms_since(started));
            require(event.is_some(), "a message that is in the log")?;
        }
        for number in self.numbers(SEARCHED) {
            let subject = history::subject(number, self.events);
            let started = Instant::now();
            about(&store, &subject).await?;
            searched.push(ms_since(started));
        }
        store.close().await;
        Ok([median(opened), median(found), median(searched)])
    }

    /// Numbers of events, from all over the log.
    fn numbers(&self, count: i64) -> impl Iterator<Item = i64> {
        let events = self.events;
        (1..=count).map(move |nth| nth * 104_729 % events + 1)
    }
}

fn require(holds: bool, what: &str) -> Result<(), BenchError> {
    if holds { Ok(()) } else { Err(BenchError::NotFound { what: what.to_owned() }) }
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// The newest events about a subject, as `deskbell events list --subject` looks for them: backwards.
async fn about(store: &Arc<dyn Store>, subject: &str) -> Result<Vec<StoredEvent>, StoreError> {
    let head = store.head().await?;
    let end = Seq::new(head.get() - PLACES_MAX);
    let (mut events, mut to) = (Vec::new(), head);
    while to > end && events.len() < LISTED {
        let from = Seq::new(to.get() - STRETCH).max(end);
        let events_max = u32::try_from(to.distance_from(from)).unwrap_or(u32::MAX);
        let read = store.read(from, ReadLimit { events_max, ..ReadLimit::default() }).await?;
        let wanted = |event: &StoredEvent| event.subject.as_deref() == Some(subject);
        events.extend(read.into_iter().rev().filter(wanted));
        to = from;
    }
    Ok(events)
}

fn report(options: &Options, short: &[Measured], long: &[Measured]) -> Report {
    let rows = [(FEW, short), (options.events, long)].map(|(events, rounds)| {
        let middle = |number: fn(&Measured) -> f64| median(rounds.iter().map(number).collect());
        Row {
            what: format!("a log of {events} events"),
            numbers: vec![
                ("open_ms", middle(|round| round.open_ms)),
                ("find_ms", middle(|round| round.find_ms)),
                ("search_ms", middle(|round| round.search_ms)),
                ("acked_per_second", middle(|round| round.acked_per_second)),
            ],
        }
    });
    // Rounds are compared pair by pair, so that a machine that gets slower meanwhile does not count.
    let ratio = |number: fn(&Measured) -> f64| {
        let pairs = long.iter().zip(short);
        median(pairs.map(|(long, short)| number(long) / number(short)).collect())
    };
    let aims = vec![
        Aim::at_most("start, long against short", RATIO_AIM, ratio(|round| round.open_ms)),
        Aim::at_most("find, long against short", RATIO_AIM, ratio(|round| round.find_ms)),
        Aim::at_most("search, long against short", RATIO_AIM, ratio(|round| round.search_ms)),
        Aim::at_least(
            "acks a second, long against short",
            1.0 / RATIO_AIM,
            ratio(|round| round.acked_per_second),
        ),
    ];
    let name = if options.sqlite { "log-full-sqlite" } else { "log-full-postgres" };
    Report::new(name, rows.into(), aims)
}
