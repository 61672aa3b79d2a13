//! `deskbell backfill`: mirrors are filled with what existed before them.

pub(super) mod dry_run;
mod emit;
mod run_here;
pub(super) mod show;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use deskbell_store::COMMANDS;
use deskbell_trust::{BackfillRequest, BackfillState};

use self::show::Shown;
use super::clerk::error::{Error, failure};
use super::clerk::task::Task;
use super::{Context, exit, store};
use crate::command_runner::{Answer, Request};

const EXAMPLE: &str = "\
Examples:
  deskbell backfill --dry-run                      what it would read
  deskbell backfill                                everything that the mirrors have
  deskbell backfill user organization --again
  deskbell backfill --emit user.created --to crm   an event of every user, to one destination";

/// How often it is looked whether the process that was asked still runs.
const SERVING_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Entities to read, such as user [default: all that the mirrors have].
    entities: Vec<String>,
    /// Fill only this mirror; can be repeated [default: all enabled ones].
    #[arg(long = "destination", value_name = "NAME")]
    destinations: Vec<String>,
    /// Read from the beginning what an earlier backfill has begun.
    #[arg(long)]
    again: bool,
    /// Only count what would be read, and the requests that it takes.
    #[arg(long)]
    dry_run: bool,
    /// Instead of filling mirrors, make an event of this type, such as user.created, of everything that Clerk has.
    #[arg(long, value_name = "TYPE", requires = "to", conflicts_with_all = ["entities", "destinations", "again"])]
    emit: Option<String>,
    /// Destination that gets the events, whatever its filter; nobody else does. Can be repeated.
    #[arg(long, value_name = "NAME", requires = "emit")]
    to: Vec<String>,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let Arguments { entities, destinations, again, dry_run, emit, to } = arguments;
    let config = context.load_without_secrets()?;
    let task = match emit {
        Some(event_type) => emit::task(event_type, to, config).await?,
        None => {
            let request = BackfillRequest { entities, destinations, again, ..Default::default() };
            Task::new(request, config)?
        }
    };
    if dry_run {
        dry_run::run(&task, context).await?;
        return Ok(ExitCode::from(exit::DONE));
    }
    let shown = Shown::new(&task, context);
    let location = task.config.store.location();
    let here = location.open_unless_serving().await.map_err(exit::Failure::failed)?;
    let state = match here {
        Some(store) => {
            let outcome = run_here::run(&task, &store, &shown).await;
            store.close().await;
            outcome?
        }
        None => by_serve(&task, &shown).await?,
    };
    let is_whole = shown.print(&state, context);
    Ok(ExitCode::from(if is_whole { exit::DONE } else { exit::FAILED }))
}

/// Has the running `serve` do it, and shows how far it is.
async fn by_serve(task: &Task, shown: &Shown) -> Result<BackfillState, exit::Failure> {
    let done = store::execute(&task.config, Request::Backfill(task.request.clone())).await?;
    let Answer::BackfillRequested { number } = done.answer else {
        return Err(store::unexpected(&done.answer));
    };
    let read = store::to_read(&task.config).await?;
    let state = tokio::select! {
        state = shown.until_done(&*read, number) => state.map_err(|error| failure(error.into())),
        () = until_nobody_serves(task) => Err(failure(Error::Stopped)),
    };
    read.close().await;
    let state = state?;
    match &state.error {
        Some(error) => Err(exit::Failure::failed_with_help(Error::ByServe(error.clone()))),
        None => Ok(state),
    }
}

/// Returns once no process serves the store any more.
async fn until_nobody_serves(task: &Task) {
    let mut look = tokio::time::interval(SERVING_INTERVAL);
    // The first tick is at once, and somebody has just taken the request.
    look.tick().await;
    loop {
        look.tick().await;
        if let Ok(Some(store)) = task.config.store.location().open_unless_serving().await {
            // Where that fails, a program that starts meanwhile waits for the lease's end.
            let _ = store.release_lease(COMMANDS).await;
            store.close().await;
            return;
        }
    }
}
