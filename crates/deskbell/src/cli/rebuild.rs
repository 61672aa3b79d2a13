//! `deskbell rebuild`: a mirror made anew from the log.

use std::process::ExitCode;

use clap::Args;
use clerk_webhooks::UnixMillis;
use deskbell_store::OpenError;
use deskbell_sync::dead_letters::DeadLetterEntry;
use deskbell_sync::rebuild::{self, Progress, RebuildError, Rebuilt};
use miette::Diagnostic;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Context, exit, named, progress};

const EXAMPLE: &str = "\
Examples:
  deskbell rebuild mirror
  deskbell rebuild mirror --until 2026-11-21T08:00:00Z --into clerk_on_saturday";

const READING: &str = "reading events {bar:40} {pos}/{len} ({eta} left)";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Destination whose mirror is rebuilt.
    destination: String,
    /// Build the mirror as it was at this time (2026-11-21T08:00:00Z), by the events' own
    /// timestamps. The live tables do not change.
    #[arg(long, value_name = "TIME", requires = "into", value_parser = time)]
    until: Option<UnixMillis>,
    /// Schema to build it in, which must not exist yet.
    #[arg(long, value_name = "SCHEMA", requires = "until")]
    into: Option<String>,
}

/// What `rebuild --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rebuilt")]
pub(super) struct Output<'a> {
    destination: &'a str,
    /// The schema that it was built in; `null` for the live tables.
    into: Option<&'a str>,
    /// Events that were read.
    events: u64,
    /// Rows that were missing or different.
    rows_written: u64,
    /// Rows that no event accounts for.
    rows_removed: u64,
    /// Events that were skipped since their payloads were pruned.
    payloads_pruned: u64,
    /// Rows that the database still rejects.
    refused: Vec<StillRefused<'a>>,
}

/// A row that the database still rejects.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StillRefused<'a> {
    /// The mapped table or the statement; empty for the mirror.
    part: &'a str,
    /// The kind of entity, such as `user`.
    entity: &'a str,
    id: &'a str,
    /// Why; `null` where it waits for other rows.
    reason: Option<&'a str>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("cannot read the event log")]
    Store(#[from] OpenError),
    #[error("cannot rebuild the mirror of destination `{destination}`")]
    Rebuild { destination: String, source: RebuildError },
}

fn time(text: &str) -> Result<UnixMillis, &'static str> {
    UnixMillis::from_json(&text.into()).ok_or("expected a time such as 2026-11-21T08:00:00Z")
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let config = context.load_without_secrets()?;
    let options = named::mirror(&arguments.destination, &config)?;
    let store = config
        .store
        .location()
        .open_to_read()
        .await
        .map_err(|error| exit::Failure::failed(Error::from(error)))?;
    let bar = progress::bar(0, READING, context);
    let show = |progress: Progress| {
        bar.set_length(u64::try_from(progress.head.get()).unwrap_or(0));
        bar.set_position(u64::try_from(progress.seq.get()).unwrap_or(0));
    };
    let outcome = match (arguments.until, &arguments.into) {
        (Some(until), Some(into)) => {
            rebuild::as_of(&*store, &options, until.as_millis(), into, show).await
        }
        _ => rebuild::rebuild(&*store, &options, show).await,
    };
    bar.finish_and_clear();
    store.close().await;
    let rebuilt = outcome.map_err(|source| {
        let destination = arguments.destination.clone();
        exit::Failure::failed(Error::Rebuild { destination, source })
    })?;
    print(&arguments, &rebuilt, context);
    let is_whole = rebuilt.refused.is_empty();
    Ok(ExitCode::from(if is_whole { exit::DONE } else { exit::FAILED }))
}

fn print(arguments: &Arguments, rebuilt: &Rebuilt, context: &Context) {
    let Rebuilt { events, rows_written, rows_removed, payloads_pruned, refused } = rebuilt;
    if context.json {
        let outcome = Output {
            destination: &arguments.destination,
            into: arguments.into.as_deref(),
            events: *events,
            rows_written: *rows_written,
            rows_removed: *rows_removed,
            payloads_pruned: *payloads_pruned,
            refused: refused.iter().map(still_refused).collect(),
        };
        outln!("{}", json!(outcome));
        return;
    }
    match &arguments.into {
        Some(into) => outln!("read {events} events and wrote {rows_written} rows into {into}"),
        None => outln!(
            "read {events} events; {rows_written} rows missing or different, {rows_removed} extra"
        ),
    }
    if *payloads_pruned > 0 {
        outln!(
            "skipped {payloads_pruned} events whose payloads were pruned; their rows were not \
             changed"
        );
    }
    if !refused.is_empty() {
        outln!("the database still rejects {} rows:", refused.len());
    }
    for entry in refused {
        let table = if entry.part.is_empty() { "mirror" } else { entry.part.as_str() };
        let reason = entry.reason.as_deref().unwrap_or("waits for other rows");
        outln!("  {} {} ({table}): {reason}", entry.entity, entry.id);
    }
}

fn still_refused(entry: &DeadLetterEntry) -> StillRefused<'_> {
    let DeadLetterEntry { part, entity, id, reason, .. } = entry;
    StillRefused { part, entity, id, reason: reason.as_deref() }
}
