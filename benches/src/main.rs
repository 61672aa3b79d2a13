//! Deskbell's benchmarks, run by `cargo xtask bench`: each prints a table and writes `target/bench/<name>.json`.

mod accept_and_deliver;
mod backfill;
mod bare_append;
mod bare_upserts;
mod child;
mod database;
mod deliveries;
mod delivery;
mod delivery_history;
mod delivery_isolation;
mod endpoint;
mod error;
mod history;
mod ingest;
mod ingest_full;
mod load;
mod location;
mod log_full;
mod lone_ack;
mod mirror;
mod pages;
mod process;
mod report;
mod store;
mod stores;
mod verify;
mod waiting;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::error::BenchError;

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Benchmarks; without a name, all of them")]
struct Arguments {
    /// Print each report as a line of JSON, and the tables to standard error
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    benchmark: Option<Benchmark>,
}

#[derive(Subcommand)]
enum Benchmark {
    /// Verify one message of 2 KB: ours, other crates, and bare HMAC-SHA256
    Verify,
    /// Durable acks a second, against a store that discards and against bare commits of the same rows
    Ingest(ingest::Options),
    /// Ingest into a log of a million events, against an empty one
    IngestFull(ingest_full::Options),
    /// The acknowledgement of one event alone, against one write to the disk
    LoneAck(lone_ack::Options),
    /// Events a second from the log into the mirror, against ingest or bare upserts
    Mirror(mirror::Options),
    /// Users a second from Clerk's API into the mirror, against bare upserts, and the memory that it takes
    Backfill(backfill::Options),
    /// The simulated API of that benchmark, until its standard input ends
    #[command(hide = true)]
    BackfillApi(backfill::ApiOptions),
    /// Batches into an application's table of which many rows wait, against the same where none wait
    Waiting(waiting::Options),
    /// Deliveries a second to a receiver, and from ack to arrival, against the HTTP client alone
    Delivery(delivery::Options),
    /// A healthy destination beside a dead one with a long backlog, against the same one alone
    DeliveryIsolation(delivery_isolation::Options),
    /// Deliveries a second with a million settled ones behind, against none, on PostgreSQL
    DeliveryHistory(delivery_history::Options),
    /// Events a second that are accepted and delivered at once
    AcceptAndDeliver(accept_and_deliver::Options),
    /// Start, ingest, find and search on a log of ten million events, against a short one
    LogFull(log_full::Options),
    /// Every list of the admin API and the dashboard on a log of ten million events
    Pages(pages::Options),
    /// A server of its own for the ingest benchmarks, until its standard input ends
    #[command(hide = true)]
    Serve(child::Options),
}

/// What is run without a name, on which store, with the options' defaults.
const ALL: &[&[&str]] = &[
    &["verify"],
    &["ingest", "--store=sqlite"],
    &["ingest", "--store=sqlite", "--ids=random", "--connections=64"],
    &["ingest-full"],
    &["lone-ack", "--store=sqlite"],
    &["ingest", "--store=postgres"],
    &["lone-ack", "--store=postgres"],
    &["mirror", "--store=sqlite"],
    &["mirror", "--store=postgres"],
    &["backfill", "--store=sqlite"],
    &["backfill", "--store=postgres"],
    &["waiting"],
    &["delivery", "--store=sqlite"],
    &["delivery-isolation"],
    &["delivery-history"],
    &["accept-and-deliver", "--store=sqlite"],
    &["accept-and-deliver", "--store=postgres"],
    &["log-full", "--store=postgres"],
    &["pages", "--store=sqlite"],
    &["pages", "--store=postgres"],
];

fn main() -> ExitCode {
    let Arguments { json, benchmark } = Arguments::parse();
    let done = match benchmark {
        Some(benchmark) => run(&benchmark, json),
        None => ALL.iter().try_for_each(|words| {
            let named =
                Arguments::parse_from([&["cargo xtask bench"][..], words].concat()).benchmark;
            named.map_or(Ok(()), |benchmark| run(&benchmark, json))
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

fn run(benchmark: &Benchmark, json: bool) -> Result<(), BenchError> {
    let report = match benchmark {
        Benchmark::Verify => verify::run(),
        Benchmark::Ingest(options) => ingest::run(options),
        Benchmark::IngestFull(options) => ingest_full::run(options),
        Benchmark::LoneAck(options) => lone_ack::run(options),
        Benchmark::Mirror(options) => mirror::run(options),
        Benchmark::Backfill(options) => backfill::run(options),
        Benchmark::BackfillApi(options) => return backfill::serve_api(options),
        Benchmark::Waiting(options) => waiting::run(options),
        Benchmark::Delivery(options) => delivery::run(options),
        Benchmark::DeliveryIsolation(options) => delivery_isolation::run(options),
        Benchmark::DeliveryHistory(options) => delivery_history::run(options),
        Benchmark::AcceptAndDeliver(options) => accept_and_deliver::run(options),
        Benchmark::LogFull(options) => log_full::run(options),
        Benchmark::Pages(options) => pages::run(options),
        Benchmark::Serve(options) => return child::run(options),
    }?;
    report.publish(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_there_by_their_names() {
        for words in ALL {
            let parsed = Arguments::try_parse_from([&["bench"][..], words].concat());
            assert!(matches!(parsed, Ok(Arguments { benchmark: Some(_), .. })), "{words:?}");
        }
    }
}
