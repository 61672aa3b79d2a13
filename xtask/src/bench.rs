//! `cargo xtask bench`: the benchmarks, in the profile `release`, as `cargo run --release` builds the program.

use std::process::ExitCode;

use clap::Args;

use crate::step::cargo;

#[derive(Args)]
pub(crate) struct Options {
    /// Which benchmark, and its options, such as `ingest --store postgres`; all of them by default
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs package `deskbell-bench`, which does the measuring, so that this command stays quick to build.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut step = cargo("benchmarks", "run --release --package deskbell-bench --");
    step.args.extend(options.arguments.iter().cloned());
    match step.run() {
        Ok(outcome) if outcome.success => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to start {}: {error}", step.program);
            ExitCode::FAILURE
        }
    }
}
