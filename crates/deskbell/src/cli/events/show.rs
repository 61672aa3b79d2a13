//! `deskbell events show`: an event, and what became of it.

use clap::Args;
use deskbell_config::{NOTICE_SOURCE, ONE_TIME_CODES};
use deskbell_delivery::{one_line, shown_time};
use deskbell_store::deliveries::{AttemptSummary, DeliveryState, DeliverySummary, FilteredOut};
use deskbell_store::{Origin, Outcome, OutcomeKind, Store, StoreError, StoredEvent};
use miette::Diagnostic;
use serde_json::{Value, json};

use super::list::as_json;
use crate::cli::{Context, exit, store};
use crate::config::Config;
use crate::outcomes::{DestinationOutcome, Outcomes};

/// Characters of a reply's first line that are shown.
const REPLY_CHARS_MAX: usize = 200;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Message id (svix-id) of the event.
    message_id: String,
    /// Source of the event, if several sources have this message id.
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Show the payload too, including personal data and one-time codes.
    #[arg(long)]
    payload: bool,
    /// Show the first line of each reply too.
    #[arg(long)]
    replies: bool,
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

/// An event, and what became of it.
struct Details {
    event: StoredEvent,
    destinations: Vec<DestinationOutcome>,
    deliveries: Vec<DeliverySummary>,
    filtered_out: Vec<FilteredOut>,
    /// Whether the payload left the log because its user was deleted.
    erased: bool,
}

pub(super) async fn run(
    arguments: &Arguments,
    config: &Config,
    context: &Context,
) -> Result<(), exit::Failure> {
    let store = store::to_read(config).await?;
    let details = find(arguments, config, &*store).await;
    store.close().await;
    let details = details?;
    if context.json {
        outln!("{:#}", details.json(arguments));
    } else {
        details.print(arguments);
    }
    Ok(())
}

async fn find(
    arguments: &Arguments,
    config: &Config,
    store: &dyn Store,
) -> Result<Details, exit::Failure> {
    let message_id = arguments.message_id.clone();
    let mut events = events(arguments, config, store).await.map_err(store::failed_to_read)?;
    if events.len() > 1 {
        let sources: Vec<_> = events.iter().map(|event| &*event.source).collect();
        let sources = sources.join(", ");
        return Err(exit::Failure::usage(Error::Several { message_id, sources }));
    }
    let Some(event) = events.pop() else {
        return Err(exit::Failure::failed_with_help(Error::NoSuchEvent { message_id }));
    };
    let mut outcomes = Outcomes::open(config, store).await.map_err(store::no_outcomes)?;
    let details = details(event, store, &mut outcomes).await;
    outcomes.close().await;
    details.map_err(store::failed_to_read)
}

/// The events with this message id, one a source.
async fn events(
    arguments: &Arguments,
    config: &Config,
    store: &dyn Store,
) -> Result<Vec<StoredEvent>, StoreError> {
    let sources: Vec<&str> = match &arguments.source {
        Some(source) => vec![source],
        None => {
            let configured = config.sources.iter().map(|source| &*source.name);
            configured.chain([NOTICE_SOURCE]).collect()
        }
    };
    let mut events = Vec::new();
    for source in sources {
        events.extend(store.find(source, &arguments.message_id).await?);
    }
    Ok(events)
}

async fn details(
    event: StoredEvent,
    store: &dyn Store,
    outcomes: &mut Outcomes<'_>,
) -> Result<Details, StoreError> {
    Ok(Details {
        destinations: outcomes.of(&event).await?,
        deliveries: store.deliveries_of(event.seq).await?,
        filtered_out: store.filtered_out(event.seq).await?,
        erased: is_erased(&event, store).await?,
        event,
    })
}

