//! `deskbell events list`: the log, from its end.

use clap::Args;
use clerk_webhooks::UnixMillis;
use deskbell_config::takes_type;
use deskbell_delivery::shown_time;
use deskbell_store::{ReadLimit, Seq, Store, StoreError, StoredEvent};
use serde_json::{Value, json};

use crate::cli::{Context, exit, store, table, time};
use crate::config::Config;

/// Events that are read at a time.
const PAGE_SIZE: i64 = 500;
/// How far back events are searched without `--since` or `--subject`.
const EVENTS_SEARCHED_MAX: i64 = 100_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Only this event type, or a pattern such as user.*; can be repeated.
    #[arg(long = "type", value_name = "PATTERN")]
    types: Vec<String>,
    /// Only events about this user, organization or other entity.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only events received since this time (2026-11-21T08:00:00Z) or this long ago (2h).
    #[arg(long, value_name = "T", value_parser = time::since)]
    since: Option<UnixMillis>,
    /// Maximum number of events.
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

pub(super) async fn run(
    arguments: &Arguments,
    config: &Config,
    context: &Context,
) -> Result<(), exit::Failure> {
    let store = store::to_read(config).await?;
    let found = match &arguments.subject {
        Some(subject) => find_about(subject, arguments, &*store).await,
        None => find(arguments, &*store).await,
    };
    store.close().await;
    let Found { events, left_out } = found.map_err(store::failed_to_read)?;
    if left_out {
        errln!(
            "searched the last {EVENTS_SEARCHED_MAX} events only; use --since to search further back"
        );
    }
    if context.json {
        outln!("{:#}", Value::Array(events.iter().map(as_json).collect()));
    } else if events.is_empty() {
        errln!("no events found");
    } else {
        let heads = ["SEQ", "RECEIVED", "SOURCE", "TYPE", "SUBJECT", "MESSAGE"];
        table::print(heads, events.iter().map(cells));
    }
    Ok(())
}

/// Events, the newest first.
struct Found {
    events: Vec<StoredEvent>,
    /// Whether there may be more, further back than was looked.
    left_out: bool,
}

async fn find(arguments: &Arguments, store: &dyn Store) -> Result<Found, StoreError> {
    let head = store.head().await?;
    let end = match arguments.since {
        Some(since) => store.first_received_since(since.as_millis()).await?.get() - 1,
        None => head.get() - EVENTS_SEARCHED_MAX,
    };
    let end = Seq::new(end);
    let mut events = Vec::new();
    let mut to = head;
    while to > end && events.len() < arguments.limit {
        let from = Seq::new(to.get() - PAGE_SIZE).max(end);
        let range = read(store, from, to).await?;
        events.extend(range.into_iter().rev().filter(|event| arguments.take(event)));
        to = from;
    }
    let left_out = arguments.since.is_none() && end > Seq::ZERO && events.len() < arguments.limit;
    events.truncate(arguments.limit);
    Ok(Found { events, left_out })
}

/// As [`find`], about a subject: the store knows where those are, however far back.
async fn find_about(
    subject: &str,
    arguments: &Arguments,
    store: &dyn Store,
) -> Result<Found, StoreError> {
    let end = match arguments.since {
        Some(since) => store.first_received_since(since.as_millis()).await?,
        None => Seq::ZERO.next(),
    };
    let limit = ReadLimit { events_max: arguments.page(), ..ReadLimit::default() };
    let mut events = Vec::new();
    let mut before = None;
    loop {
        let page = store.events_by_subject(subject, before, limit).await?;
        events.extend(page.events.into_iter().filter(|event| arguments.take(event)));
        before = page.older.filter(|older| *older > end);
        if before.is_none() || events.len() >= arguments.limit {
            events.truncate(arguments.limit);
            return Ok(Found { events, left_out: false });
        }
    }
}

/// The events behind `from` up to `to`, in order; without what was pruned.
async fn read(store: &dyn Store, from: Seq, to: Seq) -> Result<Vec<StoredEvent>, StoreError> {
    let mut events: Vec<StoredEvent> = Vec::new();
    let mut at = from;
    while at < to {
        let read = store.read(at, limit(at, to)).await?;
        let Some(last) = read.last() else { break };
        at = last.seq;
        events.extend(read.into_iter().filter(|event| event.seq <= to));
    }
    Ok(events)
}

fn limit(from: Seq, to: Seq) -> ReadLimit {
    let events_max = u32::try_from(to.distance_from(from)).unwrap_or(u32::MAX);
    ReadLimit { events_max, ..ReadLimit::default() }
}

impl Arguments {
    /// Events about a subject that are read at a time: no more than are shown, where each is.
    fn page(&self) -> u32 {
        let shown = i64::try_from(self.limit).unwrap_or(i64::MAX);
        let wanted = if self.types.is_empty() { shown.min(PAGE_SIZE) } else { PAGE_SIZE };
        u32::try_from(wanted).unwrap_or(u32::MAX)
    }

    fn take(&self, event: &StoredEvent) -> bool {
        (self.types.is_empty() || takes_type(&self.types, &event.event_type))
            && (self.subject.is_none() || self.subject == event.subject)
            && self.since.is_none_or(|since| event.received_at_ms >= since.as_millis())
    }
}

fn cells(event: &StoredEvent) -> [String; 6] {
    [
        event.seq.to_string(),
        shown_time(event.received_at_ms),
        event.source.to_string(),
        event.event_type.clone(),
        event.subject.clone().unwrap_or_else(|| "-".to_owned()),
        event.message_id.clone(),
    ]
}

/// What is known of the event beside its payload.
pub(super) fn as_json(event: &StoredEvent) -> Value {
    json!({
        "seq": event.seq.get(),
        "source": &*event.source,
        "message_id": event.message_id,
        "type": event.event_type,
        "subject": event.subject,
        "occurred_at": shown_time(event.occurred_at_ms),
        "received_at": shown_time(event.received_at_ms),
        "instance_id": event.instance_id,
        "origin": event.origin.as_str(),
        "verified_by": event.origin.verified_by(),
        "payload_bytes": event.payload.len(),
    })
}
