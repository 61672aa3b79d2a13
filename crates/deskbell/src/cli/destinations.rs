//! `deskbell destinations`: their status, and sending to a disabled one again.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use deskbell_admin::DestinationView;
use deskbell_delivery::in_words;
use deskbell_store::clock::{self, whole_ms};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::remote::{Nothing, RemoteArguments};
use super::{Context, exit, named, store, table};
use crate::admin::destinations;
use crate::command_runner::{Answer, Request};
use crate::config::Config;

const LIST_EXAMPLE: &str = "\
Example:
  deskbell destinations list --json";

const ENABLE_EXAMPLE: &str = "\
Example:
  deskbell destinations enable crm";

const EXAMPLE: &str = "\
Examples:
  deskbell destinations
  deskbell destinations --server https://hooks.example.com --token $TOKEN
  deskbell destinations enable crm";

/// What `destinations enable --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EnabledDestination")]
pub(super) struct Enabled<'a> {
    /// Name of the destination.
    destination: &'a str,
    /// Always `true`.
    enabled: bool,
}

/// The placeholder for a number that there is none of.
const NOTHING: &str = "-";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List destinations and their status (the default).
    #[command(after_help = LIST_EXAMPLE)]
    List {
        #[command(flatten)]
        remote: RemoteArguments,
    },
    /// Re-enable a destination that was disabled because it kept failing, or was paused.
    #[command(after_help = ENABLE_EXAMPLE)]
    Enable {
        /// Name of the destination.
        name: String,
        #[command(flatten)]
        remote: RemoteArguments,
    },
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    match arguments.command {
        None => list(&arguments.remote, context).await?,
        Some(Command::List { remote }) => list(&remote, context).await?,
        Some(Command::Enable { name, remote }) => {
            let by_serve = enable(&name, &remote, context).await?;
            say_enabled(&name, by_serve, context);
        }
    }
    Ok(ExitCode::from(exit::DONE))
}

async fn list(remote: &RemoteArguments, context: &Context) -> Result<(), exit::Failure> {
    let views = all(remote, context).await?;
    if context.json {
        outln!("{:#}", json!(views));
        return Ok(());
    }
    let now_ms = clock::now_ms();
    let heads =
        ["NAME", "TYPE", "ENABLED", "ROUTED", "PENDING", "WAITING", "DEAD", "OLDEST", "STATE"];
    table::print(heads, views.iter().map(|view| cells(view, now_ms)));
    for comparison in views.iter().filter_map(|view| comparison(view, now_ms)) {
        outln!("{comparison}");
    }
    Ok(())
}

/// All destinations, of the other server or of the local config and log.
pub(super) async fn all(
    remote: &RemoteArguments,
    context: &Context,
) -> Result<Vec<DestinationView>, exit::Failure> {
    match remote.remote()? {
        Some(remote) => remote.get(&["destinations"], &[]).await,
        None => of_store(&context.load_to_read()?).await,
    }
}

async fn of_store(config: &Config) -> Result<Vec<DestinationView>, exit::Failure> {
    let Some(store) = store::to_read_if_there(config).await? else {
        return Ok(destinations::without_store(config));
    };
    let all = match store::declared(config, &*store).await {
        Ok(config) => destinations::all(&config, &*store, &[]).await.map_err(store::failed_to_read),
        Err(failure) => Err(failure),
    };
    store.close().await;
    all
}

/// The cells of a table: name, type, enabled, routed, pending, waiting, dead, oldest, state.
fn cells(view: &DestinationView, now_ms: i64) -> [String; 9] {
    let number = |number: Option<u64>| number.map_or_else(nothing, |number| number.to_string());
    let oldest = match (view.lag_seconds, view.oldest_received_at) {
        (Some(_), _) if view.lag_events == Some(0) => nothing(),
        (Some(seconds), _) => in_words(whole_ms(Duration::from_secs(seconds))),
        (None, Some(at)) => in_words(now_ms - at.0),
        (None, None) => nothing(),
    };
    let enabled = view.enabled.map(|enabled| if enabled { "yes" } else { "no" });
    [
        view.name.clone(),
        view.destination_type.clone().unwrap_or_else(nothing),
        enabled.unwrap_or("not in the config").to_owned(),
        view.routed.map_or_else(nothing, |routed| format!("{routed} of {}", view.head)),
        number(view.pending),
        number(view.waiting_rows),
        number(view.dead_lettered),
        oldest,
        view.summary.clone(),
    ]
}

fn nothing() -> String {
    NOTHING.to_owned()
}

/// What the last comparison with Clerk has found, in a line; `None` where there was none.
fn comparison(view: &DestinationView, now_ms: i64) -> Option<String> {
    let last = view.reconciled.as_ref().filter(|last| last.started_at.0 > 0)?;
    let (name, ago) = (&view.name, in_words(now_ms - last.started_at.0));
    let (repaired, left) = (last.repaired, last.left);
    let whole = if last.complete { "" } else { ", not of everything" };
    Some(format!(
        "{name}: compared with Clerk {ago} ago{whole}; {repaired} differences repaired since, {left} left"
    ))
}

/// Enables it, and says whether a running `serve` did it.
pub(super) async fn enable(
    name: &str,
    remote: &RemoteArguments,
    context: &Context,
) -> Result<bool, exit::Failure> {
    let Some(remote) = remote.remote()? else {
        return enable_here(name, &context.load_without_secrets()?).await;
    };
    let _: Nothing = remote.post(&["destinations", name, "resume"], &json!({})).await?;
    Ok(true)
}

async fn enable_here(name: &str, config: &Config) -> Result<bool, exit::Failure> {
    let store = store::to_read(config).await?;
    let known = match store::declared(config, &*store).await {
        Ok(config) => named::require_started(name, &config, &*store).await,
        Err(failure) => Err(failure),
    };
    store.close().await;
    known?;
    let request = Request::Enable { destination: name.to_owned() };
    let done = store::execute(config, request).await?;
    if done.answer != Answer::Enabled {
        return Err(store::unexpected(&done.answer));
    }
    Ok(done.by_serve)
}

fn say_enabled(name: &str, by_serve: bool, context: &Context) {
    if context.json {
        outln!("{}", json!(Enabled { destination: name, enabled: true }));
    } else if by_serve {
        outln!("{name} re-enabled");
    } else {
        outln!("{name} re-enabled; deliveries start when `deskbell serve` runs");
    }
}