/// One-time codes are pruned before all else: of those it is not known.
async fn is_erased(event: &StoredEvent, store: &dyn Store) -> Result<bool, StoreError> {
    let may_be = event.is_pruned() && !ONE_TIME_CODES.contains(&&*event.event_type);
    Ok(may_be && event.seq > store.payloads_pruned_to().await?)
}

impl Details {
    fn print(&self, arguments: &Arguments) {
        let event = &self.event;
        for (name, text) in [
            ("message", event.message_id.clone()),
            ("seq", event.seq.to_string()),
            ("source", event.source.to_string()),
            ("type", event.event_type.clone()),
            ("subject", event.subject.clone().unwrap_or_else(|| "-".to_owned())),
            ("occurred", shown_time(event.occurred_at_ms)),
            ("received", shown_time(event.received_at_ms)),
            ("verified by", verified_by(event).to_owned()),
            ("payload", self.payload()),
        ] {
            outln!("{name:12} {}", one_line(&text));
        }
        self.print_destinations(arguments.replies);
        if arguments.payload && !event.is_pruned() {
            outln!("\n{}", String::from_utf8_lossy(&event.payload));
        }
    }

    fn payload(&self) -> String {
        match self.event.payload.len() {
            0 if self.erased => "erased: the user was deleted (`erase_on_delete`)".to_owned(),
            0 => "the payload was pruned".to_owned(),
            bytes => format!("{bytes} bytes"),
        }
    }

    fn print_destinations(&self, replies: bool) {
        for destination in &self.destinations {
            outln!();
            outln!("{:12} {}", destination.name, one_line(&summary(&destination.outcome)));
            // The only part says no more than the whole.
            for part in destination.parts.iter().filter(|_| destination.parts.len() > 1) {
                outln!("  {}: {}", one_line(&part.part), one_line(&summary(&part.outcome)));
            }
            for attempt in &destination.attempts {
                outln!("  {}", one_line(&line(attempt)));
                if replies && !attempt.reply.is_empty() {
                    outln!("     {}", one_line(&first_line(attempt)));
                }
            }
        }
    }

    fn json(&self, arguments: &Arguments) -> Value {
        let deliveries = self.deliveries.iter().map(|one| delivery_json(one, arguments.replies));
        let unwanted = self
            .filtered_out
            .iter()
            .map(|one| json!({ "destination": &*one.destination, "reason": one.reason }));
        let mut event = as_json(&self.event);
        let destinations = self.destinations.iter().map(destination_json);
        event["destinations"] = Value::Array(destinations.collect());
        event["deliveries"] = Value::Array(deliveries.collect());
        event["unwanted"] = Value::Array(unwanted.collect());
        event["payload_pruned"] = self.event.is_pruned().into();
        event["payload_erased"] = self.erased.into();
        if arguments.payload && !self.event.is_pruned() {
            let payload = &self.event.payload;
            event["payload"] = serde_json::from_slice(payload)
                .unwrap_or_else(|_| String::from_utf8_lossy(payload).into());
        }
        event
    }
}

/// What vouches for the payload.
fn verified_by(event: &StoredEvent) -> &'static str {
    match event.origin {
        _ if *event.source == *NOTICE_SOURCE => "nobody: it is Deskbell's own",
        Origin::Webhook => "signature",
        Origin::SenderRecord => {
            "session: the payload was read from the sender's record with the secret key and \
             serialized again; these are not the signed bytes"
        }
        Origin::Backfill => "secret key: it was made from an object of Clerk's API",
        Origin::Api => "token: somebody made it through the admin API",
        Origin::Unknown => "unknown: a newer release stored it",
    }
}

/// An outcome as a sentence: what, when, and why.
pub(in crate::cli) fn summary(outcome: &Outcome) -> String {
    let Outcome { kind, reason, at_ms } = outcome;
    let mut text = match kind {
        OutcomeKind::DeadLettered => "dead-lettered".to_owned(),
        kind => kind.as_str().replace('_', " "),
    };
    if let Some(at_ms) = at_ms {
        let preposition = match kind {
            OutcomeKind::Pending => ", next attempt at",
            OutcomeKind::Waiting => " since",
            _ => " at",
        };
        text += &format!("{preposition} {}", shown_time(*at_ms));
    }
    if let Some(reason) = reason {
        text += &format!(": {reason}");
    }
    text
}

