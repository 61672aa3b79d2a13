//! `deskbell replay`: events of the log are sent again.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgGroup, Args};
use clerk_webhooks::UnixMillis;
use deskbell_delivery::{Replay, What};
use deskbell_store::Database;
use serde_json::json;

use super::{Context, exit, named, store, time};
use crate::config::Config;
use crate::orders::{Answer, Request};

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true)))]
pub(super) struct Arguments {
    /// The message id (svix-id) of one event, which is sent whatever became of it before: with
    /// --destination also where its filter does not want it.
    #[arg(group = "what")]
    message_id: Option<String>,
    /// What was given up on since this time, such as 2026-11-21T08:00:00Z, or since so long ago,
    /// such as 2h.
    #[arg(long, group = "what", value_name = "T", value_parser = time::since)]
    dead_lettered_since: Option<UnixMillis>,
    /// What was received since this time, is wanted, and was never owed: after a destination was
    /// added, or its filter widened.
    #[arg(long, group = "what", value_name = "T", value_parser = time::since)]
    missing_since: Option<UnixMillis>,
    /// To this destination only [default: all that are enabled].
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Events of this type only, or of those that a pattern such as user.* matches; may be
    /// repeated.
    #[arg(long = "type", value_name = "PATTERN", conflicts_with = "message_id")]
    types: Vec<String>,
    /// Events about this user, organization or other entity only.
    #[arg(long, value_name = "ID", conflicts_with = "message_id")]
    subject: Option<String>,
    /// At most so many deliveries.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Count them, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let config = context.load_without_secrets()?;
    let read = store::to_read(&config).await?;
    let outcome = replay(&arguments, &config, &read).await;
    read.close().await;
    let (deliveries, waits) = outcome?;
    print(deliveries, arguments.dry_run, waits, context);
    Ok(ExitCode::from(exit::DONE))
}

/// How many deliveries there are, and whether they wait for a `serve` to make them.
async fn replay(
    arguments: &Arguments,
    config: &Config,
    read: &Arc<dyn Database>,
) -> Result<(u64, bool), exit::Failure> {
    if let Some(name) = &arguments.destination {
        named::require_started(name, config, &**read).await?;
    }
    let Some(replay) = arguments.replay() else { return Ok((0, false)) };
    if replay.dry_run {
        let replayer = store::replayer(config, read)?;
        let replayed = replayer.replay(&replay).await.map_err(exit::Failure::failed)?;
        return Ok((replayed.deliveries, false));
    }
    let done = store::carry_out(config, Request::Replay(replay)).await?;
    let Answer::Replayed { deliveries } = done.answer else {
        return Err(store::unexpected(&done.answer));
    };
    if deliveries > 0 {
        let warned =
            named::warn_of_disabled(arguments.destination.as_deref(), config, &**read).await;
        warned.map_err(store::failed_to_read)?;
    }
    Ok((deliveries, !done.by_serve))
}

impl Arguments {
    /// What is asked for; there is always one of the three.
    fn replay(&self) -> Option<Replay> {
        let event = || Some(What::Event { message_id: self.message_id.clone()? });
        let dead =
            || self.dead_lettered_since.map(|at| What::DeadLettered { since_ms: at.as_millis() });
        let missing = || self.missing_since.map(|at| What::Missing { since_ms: at.as_millis() });
        Some(Replay {
            what: event().or_else(dead).or_else(missing)?,
            destination: self.destination.clone(),
            events: (!self.types.is_empty()).then(|| self.types.clone()),
            subject: self.subject.clone(),
            limit: self.limit,
            dry_run: self.dry_run,
        })
    }
}

fn print(deliveries: u64, dry_run: bool, waits: bool, context: &Context) {
    if context.json {
        outln!("{}", json!({ "deliveries": deliveries, "dry_run": dry_run }));
        return;
    }
    let counted = store::counted(deliveries);
    match (deliveries, dry_run, waits) {
        (0, ..) => outln!("there is nothing to send again"),
        (_, true, _) => outln!("{counted} would be made; nothing was changed"),
        (_, _, true) => outln!("{counted} will be made once `deskbell serve` runs"),
        _ => outln!("{counted} will be made by the running deskbell"),
    }
}
