//! `deskbell explain`: what is known of an entity or an event, and why.

use std::process::ExitCode;

use clap::Args;
use deskbell_admin::{ExplainedRow, Explanation, ValueFrom};
use deskbell_delivery::one_line;
use miette::Diagnostic;

use super::outcome::{Outcome, sentence};
use super::remote::{Remote, RemoteArguments};
use super::{Context, exit, store};
use crate::admin::explanation;
use crate::explain::explain;

const EXAMPLE: &str = "\
Examples:
  deskbell explain user_29w83sxmDNGwOuEthce5gg56FcC   its rows, and what became of its events
  deskbell explain msg_2b8kYb1XzQ                     the same of what the event is about";

/// Characters of a value that are shown.
const VALUE_CHARS_MAX: usize = 60;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Arguments {
    /// Id of a user, organization or other entity, or of a message.
    #[arg(value_name = "SUBJECT|MESSAGE_ID")]
    id: String,
    /// Maximum number of events, the newest first.
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    remote: RemoteArguments,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error(
        "nothing is known of `{id}`: the event log has no event about it, and no mirror has a row"
    )]
    #[diagnostic(help(
        "run `deskbell events list` to list events; what existed before the log is in a mirror after `deskbell backfill`"
    ))]
    Unknown { id: String },
}

pub(super) async fn run(
    arguments: Arguments,
    context: &Context,
) -> Result<ExitCode, exit::Failure> {
    let Arguments { id, limit, remote } = arguments;
    let explained = found(&id, limit, remote.remote()?.as_ref(), context).await?;
    let is_known = is_known(&explained);
    let is_unread = !explained.unread.is_empty();
    if context.json {
        outln!("{:#}", serde_json::json!(explained));
    } else if is_known || is_unread {
        print(&explained);
    }
    if !is_known && is_unread {
        return Ok(ExitCode::from(exit::FAILED));
    }
    known(explained, &id)?;
    Ok(ExitCode::from(exit::DONE))
}

/// What is known of this id, by the other server or here.
pub(super) async fn found(
    id: &str,
    limit: u32,
    remote: Option<&Remote>,
    context: &Context,
) -> Result<Explanation, exit::Failure> {
    match remote {
        Some(remote) => ask(id, limit, remote).await,
        None => look(id, limit, context).await,
    }
}

fn is_known(explained: &Explanation) -> bool {
    !explained.events.is_empty() || !explained.rows.is_empty()
}

/// The explanation, unless it is that nothing is known.
pub(super) fn known(explained: Explanation, id: &str) -> Result<Explanation, exit::Failure> {
    if is_known(&explained) || !explained.unread.is_empty() {
        return Ok(explained);
    }
    Err(unknown(id))
}

fn unknown(id: &str) -> exit::Failure {
    exit::Failure::failed_with_help(Error::Unknown { id: id.to_owned() })
}

async fn look(id: &str, limit: u32, context: &Context) -> Result<Explanation, exit::Failure> {
    let config = context.load_to_read()?;
    let store = store::to_read(&config).await?;
    let explained = match store::declared(&config, &*store).await {
        Ok(config) => {
            let explained = explain(id, &config, &*store, limit).await;
            explained.map_err(exit::Failure::failed)
        }
        Err(failure) => Err(failure),
    };
    store.close().await;
    Ok(explanation::view(&explained?))
}

async fn ask(id: &str, limit: u32, remote: &Remote) -> Result<Explanation, exit::Failure> {
    let query = [("limit", limit.to_string())];
    let found = remote.find(&["explain", id], &query).await?;
    found.map_err(|_| unknown(id))
}

fn print(explained: &Explanation) {
    if let Some(subject) = &explained.subject {
        outln!("{}", one_line(subject));
    }
    for unread in &explained.unread {
        outln!("\n{}: cannot be read: {}", unread.destination, unread.error);
    }
    for mirror in &explained.without_row {
        outln!("\n{mirror}: no row");
    }
    for row in &explained.rows {
        print_row(row);
    }
    for event in &explained.events {
        outln!();
        outln!(
            "{}  {}  {}  {}",
            event.seq,
            event.received_at,
            one_line(&event.event_type),
            one_line(&event.message_id)
        );
        for destination in &event.destinations {
            let text = sentence(&Outcome::from(destination));
            outln!("  {:12} {}", destination.name, one_line(&text));
        }
    }
    if explained.has_more {
        outln!("\nthere are older events; --limit shows more");
    }
}

/// The columns that have a value, and which event each came from.
fn print_row(row: &ExplainedRow) {
    outln!("\n{}: {}", row.destination, row.table);
    for (name, column) in row.columns.iter().filter(|(_, column)| !column.value.is_null()) {
        let value: String = column.value.to_string().chars().take(VALUE_CHARS_MAX).collect();
        let origin = match (column.from, &column.message_id, column.seq) {
            (ValueFrom::Api, ..) => "Clerk's API".to_owned(),
            (_, Some(id), Some(seq)) => format!("{id} ({seq})"),
            (_, Some(id), None) => id.clone(),
            (_, None, _) => "an event that is not known any more".to_owned(),
        };
        outln!("  {name:28} {:VALUE_CHARS_MAX$}  {}", one_line(&value), one_line(&origin));
    }
}
