//! A log of ten million events, against a short one: to start, to append, to find and to search must
//! cost what it always did.

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use deskbell_sim::load::IdOrder;
use deskbell_store::{ReadLimit, Store, StoreError, StoredEvent};
use tokio::runtime::Runtime;

use crate::error::BenchError;
use crate::history;
use crate::load::{self, Run};
use crate::location::Location;
use crate::report::{Aim, Report, Row, median};
use crate::store::{Backend, Fresh};

const RATIO_AIM: f64 = 1.2;
/// Events in the short log: what is looked for is in it, too.
const FEW: i64 = 1_000;
const REQUESTS_MAX: usize = 200_000;
const CONNECTIONS: usize = 64;
/// The first seed of those that the rounds have.
const SEEDS_OF_ROUNDS: u64 = 1_000;
/// How often each is done in a round.
const OPENED: usize = 5;
const FOUND: i64 = 200;
const SEARCHED: i64 = 20;
/// As `deskbell events list` has them.
const LISTED: u32 = 20;
/// Events that are indexed in one transaction, as `deskbell serve` does it.
const INDEXED_AT_ONCE: u32 = 100;

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
    #[command(flatten)]
    backend: Backend,
}

/// A log that is gone when it is dropped.
struct Log {
    location: Location,
    events: i64,
    _store: Fresh,
}

/// What indexing the long log costs.
struct Indexing {
    /// Events indexed, while nothing else goes on.
    events_per_second: f64,
    /// Acknowledgements while it is indexed, against those while it is not.
    acks_ratio: f64,
}

struct Measured {
    open_ms: f64,
    find_ms: f64,
    search_ms: f64,
    acked_per_second: f64,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    eprintln!("log-full: writing a log of {} events", options.events);
    let long_log = runtime.block_on(Log::of(options, options.events))?;
    let indexing = long_log.index(options, &runtime)?;
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) {
        eprintln!("log-full: round {} of {}", round + 1, options.rounds.max(1));
        // What the round before has appended would make it a long one.
        let short_log = runtime.block_on(Log::of(options, FEW))?;
        short.push(short_log.measure(options, round, &runtime)?);
        long.push(long_log.measure(options, round, &runtime)?);
    }
    let notes = runtime.block_on(options.backend.notes())?;
    Ok(report(options, &short, &long, &indexing).with_notes(notes))
}

impl Log {
    async fn of(options: &Options, events: i64) -> Result<Self, BenchError> {
        let store = options.backend.create().await?;
        let location = store.location();
        location.make().await?;
        history::fill(&location, events).await?;
        Ok(Self { location, events, _store: store })
    }

    /// With a load beside it, and without one for a load to be held against; the rest at once.
    fn index(&self, options: &Options, runtime: &Runtime) -> Result<Indexing, BenchError> {
        let mut ratios = Vec::new();
        for seed in 0..options.rounds.max(1) {
            eprintln!("log-full: acks beside indexing, round {}", seed + 1);
            let bodies = load::small_bodies();
            let without =
                load::run_without_index(&self.location, &bodies, run_of(options, 2 * seed))?;
            let beside = load::run(Some(&self.location), &bodies, run_of(options, 2 * seed + 1))?;
            ratios.push(beside.load.acked_per_second / without.load.acked_per_second);
        }
        eprintln!("log-full: indexing the rest");
        let started = Instant::now();
        let events = runtime.block_on(self.index_all())?;
        let events_per_second = events / started.elapsed().as_secs_f64();
        Ok(Indexing { events_per_second, acks_ratio: median(ratios) })
    }

    /// How many events were indexed.
    async fn index_all(&self) -> Result<f64, BenchError> {
        let store = self.location.open().await?;
        let mut events = 0;
        loop {
            let indexed = store.index_subjects(INDEXED_AT_ONCE).await?;
            events += u32::try_from(indexed.events).unwrap_or(u32::MAX);
            if !indexed.more {
                break;
            }
        }
        store.close().await;
        Ok(f64::from(events))
    }

    /// Ingest has the indexer beside it, as it has in `deskbell serve`.
    fn measure(
        &self,
        options: &Options,
        round: u64,
        runtime: &Runtime,
    ) -> Result<Measured, BenchError> {
        // What the round before has appended, and its indexer had not come to.
        runtime.block_on(self.index_all())?;
        let [open_ms, find_ms, search_ms] = runtime.block_on(self.look())?;
        let run = run_of(options, SEEDS_OF_ROUNDS + round);
        let load = load::run(Some(&self.location), &load::small_bodies(), run)?.load;
        let acked_per_second = load.acked_per_second;
        Ok(Measured { open_ms, find_ms, search_ms, acked_per_second })
    }

    /// The median milliseconds to open it, to find a message, and to search for a subject.
    async fn look(&self) -> Result<[f64; 3], BenchError> {
        let mut opened = Vec::new();
        for _ in 0..OPENED {
            let started = Instant::now();
            let store = self.location.open().await?;
            opened.push(ms_since(started));
            store.close().await;
        }
        let store = self.location.open().await?;
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
            let events = about(&store, &subject).await?;
            searched.push(ms_since(started));
            require(!events.is_empty(), "an event about a subject that is in the log")?;
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

/// Runs on one log need different seeds.
fn run_of(options: &Options, seed: u64) -> Run {
    Run {
        connections: CONNECTIONS,
        requests_max: REQUESTS_MAX,
        duration_max: Duration::from_secs(options.seconds),
        seed,
        ids: IdOrder::Time,
    }
}

fn require(holds: bool, what: &str) -> Result<(), BenchError> {
    if holds { Ok(()) } else { Err(BenchError::NotFound { what: what.to_owned() }) }
}

fn ms_since(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e3
}

/// The newest events about a subject, as `deskbell events list --subject` looks for them.
async fn about(store: &Arc<dyn Store>, subject: &str) -> Result<Vec<StoredEvent>, StoreError> {
    let limit = ReadLimit { events_max: LISTED, ..ReadLimit::default() };
    let (mut events, mut before) = (Vec::new(), None);
    loop {
        let page = store.events_by_subject(subject, before, limit).await?;
        events.extend(page.events);
        before = page.older;
        if before.is_none() || events.len() >= LISTED as usize {
            return Ok(events);
        }
    }
}

fn report(options: &Options, short: &[Measured], long: &[Measured], indexing: &Indexing) -> Report {
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
        Aim::at_least(
            "acks a second, while a log is indexed against not",
            1.0 / RATIO_AIM,
            indexing.acks_ratio,
        ),
    ];
    let note = format!("{:.0} events a second are indexed", indexing.events_per_second);
    Report::new(options.backend.report_name("log-full"), rows.into(), aims).with_note(note)
}
