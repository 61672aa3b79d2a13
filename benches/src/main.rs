//! Deskbell's benchmarks, run by `cargo xtask bench`: each prints a table and writes `target/bench/<name>.json`.

mod accept_and_deliver;
mod bare;
mod bare_append;
mod bare_postgres;
mod child;
mod database;
mod deliveries;
mod delivery;
mod delivery_isolation;
mod delivery_postgres;
mod endpoint;
mod error;
mod history;
mod ingest;
mod ingest_full;
mod ingest_postgres;
mod load;
mod log_full;
mod mirror;
mod mirror_postgres;
mod place;
mod process;
mod report;
mod stores;
mod verify;
mod waiting;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::error::BenchError;

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Benchmarks; without a name, all of them")]
struct Arguments {
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Verify one message of 2 KB: ours, other crates, and bare HMAC-SHA256
    Verify,
    /// Durable acks a second, against a store that discards and against bare commits of the same rows
    Ingest(ingest::Options),
    /// Durable acks a second on PostgreSQL, of one replica and of two, against bare inserts
    IngestPostgres(ingest_postgres::Options),
    /// Ingest into a log of a million events, against an empty one
    IngestFull(ingest_full::Options),
    /// Events a second from the log into the mirror
    Mirror(mirror::Options),
    /// Events a second from the log into PostgreSQL, against bare upserts and against one an event
    MirrorPostgres(mirror_postgres::Options),
    /// Batches into an application's table of which many rows wait, against the same where none wait
    Waiting(waiting::Options),
    /// Deliveries a second to a receiver, and from ack to arrival, against the HTTP client alone
    Delivery(delivery::Options),
    /// A healthy destination beside a dead one with a long backlog, against the same one alone
    DeliveryIsolation(delivery_isolation::Options),
    /// Deliveries a second with a million settled ones behind, against none, on PostgreSQL
    DeliveryPostgres(delivery_postgres::Options),
    /// Events a second that are accepted and delivered at once, on PostgreSQL
    AcceptAndDeliver(accept_and_deliver::Options),
    /// Start, ingest, find and search on a log of ten million events on PostgreSQL, against a short one
    LogFullPostgres(log_full::Options),
    /// A server of its own for the ingest benchmarks, until its standard input ends
    #[command(hide = true)]
    Serve(child::Options),
}

/// What is run without a name, with the options' defaults.
const ALL: &[&str] = &[
    "verify",
    "ingest",
    "ingest-full",
    "ingest-postgres",
    "mirror",
    "mirror-postgres",
    "waiting",
    "delivery",
    "delivery-isolation",
    "delivery-postgres",
    "accept-and-deliver",
    "log-full-postgres",
];

fn main() -> ExitCode {
    let done = match Arguments::parse().benchmark {
        Some(benchmark) => run(&benchmark),
        None => ALL.iter().try_for_each(|&name| {
            let named = Arguments::parse_from(["cargo xtask bench", name]).benchmark;
            named.as_ref().map_or(Ok(()), run)
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(benchmark: &Benchmark) -> Result<(), BenchError> {
    match benchmark {
        Benchmark::Verify => verify::run(),
        Benchmark::Ingest(options) => ingest::run(options),
        Benchmark::IngestPostgres(options) => ingest_postgres::run(options),
        Benchmark::IngestFull(options) => ingest_full::run(options),
        Benchmark::Mirror(options) => mirror::run(options),
        Benchmark::MirrorPostgres(options) => mirror_postgres::run(options),
        Benchmark::Waiting(options) => waiting::run(options),
        Benchmark::Delivery(options) => delivery::run(options),
        Benchmark::DeliveryIsolation(options) => delivery_isolation::run(options),
        Benchmark::DeliveryPostgres(options) => delivery_postgres::run(options),
        Benchmark::AcceptAndDeliver(options) => accept_and_deliver::run(options),
        Benchmark::LogFullPostgres(options) => log_full::run(options),
        Benchmark::Serve(options) => child::run(options),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_there_by_their_names() {
        for &name in ALL {
            let parsed = Arguments::try_parse_from(["bench", name]).map(|given| given.benchmark);
            assert!(matches!(parsed, Ok(Some(_))), "{name}");
        }
    }
}
