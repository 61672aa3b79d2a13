//! Deskbell under faults, run by `cargo xtask faults`: real replicas, a real server, and faults whose moments come of a
//! printed seed.

mod balancer;
mod checks;
mod error;
mod fault;
mod ledger;
mod load;
mod receiver;
mod replica;
mod report;
mod server;
mod store;
mod test_cluster;
mod trial;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use self::error::FaultError;
use self::fault::Fault;
use self::report::Outcome;
use self::server::{Programs, Server};
use self::trial::Trials;

/// What `--short` tries: together well under a minute.
const SHORT: [Fault; 3] = [Fault::Cut, Fault::RestartImmediate, Fault::KillSqlite];

#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask faults",
    about = "Injects faults under load and checks the guarantees after each"
)]
struct Arguments {
    /// Seed of the run [default: from the clock]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Number of seeds to run in a row
    #[arg(long, value_name = "N", default_value_t = 1)]
    seeds: u64,
    /// Inject only this fault; can be repeated
    #[arg(long, value_name = "FAULT")]
    only: Vec<Fault>,
    /// Inject only a few quick faults
    #[arg(long, conflicts_with = "only")]
    short: bool,
    /// Write the table of results into this document
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The program to test
    #[arg(long, value_name = "FILE", hide = true)]
    program: PathBuf,
    /// Directory for the logs of failed trials
    #[arg(long, value_name = "DIR", hide = true)]
    directory: PathBuf,
    /// The library of libfaketime
    #[arg(long, value_name = "FILE", hide = true)]
    faketime: Option<PathBuf>,
    #[command(flatten)]
    postgres: Programs,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Nobody has installed another one: this is the first thing that the program does.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let arguments = Arguments::parse();
    let done = tokio::select! {
        done = run(&arguments) => done,
        // What was started ends when it is dropped.
        stopped = stopped() => stopped.and(Ok(false)),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns when somebody wants this to end.
async fn stopped() -> Result<(), FaultError> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<bool, FaultError> {
    let faults = match (arguments.short, arguments.only.as_slice()) {
        (true, _) => &SHORT,
        (false, []) => Fault::all(),
        (false, only) => only,
    };
    let first = arguments.seed.unwrap_or_else(|| u64::from(rand::random::<u16>()));
    let seeds = first..first.saturating_add(arguments.seeds.max(1));
    println!("seeds {} to {}: cargo xtask faults --seed N runs one again", first, seeds.end - 1);
    let mut server = Server::start(&arguments.postgres).await?;
    let outcomes = try_all(arguments, faults, seeds, &mut server).await;
    server.end().await?;
    let outcomes = outcomes?;
    if let Some(document) = &arguments.report {
        report::publish(document, &outcomes)?;
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.wrong.is_empty()).count();
    println!("{} trials, {failed} failed", outcomes.len());
    Ok(failed == 0)
}

async fn try_all(
    arguments: &Arguments,
    faults: &[Fault],
    seeds: std::ops::Range<u64>,
    server: &mut Server,
) -> Result<Vec<Outcome>, FaultError> {
    // Replicas run in directories of their own.
    let program = std::path::absolute(&arguments.program)?;
    let directory = std::path::absolute(&arguments.directory)?;
    let trials =
        Trials { program: &program, directory: &directory, faketime: arguments.faketime.clone() };
    let mut outcomes = Vec::new();
    for seed in seeds {
        for &fault in faults {
            if fault == Fault::Clock && trials.faketime.is_none() {
                println!("seed {seed}  {}: NOT RUN: install libfaketime", fault.name());
                continue;
            }
            let outcome = trials.run(fault, seed, server).await?;
            println!("{}", outcome.line());
            outcomes.push(outcome);
        }
    }
    Ok(outcomes)
}
