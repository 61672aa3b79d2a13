//! `deskbell events`: what is in the log, and what became of it.

pub(super) mod list;
pub(super) mod show;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::remote::RemoteArguments;
use super::{Context, exit};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List events, newest first.
    List {
        #[command(flatten)]
        arguments: list::Arguments,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Show an event and what became of it at each destination, mirrors included.
    Show {
        #[command(flatten)]
        arguments: show::Arguments,
        #[command(flatten)]
        remote: RemoteArguments,
    },
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    match arguments.command {
        Command::List { arguments, remote } => {
            list::run(&arguments, remote.remote()?.as_ref(), context).await?;
        }
        Command::Show { arguments, remote } => {
            show::run(&arguments, remote.remote()?.as_ref(), context).await?;
        }
    }
    Ok(ExitCode::from(exit::DONE))
}
