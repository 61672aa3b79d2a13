//! Deskbell's benchmarks, run by `cargo xtask bench`: each prints a table and writes `target/bench/<name>.json`.

mod bare;
mod child;

mod error;
mod ingest;
mod ingest_full;
mod load;
mod mirror;
mod process;
mod report;
mod stores;
mod verify;

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
    /// Ingest into a log of a million events, against an empty one
    IngestFull(ingest_full::Options),
    /// Events a second from the log into the mirror
    Mirror(mirror::Options),
    /// A server of its own for the ingest benchmarks, until its standard input ends
    #[command(hide = true)]
    Serve(child::Options),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().benchmark {
        Some(benchmark) => run(&benchmark),
        None => [
            Benchmark::Verify,
            Benchmark::Ingest(ingest::Options::default()),
            Benchmark::IngestFull(ingest_full::Options::default()),
            Benchmark::Mirror(mirror::Options::default()),
        ]
        .iter()
        .try_for_each(run),
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
        Benchmark::IngestFull(options) => ingest_full::run(options),
        Benchmark::Mirror(options) => mirror::run(options),
        Benchmark::Serve(options) => child::run(options),
    }
}
