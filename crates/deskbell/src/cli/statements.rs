//! `deskbell statements resume`: what to do after the log was restored or replaced.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use deskbell_sync::{ConnectError, statements};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Context, exit, named};

/// What `statements resume --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ResumedStatements")]
pub(super) struct Resumed {
    /// Name of the destination.
    destination: String,
    /// Always `true`: the statements go on at the next start.
    resumed: bool,
}

const EXAMPLE: &str = "\
Example:
  deskbell statements resume mirror --from now";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Resume statements that were paused because the event log is a different one, or leave out what
    /// a blocked statement missed that is no longer in the config. Takes effect at the next start.
    #[command(after_help = EXAMPLE)]
    Resume {
        /// Name of the destination.
        destination: String,
        /// Run them for the whole log, or only for new events.
        #[arg(long, value_enum)]
        from: From,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum From {
    /// For every event of the log, including events that they may have run for before.
    Beginning,
    /// For the events after those that the destination has now. Forgets blocked statements that are no longer in the config.
    Now,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("cannot use the database of destination `{destination}`")]
    Database { destination: String, source: ConnectError },
    #[error("destination `{destination}` has no paused statements")]
    NotHeld { destination: String },
}

pub(super) async fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    let Command::Resume { destination: name, from } = command;
    let config = context.load_without_secrets()?;
    let options = named::mirror(&name, &config)?;
    let from = match from {
        From::Beginning => statements::From::Beginning,
        From::Now => statements::From::Now,
    };
    let resumed = statements::resume(&options, from).await.map_err(|source| {
        exit::Failure::failed(Error::Database { destination: name.clone(), source })
    })?;
    if !resumed {
        return Err(exit::Failure::failed(Error::NotHeld { destination: name }));
    }
    if context.json {
        outln!("{}", serde_json::json!(Resumed { destination: name, resumed: true }));
    } else {
        outln!("the statements of {name} resume at the next start of `deskbell serve`");
    }
    Ok(ExitCode::from(exit::DONE))
}
