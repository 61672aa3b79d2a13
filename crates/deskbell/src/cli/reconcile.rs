//! `deskbell reconcile`: mirrors are compared with Clerk.

pub(super) mod messages;
pub(super) mod show;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use clerk_webhooks::UnixMillis;
use deskbell_store::{Store, clock};
use deskbell_sync::{MirrorOptions, connect, status};
use deskbell_trust::{
    BackfillRequest, BackfillSource, MirrorReconciled, Reconcile, ReconciledMirror, Repair,
};

use super::clerk::error::{Error, failure};
use super::clerk::task::Task;
use super::{Context, exit, progress, store, time};

const EXAMPLE: &str = "\
Examples:
  deskbell reconcile                               exit code 1 if a mirror differs
  deskbell reconcile user --repair
  deskbell reconcile --messages --since 7d --repair";

/// Events that a mirror may be behind without a word.
const LAG_MAX: u64 = 100;
const COMPARING: &str = "{spinner} comparing {msg}";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Entities to compare, such as user [default: all that the mirrors have].
    entities: Vec<String>,
    /// Compare only this mirror; can be repeated [default: all enabled ones].
    #[arg(long = "destination", value_name = "NAME")]
    destinations: Vec<String>,
    /// Write what is missing or stale, and remove what Clerk does not have.
    #[arg(long)]
    repair: bool,
    /// Rows of one entity that may be removed [default: 20, or 1 % of them if that is more].
    #[arg(long, value_name = "N", requires = "repair")]
    delete_at_most: Option<u64>,
    /// Compare the messages of Clerk's sender with the event log instead of mirrors.
    #[arg(long, conflicts_with_all = ["entities", "destinations", "delete_at_most"])]
    messages: bool,
    /// Only messages since this time (2026-11-21T08:00:00Z) or this long ago (7d) [default: 90d].
    #[arg(long, value_name = "T", requires = "messages", value_parser = time::since)]
    since: Option<UnixMillis>,
    /// Time limit for messages that are sent again to arrive; those that do not are fetched.
    #[arg(long, default_value = "60s", value_name = "DURATION", requires_all = ["messages", "repair"], value_parser = humantime::parse_duration)]
    wait: Duration,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let Arguments { entities, destinations, repair, delete_at_most, messages, since, wait } =
        arguments;
    if messages {
        return messages::run(&messages::Request { since, repair, wait }, context).await;
    }
    let request = BackfillRequest { entities, destinations, ..BackfillRequest::default() };
    let task = Task::new(request, context.load_without_secrets()?)?;
    let repair = repair.then_some(Repair { delete_at_most });
    let store = store::to_read(&task.config).await?;
    let compared = compare_all(&task, &*store, repair, context).await;
    store.close().await;
    let compared = compared.map_err(failure)?;
    let is_right = show::print(&compared, repair.is_some(), context);
    Ok(ExitCode::from(if is_right { exit::DONE } else { exit::FAILED }))
}

/// What was found, by mirror.
type Compared = Vec<(String, MirrorReconciled)>;

async fn compare_all(
    task: &Task,
    store: &dyn Store,
    repair: Option<Repair>,
    context: &Context,
) -> Result<Compared, Error> {
    let mut compared = Vec::new();
    for source in &task.sources {
        for options in task.mirrors_of(source) {
            let outcome = compare(task, store, (source, options), repair, context).await?;
            compared.push((options.destination.clone(), outcome));
        }
    }
    Ok(compared)
}

async fn compare(
    task: &Task,
    store: &dyn Store,
    (source, options): (&BackfillSource, &MirrorOptions),
    repair: Option<Repair>,
    context: &Context,
) -> Result<MirrorReconciled, Error> {
    let destination = &options.destination;
    let cannot_open = |source| Error::Mirror { destination: destination.clone(), source };
    let target = match repair {
        Some(_) => Some(connect(options).await.map_err(cannot_open)?),
        None => None,
    };
    let mirror = ReconciledMirror::open(options, target).await.map_err(cannot_open)?;
    let reconcile = Reconcile::of_source(source, store, &mirror, repair).await;
    let reconcile = reconcile.map_err(Error::Key)?;
    warn_of_lag(store, options).await;
    let spinner = progress::spinner(COMPARING, context);
    let started_at_ms = clock::now_ms();
    let show = |entity: &str| spinner.set_message(format!("{entity} of {destination}"));
    let entities = reconcile.run(&task.request.entities, &show).await;
    spinner.finish_and_clear();
    let finished_at_ms = clock::now_ms();
    Ok(MirrorReconciled { started_at_ms, finished_at_ms, entities, ..MirrorReconciled::default() })
}

/// What the mirror has not applied yet counts as a difference.
async fn warn_of_lag(store: &dyn Store, options: &MirrorOptions) {
    let Ok(Some(reported)) = status::reported(store, &options.destination).await else { return };
    let lag = reported.status.lag_events;
    if lag > LAG_MAX {
        errln!(
            "warning: the mirror {} has {lag} events of the log to apply; until then they count as \
             differences",
            options.destination
        );
    }
}
