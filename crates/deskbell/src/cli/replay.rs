//! `deskbell replay`: events of the log are sent again.

use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgGroup, Args};
use clerk_webhooks::UnixMillis;
use deskbell_admin::{ReplayRequest, ReplayStatus, Timestamp};
use deskbell_delivery::{Replay, What};
use deskbell_store::Store;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::remote::RemoteArguments;
use super::{Context, exit, named, store, time};
use crate::command_runner::{Answer, Request};
use crate::config::Config;

const EXAMPLE: &str = "\
Examples:
  deskbell replay msg_2b8kYb1XzQ --destination crm
  deskbell replay --dead-lettered-since 2h --dry-run
  deskbell replay --missing-since 30d --destination crm --type 'user.*'";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
#[command(group(ArgGroup::new("what").required(true)))]
pub(super) struct Arguments {
    /// Message id (svix-id) of one event, which is sent whatever became of it before. With
    /// --destination it is sent even if the destination's filter does not take it.
    #[arg(group = "what")]
    message_id: Option<String>,
    /// Deliveries that failed permanently since this time (2026-11-21T08:00:00Z) or this long ago
    /// (2h).
    #[arg(long, group = "what", value_name = "T", value_parser = time::since)]
    dead_lettered_since: Option<UnixMillis>,
    /// Events received since this time that a destination takes but never had a delivery for: after
    /// you added a destination or widened its filter.
    #[arg(long, group = "what", value_name = "T", value_parser = time::since)]
    missing_since: Option<UnixMillis>,
    /// Only to this destination [default: all enabled ones].
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only events of this type, or a pattern such as user.*; can be repeated.
    #[arg(long = "type", value_name = "PATTERN", conflicts_with = "message_id")]
    types: Vec<String>,
    /// Only events about this user, organization or other entity.
    #[arg(long, value_name = "ID", conflicts_with = "message_id")]
    subject: Option<String>,
    /// Maximum number of deliveries.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Only count the deliveries.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    remote: RemoteArguments,
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let Replayed { deliveries, waits } = replayed(&arguments, context).await?;
    print(deliveries, arguments.dry_run, waits, context);
    Ok(ExitCode::from(exit::DONE))
}

/// What `replay --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Replayed")]
pub(super) struct Output {
    /// Deliveries that were queued, or would be.
    deliveries: u64,
    /// Whether they were only counted.
    dry_run: bool,
}

/// What came of it.
pub(super) struct Replayed {
    pub(super) deliveries: u64,
    /// Whether they wait for a `serve` to make them.
    pub(super) waits: bool,
}

/// Sends again what is asked for, by the other server or here.
pub(super) async fn replayed(
    arguments: &Arguments,
    context: &Context,
) -> Result<Replayed, exit::Failure> {
    if let Some(remote) = arguments.remote.remote()? {
        let replayed: ReplayStatus = remote.post(&["replay"], &arguments.request()).await?;
        return Ok(Replayed { deliveries: replayed.deliveries, waits: false });
    }
    let config = context.load_without_secrets()?;
    let read = store::to_read(&config).await?;
    let outcome = replay(arguments, &config, &read).await;
    read.close().await;
    let (deliveries, waits) = outcome?;
    Ok(Replayed { deliveries, waits })
}

/// How many deliveries there are, and whether they wait for a `serve` to make them.
async fn replay(
    arguments: &Arguments,
    config: &Config,
    read: &Arc<dyn Store>,
) -> Result<(u64, bool), exit::Failure> {
    let declared = &store::declared(config, &**read).await?;
    if let Some(name) = &arguments.destination {
        named::require_started(name, declared, &**read).await?;
    }
    let Some(replay) = arguments.replay() else { return Ok((0, false)) };
    if replay.dry_run {
        let replayer = store::replayer(declared, read)?;
        let replayed = replayer.replay(&replay).await.map_err(exit::Failure::failed)?;
        return Ok((replayed.deliveries, false));
    }
    let done = store::execute(config, Request::Replay(replay)).await?;
    let Answer::Replayed { deliveries } = done.answer else {
        return Err(store::unexpected(&done.answer));
    };
    if deliveries > 0 {
        let warned =
            named::warn_of_disabled(arguments.destination.as_deref(), declared, &**read).await;
        warned.map_err(store::failed_to_read)?;
    }
    Ok((deliveries, !done.by_serve))
}

impl Arguments {
    /// Those that name one event.
    pub(super) fn of_event(
        message_id: String,
        destination: Option<String>,
        dry_run: bool,
        remote: RemoteArguments,
    ) -> Self {
        Self {
            message_id: Some(message_id),
            dead_lettered_since: None,
            missing_since: None,
            destination,
            types: Vec::new(),
            subject: None,
            limit: None,
            dry_run,
            remote,
        }
    }

    /// What is asked for, over the admin API.
    fn request(&self) -> ReplayRequest {
        let time = |at: UnixMillis| Timestamp(at.as_millis());
        ReplayRequest {
            message_id: self.message_id.clone(),
            source: None,
            dead_lettered_since: self.dead_lettered_since.map(time),
            missing_since: self.missing_since.map(time),
            matching: None,
            destination: self.destination.clone(),
            types: (!self.types.is_empty()).then(|| self.types.clone()),
            subject: self.subject.clone(),
            limit: self.limit,
            dry_run: self.dry_run,
        }
    }

    /// What is asked for; there is always one of the three.
    fn replay(&self) -> Option<Replay> {
        let event = || Some(What::Event { message_id: self.message_id.clone()?, source: None });
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
        outln!("{}", json!(Output { deliveries, dry_run }));
        return;
    }
    let counted = store::counted(deliveries);
    match (deliveries, dry_run, waits) {
        (0, ..) => outln!("nothing to send again"),
        (_, true, _) => outln!("{counted} would be queued; nothing was changed"),
        (_, _, true) => outln!("{counted} queued until `deskbell serve` runs"),
        _ => outln!("{counted} queued for the running `deskbell serve`"),
    }
}
