//! `deskbell explain`: what is known of an entity or an event, and why.

use std::process::ExitCode;

use clap::Args;
use deskbell_delivery::{one_line, shown_time};
use deskbell_sync::{ExplainedRow, ValueOrigin};
use miette::Diagnostic;

use super::events::summary;
use super::{Context, exit, store};
use crate::explain::{Explained, explain};

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
    let config = context.load_to_read()?;
    let store = store::to_read(&config).await?;
    let explained = explain(&arguments.id, &config, &*store, arguments.limit).await;
    store.close().await;
    let explained = explained.map_err(exit::Failure::failed)?;
    let is_known = explained.is_known();
    let is_unread = explained.mirrors.iter().any(|mirror| mirror.rows.is_err());
    if context.json {
        outln!("{:#}", explained.to_json());
    } else if is_known || is_unread {
        print(&explained);
    }
    if !is_known && is_unread {
        return Ok(ExitCode::from(exit::FAILED));
    }
    if !is_known {
        return Err(exit::Failure::failed_with_help(Error::Unknown { id: arguments.id }));
    }
    Ok(ExitCode::from(exit::DONE))
}

fn print(explained: &Explained) {
    if let Some(subject) = &explained.subject {
        outln!("{}", one_line(subject));
    }
    for mirror in &explained.mirrors {
        match &mirror.rows {
            Err(error) => outln!("\n{}: cannot be read: {error}", mirror.destination),
            Ok(rows) if rows.is_empty() => outln!("\n{}: no row", mirror.destination),
            Ok(rows) => rows.iter().for_each(|row| print_row(&mirror.destination, row, explained)),
        }
    }
    for one in &explained.events {
        let event = &one.event;
        outln!();
        outln!(
            "{}  {}  {}  {}",
            event.seq,
            shown_time(event.received_at_ms),
            one_line(&event.event_type),
            one_line(&event.message_id)
        );
        for destination in &one.destinations {
            outln!("  {:12} {}", destination.name, one_line(&summary(&destination.outcome)));
        }
    }
    if explained.has_more {
        outln!("\nthere are older events; --limit shows more");
    }
}

/// The columns that have a value, and which event each came from.
fn print_row(destination: &str, row: &ExplainedRow, explained: &Explained) {
    outln!("\n{destination}: {}", row.table);
    for column in row.columns.iter().filter(|column| !column.value.is_null()) {
        let value: String = column.value.to_string().chars().take(VALUE_CHARS_MAX).collect();
        let origin = match &column.origin {
            ValueOrigin::Api => "Clerk's API".to_owned(),
            ValueOrigin::Unknown => "an event that is not known any more".to_owned(),
            ValueOrigin::Event(id) => match explained.seqs.get(id) {
                Some(seq) => format!("{id} ({seq})"),
                None => id.clone(),
            },
        };
        outln!("  {:28} {:VALUE_CHARS_MAX$}  {}", column.name, one_line(&value), one_line(&origin));
    }
}
