//! `cargo xtask postgres COMMAND`: a command that has the tests' PostgreSQL server while it runs.

use std::process::{Command, ExitCode};

use clap::Args;

use crate::environment::TEST_POSTGRES;
use crate::postgres::{self, Provided};
use crate::report::NotRun;

#[derive(Args)]
pub(crate) struct Options {
    /// The command and its arguments, such as `cargo nextest run -p deskbell-sync`
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs the command where the user is, and ends as it ends: the server is stopped before.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut not_run = Vec::new();
    let postgres = postgres::provide(&mut not_run);
    for NotRun { what, install } in &not_run {
        eprintln!("NOT RUN\n  {what}: {install}");
    }
    let code = run_with(&options.command, &postgres);
    drop(postgres);
    code
}

fn run_with(command: &[String], postgres: &Provided) -> ExitCode {
    let (Some(url), [program, args @ ..]) = (&postgres.url, command) else {
        return ExitCode::FAILURE;
    };
    match Command::new(program).args(args).env(TEST_POSTGRES, url).status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1).into(),
        Err(error) => {
            eprintln!("failed to start {program}: {error}");
            ExitCode::FAILURE
        }
    }
}
