//! `deskbell events show`: an event, and what became of it.

use clap::Args;
use deskbell_admin::{AttemptView, EventDetails};
use deskbell_config::NOTICE_SOURCE;
use deskbell_delivery::one_line;
use deskbell_store::Store;
use miette::Diagnostic;

use crate::admin::details;
use crate::cli::outcome::{Outcome, sentence};
use crate::cli::remote::Remote;
use crate::cli::{Context, admin_failed, exit, store};
use crate::config::Config;

const EXAMPLE: &str = "\
Examples:
  deskbell events show msg_2b8kYb1XzQ --replies    with what the receivers answered
  deskbell events show msg_2b8kYb1XzQ --payload --json";

/// Characters of a reply's first line that are shown.
const REPLY_CHARS_MAX: usize = 200;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(in crate::cli) struct Arguments {
    /// Message id (svix-id) of the event.
    pub(in crate::cli) message_id: String,
    /// Source of the event, if several sources have this message id.
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) source: Option<String>,
    /// Show the payload too, including personal data and one-time codes.
    #[arg(long)]
    pub(in crate::cli) payload: bool,
    /// Show the first line of each reply too.
    #[arg(long)]
    pub(in crate::cli) replies: bool,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
enum Error {
    #[error("event `{message_id}` not found in the log")]
    #[diagnostic(help("run `deskbell events list` to list events"))]
    NoSuchEvent { message_id: String },
    #[error("several sources have an event `{message_id}`: {sources}")]
    #[diagnostic(help("choose one of them with --source"))]
    Several { message_id: String, sources: String },
}

pub(super) async fn run(
    arguments: &Arguments,
    remote: Option<&Remote>,
    context: &Context,
) -> Result<(), exit::Failure> {
    let details = found(arguments, remote, context).await?;
    if context.json {
        outln!("{:#}", serde_json::json!(as_asked(details, arguments)));
    } else {
        print(&details, arguments);
    }
    Ok(())
}

/// All that is known of the event, from the other server or the local log.
pub(in crate::cli) async fn found(
    arguments: &Arguments,
    remote: Option<&Remote>,
    context: &Context,
) -> Result<EventDetails, exit::Failure> {
    let Some(remote) = remote else {
        let config = context.load_to_read()?;
        let store = store::to_read(&config).await?;
        let details = find(arguments, &config, &*store).await;
        store.close().await;
        return details;
    };
    ask(arguments, remote).await
}

async fn ask(arguments: &Arguments, remote: &Remote) -> Result<EventDetails, exit::Failure> {
    let id = &arguments.message_id;
    let mut query = Vec::new();
    query.extend(arguments.source.clone().map(|source| ("source", source)));
    if arguments.payload {
        query.push(("payload", "true".to_owned()));
    }
    let found = remote.find(&["events", id], &query).await?;
    found.map_err(|_| no_such_event(id))
}

async fn find(
    arguments: &Arguments,
    config: &Config,
    store: &dyn Store,
) -> Result<EventDetails, exit::Failure> {
    let id = &arguments.message_id;
    let config = &store::declared(config, store).await?;
    let found = details::find(config, store, arguments.source.as_deref(), id).await;
    let mut events = found.map_err(store::failed_to_read)?;
    if events.len() > 1 {
        let sources: Vec<_> = events.iter().map(|event| &*event.source).collect();
        let (message_id, sources) = (id.clone(), sources.join(", "));
        return Err(exit::Failure::usage(Error::Several { message_id, sources }));
    }
    let Some(event) = events.pop() else { return Err(no_such_event(id)) };
    details::details(config, store, event).await.map_err(admin_failed)
}

fn no_such_event(message_id: &str) -> exit::Failure {
    exit::Failure::failed_with_help(Error::NoSuchEvent { message_id: message_id.to_owned() })
}

fn print(details: &EventDetails, arguments: &Arguments) {
    let event = &details.event;
    for (name, text) in [
        ("message", event.message_id.clone()),
        ("seq", event.seq.to_string()),
        ("source", event.source.clone()),
        ("type", event.event_type.clone()),
        ("subject", event.subject.clone().unwrap_or_else(|| "-".to_owned())),
        ("occurred", event.occurred_at.to_string()),
        ("received", event.received_at.to_string()),
        ("verified by", verified_by(details).to_owned()),
        ("payload", payload(details)),
    ] {
        outln!("{name:12} {}", one_line(&text));
    }
    print_destinations(details, arguments.replies);
    if let Some(payload) = details.payload.as_ref().filter(|_| arguments.payload) {
        match &payload.bytes {
            Some(bytes) => outln!("\n{}", String::from_utf8_lossy(bytes)),
            None => outln!("\n{}", payload.json),
        }
    }
}

