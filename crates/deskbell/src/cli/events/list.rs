//! `deskbell events list`: the log, from its end.

use std::time::Duration;

use clap::Args;
use clerk_webhooks::UnixMillis;
use deskbell_admin::{EventPage, EventQuery, EventSummary, Timestamp};
use deskbell_store::Store;

use crate::cli::remote::Remote;
use crate::cli::{Context, exit, store, table, time};
use crate::config::Config;
use crate::search::{self, Budget};

const EXAMPLE: &str = "\
Examples:
  deskbell events list --type 'user.*' --since 2h
  deskbell events list --subject user_29w83sxmDNGwOuEthce5gg56FcC --json";

/// How far back events are searched without `--since` or `--subject`.
const EVENTS_SEARCHED_MAX: u64 = 100_000;
/// Events that are asked for at a time.
const PAGE_SIZE: u32 = 500;
/// What one search may cost: a page at a time, however long it takes.
const BUDGET: Budget =
    Budget { events_max: EVENTS_SEARCHED_MAX, time_max: Duration::from_secs(3_600) };

#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(in crate::cli) struct Arguments {
    /// Only this event type, or a pattern such as user.*; can be repeated.
    #[arg(long = "type", value_name = "PATTERN")]
    pub(in crate::cli) types: Vec<String>,
    /// Only events about this user, organization or other entity.
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) subject: Option<String>,
    /// Only events received since this time (2026-11-21T08:00:00Z) or this long ago (2h).
    #[arg(long, value_name = "T", value_parser = time::since)]
    pub(in crate::cli) since: Option<UnixMillis>,
    /// Maximum number of events.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(in crate::cli) limit: usize,
}

/// Where the log is read.
enum Log<'a> {
    Local(&'a Config, &'a dyn Store),
    Remote(&'a Remote),
}

pub(super) async fn run(
    arguments: &Arguments,
    remote: Option<&Remote>,
    context: &Context,
) -> Result<(), exit::Failure> {
    print(&found(arguments, remote, context).await?, context);
    Ok(())
}

/// The events, of the other server or of the local log.
pub(in crate::cli) async fn found(
    arguments: &Arguments,
    remote: Option<&Remote>,
    context: &Context,
) -> Result<Found, exit::Failure> {
    let Some(remote) = remote else {
        let config = context.load_to_read()?;
        let store = store::to_read(&config).await?;
        let found = find(arguments, &Log::Local(&config, &*store)).await;
        store.close().await;
        return found;
    };
    find(arguments, &Log::Remote(remote)).await
}

fn print(Found { events, left_out }: &Found, context: &Context) {
    if *left_out {
        errln!(
            "searched the last {EVENTS_SEARCHED_MAX} events only; use --since to search further back"
        );
    }
    if context.json {
        outln!("{:#}", serde_json::json!(events));
    } else if events.is_empty() {
        errln!("no events found");
    } else {
        let heads = ["SEQ", "RECEIVED", "SOURCE", "TYPE", "SUBJECT", "MESSAGE"];
        table::print(heads, events.iter().map(cells));
    }
}

/// Events, the newest first.
pub(in crate::cli) struct Found {
    pub(in crate::cli) events: Vec<EventSummary>,
    /// Whether there may be more, further back than was looked.
    pub(in crate::cli) left_out: bool,
}

async fn find(arguments: &Arguments, log: &Log<'_>) -> Result<Found, exit::Failure> {
    let is_bounded = arguments.since.is_some() || arguments.subject.is_some();
    let mut query = arguments.query();
    let (mut events, mut looked_at) = (Vec::new(), 0);
    while events.len() < arguments.limit {
        let left = u32::try_from(arguments.limit - events.len()).unwrap_or(PAGE_SIZE);
        query.limit = left.min(PAGE_SIZE);
        let page = log.search(&query).await?;
        looked_at += page.searched.events;
        events.extend(page.events);
        query.before = page.next;
        if page.next.is_none() {
            break;
        }
        if !is_bounded && looked_at >= EVENTS_SEARCHED_MAX {
            return Ok(Found { events, left_out: true });
        }
    }
    Ok(Found { events, left_out: false })
}

impl Log<'_> {
    async fn search(&self, query: &EventQuery) -> Result<EventPage, exit::Failure> {
        match self {
            Self::Local(config, store) => {
                search::search(config, *store, query, BUDGET).await.map_err(store::failed_to_read)
            }
            Self::Remote(remote) => remote.get(&["events"], &parameters(query)).await,
        }
    }
}

/// The query as the API takes it.
fn parameters(query: &EventQuery) -> Vec<(&'static str, String)> {
    let mut parameters: Vec<_> = query.types.iter().map(|one| ("type", one.clone())).collect();
    parameters.extend(query.subject.clone().map(|subject| ("subject", subject)));
    parameters.extend(query.since.map(|since| ("since", since.to_string())));
    parameters.extend(query.before.map(|before| ("before", before.to_string())));
    parameters.push(("limit", query.limit.to_string()));
    parameters
}

impl Arguments {
    fn query(&self) -> EventQuery {
        EventQuery {
            types: self.types.clone(),
            subject: self.subject.clone(),
            since: self.since.map(|since| Timestamp(since.as_millis())),
            ..EventQuery::default()
        }
    }
}

fn cells(event: &EventSummary) -> [String; 6] {
    [
        event.seq.to_string(),
        event.received_at.to_string(),
        event.source.clone(),
        event.event_type.clone(),
        event.subject.clone().unwrap_or_else(|| "-".to_owned()),
        event.message_id.clone(),
    ]
}
