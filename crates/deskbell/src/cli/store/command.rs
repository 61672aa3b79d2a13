//! `deskbell store`: the event log as a whole.

use std::process::ExitCode;

use clap::Subcommand;

use super::{backup, migrate};
use crate::cli::{Context, exit};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Copy the event log to a new SQLite file, also while `serve` runs.
    Backup(backup::Arguments),
    /// Move the event log from SQLite to PostgreSQL. If interrupted, run it again to continue.
    Migrate(migrate::Arguments),
}

pub(in crate::cli) async fn run(
    command: Command,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    match command {
        Command::Backup(arguments) => backup::run(arguments, context).await,
        Command::Migrate(arguments) => migrate::run(arguments, context).await,
    }
}