fn payload(details: &EventDetails) -> String {
    match details.event.payload_bytes {
        0 if details.payload_erased => {
            "erased: the user was deleted (`erase_on_delete`)".to_owned()
        }
        0 => "the payload was pruned".to_owned(),
        bytes => format!("{bytes} bytes"),
    }
}

fn print_destinations(details: &EventDetails, replies: bool) {
    for destination in &details.destinations {
        let text = sentence(&Outcome::from(destination));
        outln!();
        outln!("{:12} {}", destination.name, one_line(&text));
        // The only part says no more than the whole.
        for part in destination.parts.iter().filter(|_| destination.parts.len() > 1) {
            outln!("  {}: {}", one_line(&part.part), one_line(&sentence(&Outcome::from(part))));
        }
        for attempt in &destination.attempts {
            outln!("  {}", one_line(&line(attempt)));
            let reply = first_line(attempt).filter(|_| replies);
            if let Some(reply) = reply.filter(|reply| !reply.is_empty()) {
                outln!("     {}", one_line(&reply));
            }
        }
    }
}

/// With the payload and the replies' first lines, where they were asked for.
pub(in crate::cli) fn as_asked(mut details: EventDetails, arguments: &Arguments) -> EventDetails {
    if !arguments.payload {
        details.payload = None;
    }
    let attempts = details.destinations.iter_mut().flat_map(|one| &mut one.attempts);
    let attempts = attempts.chain(details.deliveries.iter_mut().flat_map(|one| &mut one.attempts));
    for attempt in attempts {
        attempt.reply = first_line(attempt).filter(|_| arguments.replies);
    }
    details
}

/// What vouches for the payload.
fn verified_by(details: &EventDetails) -> &'static str {
    match details.event.origin.as_str() {
        _ if details.event.source == NOTICE_SOURCE => "nobody: it is Deskbell's own",
        "webhook" => "signature",
        "sender_record" => {
            "session: the payload was read from the sender's record with the secret key and \
             serialized again; these are not the signed bytes"
        }
        "backfill" => "secret key: it was made from an object of Clerk's API",
        "api" => "token: it was made through the admin API",
        "example" => "token: it is a sample that was sent to one destination",
        _ => "unknown: a newer release stored it",
    }
}

fn line(attempt: &AttemptView) -> String {
    let AttemptView { number, started_at, took_ms, status, error, reply_bytes, .. } = attempt;
    let mut line = format!("{number}. {started_at}  took {took_ms} ms");
    if let Some(status) = status {
        line += &format!("  {status}");
    }
    line += &format!("  reply of {reply_bytes} bytes");
    if let Some(error) = error {
        line += &format!("  {error}");
    }
    line
}

fn first_line(attempt: &AttemptView) -> Option<String> {
    let line = attempt.reply.as_ref()?.lines().next().unwrap_or_default();
    Some(line.chars().take(REPLY_CHARS_MAX).collect())
}

#[cfg(test)]
mod tests {
    use deskbell_admin::{AttemptResult, Timestamp};

    use super::*;

    #[test]
    fn of_a_reply_the_first_line_is_shown() {
        let attempt = AttemptView {
            id: "atmpt_1_1_crm".to_owned(),
            destination: "crm".to_owned(),
            source: "clerk".to_owned(),
            message_id: "msg_1".to_owned(),
            seq: 1,
            event_type: "user.created".to_owned(),
            number: 1,
            started_at: Timestamp(0),
            took_ms: 7,
            result: AttemptResult::Failed,
            status: Some(500),
            error: Some("the receiver answered 500".to_owned()),
            reply_bytes: 308,
            reply: Some(format!("{}\nhunter2", "a".repeat(300))),
        };
        assert_eq!(first_line(&attempt), Some("a".repeat(REPLY_CHARS_MAX)));
        assert_eq!(
            line(&attempt),
            "1. 1970-01-01T00:00:00.000Z  took 7 ms  500  reply of 308 bytes  the receiver \
             answered 500"
        );
    }
}