fn destination_json(destination: &DestinationOutcome) -> Value {
    let of = |name: (&str, &str), Outcome { kind, reason, at_ms }: &Outcome| {
        let (key, name) = name;
        json!({ key: name, "outcome": kind.as_str(), "reason": reason, "at": at_ms.map(shown_time) })
    };
    let parts = destination.parts.iter().map(|part| of(("part", &part.part), &part.outcome));
    let parts: Vec<_> = parts.collect();
    let mut json = of(("name", &destination.name), &destination.outcome);
    json["parts"] = Value::Array(parts);
    json
}

fn line(attempt: &AttemptSummary) -> String {
    let AttemptSummary { number, started_at_ms, duration_ms, status, error, reply } = attempt;
    let mut line = format!("{number}. {}  took {duration_ms} ms", shown_time(*started_at_ms));
    if let Some(status) = status {
        line += &format!("  {status}");
    }
    line += &format!("  reply of {} bytes", reply.len());
    if let Some(error) = error {
        line += &format!("  {error}");
    }
    line
}

fn first_line(attempt: &AttemptSummary) -> String {
    let reply = String::from_utf8_lossy(&attempt.reply);
    let line = reply.lines().next().unwrap_or_default();
    line.chars().take(REPLY_CHARS_MAX).collect()
}

fn delivery_json(delivery: &DeliverySummary, replies: bool) -> Value {
    let (state, at_ms, reason) = match &delivery.state {
        DeliveryState::Pending { due_at_ms } => ("pending", *due_at_ms, None),
        DeliveryState::Delivered { at_ms } => ("delivered", Some(*at_ms), None),
        DeliveryState::DeadLettered { at_ms, reason } => {
            ("dead_lettered", Some(*at_ms), Some(reason))
        }
    };
    let attempts = delivery.attempts.iter().map(|attempt| {
        let mut json = json!({
            "number": attempt.number,
            "started_at": shown_time(attempt.started_at_ms),
            "took_ms": attempt.duration_ms,
            "status": attempt.status,
            "error": attempt.error,
            "reply_bytes": attempt.reply.len(),
        });
        if replies {
            json["reply"] = first_line(attempt).into();
        }
        json
    });
    json!({
        "destination": &*delivery.key.destination,
        "state": state,
        "at": at_ms.map(shown_time),
        "reason": reason,
        "attempts": attempts.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_reply_the_first_line_is_shown_and_only_where_it_is_asked_for() {
        let attempt = AttemptSummary {
            number: 1,
            started_at_ms: 0,
            duration_ms: 7,
            status: Some(500),
            error: Some("the receiver answered 500".to_owned()),
            reply: format!("{}\nhunter2", "a".repeat(300)).into(),
        };
        let first = "a".repeat(REPLY_CHARS_MAX);
        assert_eq!(first_line(&attempt), first);
        assert_eq!(
            line(&attempt),
            "1. 1970-01-01T00:00:00.000Z  took 7 ms  500  reply of 308 bytes  the receiver \
             answered 500"
        );
        let key = deskbell_store::deliveries::DeliveryKey {
            destination: "crm".into(),
            seq: deskbell_store::Seq::new(1),
        };
        let state = DeliveryState::Delivered { at_ms: 0 };
        let delivery = DeliverySummary { key, state, attempts: vec![attempt] };
        let attempt = |replies| delivery_json(&delivery, replies)["attempts"][0].clone();
        assert_eq!(
            (&attempt(true)["reply"], &attempt(false)["reply"]),
            (&first.into(), &Value::Null)
        );
    }
}
