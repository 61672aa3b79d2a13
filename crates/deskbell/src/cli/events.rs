//! `deskbell events`: what is in the log, and what became of it.

mod list;
mod show;

use std::process::ExitCode;

use clap::Subcommand;

use super::{Context, exit};
pub(super) use show::summary;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List events, newest first.
    List(list::Arguments),
    /// Show an event and what became of it at each destination, mirrors included.
    Show(show::Arguments),
}

pub(super) async fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    let config = context.load_to_read()?;
    match command {
        Command::List(arguments) => list::run(&arguments, &config, context).await?,
        Command::Show(arguments) => show::run(&arguments, &config, context).await?,
    }
    Ok(ExitCode::from(exit::DONE))
}
