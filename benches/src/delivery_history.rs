//! Deliveries a second on PostgreSQL with a long history of settled ones behind, against none: a
//! claim and a settlement must cost what they always did.

use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use deskbell_sim::receiver::Reply;
use deskbell_store::deliveries::StartFrom;
use tokio::runtime::Runtime;

use crate::database::{Database, Server};
use crate::deliveries::{Destination, Line, Target, deliver_all};
use crate::error::BenchError;
use crate::history;
use crate::load;
use crate::report::{Aim, Report, Row, median};

const RATIO_AIM: f64 = 0.9;
const TIMEOUT: Duration = Duration::from_secs(15);
const NAME: &str = "receiver";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Settled deliveries behind, each with its event and its attempt
    #[arg(long, default_value_t = 1_000_000)]
    settled: i64,
    /// Events of 2 KB to deliver as fast as it goes
    #[arg(long, default_value_t = 30_000)]
    events: usize,
    /// Deliveries in flight at the same time
    #[arg(long, default_value_t = 16)]
    in_flight: usize,
    /// Runs of each, one after the other in turn; the median counts
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[command(flatten)]
    server: Server,
}

pub(crate) fn run(options: &Options) -> Result<Report, BenchError> {
    let bodies = load::user_bodies();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    eprintln!("delivery-history: making {} settled deliveries", options.settled);
    let worked = runtime.block_on(with_history(options))?;
    let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..options.rounds.max(1) {
        eprintln!("delivery-history: round {} of {}", round + 1, options.rounds.max(1));
        let new = runtime.block_on(options.server.create_database())?;
        let without_any = per_second(options, &bodies, &new, 0, &runtime)?;
        let with_many = per_second(options, &bodies, &worked, round, &runtime)?;
        without.push(without_any);
        with.push(with_many);
        ratios.push(with_many / without_any);
    }
    let row = |settled, numbers| Row {
        what: format!("{settled} settled behind, {} in flight", options.in_flight),
        numbers: vec![("per_second", median(numbers))],
    };
    let rows = vec![row(0, without), row(options.settled, with)];
    let aims =
        vec![Aim::at_least("deliveries, many behind against none", RATIO_AIM, median(ratios))];
    let settings = runtime.block_on(options.server.settings())?;
    Ok(Report::new("delivery-history", rows, aims).with_note(settings))
}

/// A store that has delivered much.
async fn with_history(options: &Options) -> Result<Database, BenchError> {
    let database = options.server.create_database().await?;
    let line = Line::open(&database.location()).await?;
    line.register(NAME, StartFrom::Beginning).await?;
    line.close().await;
    history::deliver(&database, options.settled).await?;
    Ok(database)
}

/// Deliveries a second of what is in the log, until all of them are settled.
fn per_second(
    options: &Options,
    bodies: &[Bytes],
    database: &Database,
    round: usize,
    runtime: &Runtime,
) -> Result<f64, BenchError> {
    let target = Target::start(Reply::Status(200))?;
    let url = target.url();
    let to =
        Destination { name: NAME, url: &url, max_in_flight: options.in_flight, timeout: TIMEOUT };
    let first = round * options.events;
    let numbers = first..first + options.events;
    runtime.block_on(deliver_all(&database.location(), bodies, numbers, to, &target))
}
