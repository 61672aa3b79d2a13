//! `deskbell dead-letters`: what could not be taken or delivered, and asking for it again.

mod chosen;
mod error;
mod row;

use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use deskbell_admin::{DeadLetterView, Retried, RetryRequest};
use deskbell_delivery::one_line;
use deskbell_sync::MirrorOptions;
use deskbell_sync::dead_letters::{self, Choice};
use serde_json::json;

use self::chosen::Chosen;
use self::error::{none, unreachable};
use super::remote::{Remote, RemoteArguments};
use super::store::{self, Done};
use super::{Context, exit, table};
use crate::command_runner::{Answer, Request};
use crate::config::Config;

const LIST_EXAMPLE: &str = "\
Examples:
  deskbell dead-letters list
  deskbell dead-letters list crm --json";

const SHOW_EXAMPLE: &str = "\
Example:
  deskbell dead-letters show user_29w83sxmDNGwOuEthce5gg56FcC";

const RETRY_EXAMPLE: &str = "\
Examples:
  deskbell dead-letters retry user_29w83sxmDNGwOuEthce5gg56FcC
  deskbell dead-letters retry --cause 23505        those that a unique constraint rejected
  deskbell dead-letters retry --all --destination crm";

/// Dead letters that are asked for over the admin API.
const LISTED_MAX: u32 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List rows and deliveries that failed, and rows that wait for others.
    #[command(after_help = LIST_EXAMPLE)]
    List {
        /// Only of this destination [default: all enabled ones].
        destination: Option<String>,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Show the details of a dead letter.
    #[command(after_help = SHOW_EXAMPLE)]
    Show {
        /// Id of the entity or of the message.
        id: String,
        /// Only of this destination [default: all enabled ones].
        #[arg(long, value_name = "NAME")]
        destination: Option<String>,
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Retry dead letters, by the running `deskbell serve` or the next one.
    Retry(Retry),
}

#[derive(Debug, Args)]
#[command(after_help = RETRY_EXAMPLE)]
#[command(group(ArgGroup::new("which").required(true)))]
pub(super) struct Retry {
    /// Ids of entities or of messages.
    #[arg(group = "which", value_name = "ID")]
    pub(super) ids: Vec<String>,
    /// All dead letters.
    #[arg(long, group = "which")]
    pub(super) all: bool,
    /// Rows that a database rejected with this code (such as 23505), for this constraint or in this
    /// table.
    #[arg(long, group = "which", value_name = "CODE|CONSTRAINT|TABLE")]
    pub(super) cause: Option<String>,
    /// Only of this destination [default: all enabled ones].
    #[arg(long, value_name = "NAME")]
    pub(super) destination: Option<String>,
    #[command(flatten)]
    pub(super) remote: RemoteArguments,
}

pub(super) async fn run(command: Command, context: &Context) -> Result<ExitCode, exit::Failure> {
    match command {
        Command::List { destination, remote } => {
            let found = find(destination.as_deref(), None, &remote, context).await?;
            list(&found, context);
        }
        Command::Show { id, destination, remote } => {
            let found = find(destination.as_deref(), Some(&id), &remote, context).await?;
            show(id, &found, context)?;
        }
        Command::Retry(arguments) => {
            let asked = retry(&arguments, context).await?;
            if context.json {
                outln!("{}", json!(Retried { asked: asked.count() }));
            } else {
                asked.print();
            }
        }
    }
    Ok(ExitCode::from(exit::DONE))
}

/// Those of the named destination, or of all; with this id, or all.
pub(super) async fn find(
    destination: Option<&str>,
    id: Option<&str>,
    remote: &RemoteArguments,
    context: &Context,
) -> Result<Vec<DeadLetterView>, exit::Failure> {
    if let Some(remote) = remote.remote()? {
        let mut query = vec![("limit", LISTED_MAX.to_string())];
        query.extend(destination.map(|name| ("destination", name.to_owned())));
        query.extend(id.map(|id| ("id", id.to_owned())));
        return remote.get(&["dead-letters"], &query).await;
    }
    let config = context.load_without_secrets()?;
    let ids = id.map(|id| [id.to_owned()]);
    Chosen::new(&config, destination).await?.rows(ids.as_ref().map(|ids| &ids[..])).await
}

fn list(rows: &[DeadLetterView], context: &Context) {
    if context.json {
        outln!("{:#}", json!(rows));
        return;
    }
    if rows.is_empty() {
        errln!("no dead letters");
        return;
    }
    let heads = ["STATE", "SINCE", "DESTINATION", "PART", "ENTITY", "MESSAGE", "REASON"];
    table::print(heads, rows.iter().map(row::cells));
}

fn show(id: String, rows: &[DeadLetterView], context: &Context) -> Result<(), exit::Failure> {
    if rows.is_empty() {
        return Err(none(&[id]));
    }
    if context.json {
        outln!("{:#}", json!(rows));
        return Ok(());
    }
    for (index, row) in rows.iter().enumerate() {
        if index > 0 {
            outln!();
        }
        for (name, text) in row::fields(row) {
            outln!("{name:12} {}", one_line(&text));
        }
    }
    Ok(())
}

/// Asks the other server, or the mirrors and the event log of this config.
pub(super) async fn retry(arguments: &Retry, context: &Context) -> Result<Asked, exit::Failure> {
    let asked = match arguments.remote.remote()? {
        Some(remote) => retry_there(arguments, &remote).await?,
        None => {
            let config = context.load_without_secrets()?;
            let chosen = Chosen::new(&config, arguments.destination.as_deref()).await?;
            retry_here(arguments, &chosen, &config).await?
        }
    };
    if asked.count() == 0 && !arguments.all {
        let named = arguments.cause.as_ref().map(std::slice::from_ref);
        return Err(none(named.unwrap_or(&arguments.ids)));
    }
    Ok(asked)
}

async fn retry_there(arguments: &Retry, remote: &Remote) -> Result<Asked, exit::Failure> {
    let request = RetryRequest {
        destination: arguments.destination.clone(),
        ids: arguments.ids.clone(),
        all: arguments.all,
        cause: arguments.cause.clone(),
    };
    let Retried { asked } = remote.post(&["dead-letters", "retry"], &request).await?;
    Ok(Asked::There(asked))
}

/// How many were asked for.
pub(super) enum Asked {
    /// By the other server, which counts them together.
    There(u64),
    /// Rows of mirrors, and deliveries, and whether a running `serve` makes these.
    Here { rows: u64, deliveries: Option<(u64, bool)> },
}

async fn retry_here(
    arguments: &Retry,
    chosen: &Chosen,
    config: &Config,
) -> Result<Asked, exit::Failure> {
    let ids = (!arguments.all).then_some(&*arguments.ids);
    let (choice, deliveries) = match &arguments.cause {
        Some(cause) => (Choice::Cause(cause.clone()), None),
        None => (choice(ids), revive(chosen, ids, config).await?),
    };
    Ok(Asked::Here { rows: ask_mirrors(chosen, &choice).await?, deliveries })
}

fn choice(ids: Option<&[String]>) -> Choice {
    ids.map_or(Choice::All, |ids| Choice::These(ids.to_vec()))
}

async fn ask_mirrors(chosen: &Chosen, choice: &Choice) -> Result<u64, exit::Failure> {
    let mut asked = 0;
    for options in &chosen.mirrors {
        let found = dead_letters::request_retry(options, choice).await;
        asked += found.map_err(|source| unreachable(options, source))?;
    }
    Ok(asked)
}

/// How many deliveries are due again, and whether a running `serve` makes them; `None` where there
/// was nothing to ask for.
async fn revive(
    chosen: &Chosen,
    ids: Option<&[String]>,
    config: &Config,
) -> Result<Option<(u64, bool)>, exit::Failure> {
    if !chosen.has_delivery(ids).await? {
        return Ok(None);
    }
    let Done { answer, by_serve } =
        store::execute(config, Request::Retry(chosen.retry(ids))).await?;
    match answer {
        Answer::Replayed { deliveries } => Ok(Some((deliveries, by_serve))),
        other => Err(store::unexpected(&other)),
    }
}

impl Asked {
    pub(super) fn count(&self) -> u64 {
        match *self {
            Self::There(asked) => asked,
            Self::Here { rows, deliveries } => rows + deliveries.map_or(0, |(count, _)| count),
        }
    }

    fn print(&self) {
        let (rows, deliveries) = match *self {
            Self::There(asked) => {
                outln!("{asked} queued for retry");
                return;
            }
            Self::Here { rows, deliveries } => (rows, deliveries),
        };
        if let Some((deliveries, by_serve)) = deliveries {
            let counted = store::counted(deliveries);
            if by_serve {
                outln!("{counted} queued for the running `deskbell serve`");
            } else {
                outln!("{counted} queued until `deskbell serve` runs");
            }
        }
        if rows > 0 || deliveries.is_none() {
            let seconds = MirrorOptions::default().poll_every.as_secs();
            outln!("{rows} queued for retry by `deskbell serve` within {seconds} s");
        }
    }
}
