//! Finding events of the log, the newest first, with bounded work: a search that has looked at enough
//! stops, says how far it came, and goes on when it is asked for the next page.

mod candidates;
mod filter;
#[cfg(test)]
mod tests;
mod text;

use std::time::{Duration, Instant};

use deskbell_admin::{
    DeliveryStateFilter, EventPage, EventQuery, EventSummary, Searched, Timestamp,
};
use deskbell_config::NOTICE_SOURCE;
use deskbell_store::deliveries::DeliveryState;
use deskbell_store::{Seq, SeqRange, Store, StoreError};

use self::candidates::Candidates;
use self::filter::Filter;
use crate::config::Config;
use crate::views;

/// Events of a page, at most.
pub(crate) const EVENTS_MAX: u32 = 500;

/// How much one search may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Events that it may look at.
    pub(crate) events_max: u64,
    pub(crate) time_max: Duration,
}

impl Budget {
    /// That of a page of a list.
    pub(crate) const LIST: Self =
        Self { events_max: u64::MAX, time_max: Duration::from_millis(40) };
    /// That of a page of a search for a text in payloads.
    pub(crate) const TEXT: Self = Self { events_max: 50_000, time_max: Duration::from_millis(300) };

    pub(crate) fn of(query: &EventQuery) -> Self {
        if query.text.is_some() { Self::TEXT } else { Self::LIST }
    }
}

/// The events that the query asks for: a page of them.
pub(crate) async fn search(
    config: &Config,
    store: &dyn Store,
    query: &EventQuery,
    budget: Budget,
) -> Result<EventPage, StoreError> {
    let mut page = match &query.message_id {
        Some(id) => by_message_id(config, store, query, id).await?,
        None => walk(store, query, budget).await?,
    };
    count_deliveries(store, &mut page.events).await?;
    Ok(page)
}

/// Adds how many deliveries of each event are in each state.
pub(crate) async fn count_deliveries(
    store: &dyn Store,
    events: &mut [EventSummary],
) -> Result<(), StoreError> {
    let seqs: Vec<_> = events.iter().map(|event| Seq::new(event.seq)).collect();
    let counted = store.count_deliveries(&seqs).await?;
    for event in events {
        let counts = counted.iter().find(|(seq, _)| seq.get() == event.seq);
        event.delivery_counts =
            Some(views::counts(counts.map(|(_, counts)| *counts).unwrap_or_default()));
    }
    Ok(())
}

async fn by_message_id(
    config: &Config,
    store: &dyn Store,
    query: &EventQuery,
    id: &str,
) -> Result<EventPage, StoreError> {
    let filter = Filter::new(query);
    let mut events = Vec::new();
    for source in sources(config, query.source.as_deref()) {
        let Some(event) = store.find(source, id).await? else { continue };
        let head = views::head_of(&event);
        if filter.takes(&head)
            && filter.takes_payload(&event.payload)
            && is_in_state(store, query, event.seq).await?
        {
            events.push(views::summary(head));
        }
    }
    let searched = Searched { events: events.len() as u64, back_to: None, stopped: false };
    Ok(EventPage { events, next: None, searched })
}

/// Whether the event has a delivery in the state that the query asks for, if it asks for one.
async fn is_in_state(store: &dyn Store, query: &EventQuery, seq: Seq) -> Result<bool, StoreError> {
    let Some(wanted) = query.state else { return Ok(true) };
    let deliveries = store.deliveries_of(seq).await?;
    Ok(deliveries.iter().any(|delivery| {
        let is_wanted = match delivery.state {
            DeliveryState::Pending { .. } => wanted == DeliveryStateFilter::Pending,
            DeliveryState::DeadLettered { .. } => wanted == DeliveryStateFilter::DeadLettered,
            DeliveryState::Delivered { .. } => false,
        };
        let destination = query.destination.as_deref();
        is_wanted && destination.is_none_or(|name| *delivery.key.destination == *name)
    }))
}

/// The named source, or all that events may be of.
pub(crate) fn sources<'a>(config: &'a Config, named: Option<&'a str>) -> Vec<&'a str> {
    match named {
        Some(source) => vec![source],
        None => {
            let configured = config.sources.iter().map(|source| &*source.name);
            configured.chain([NOTICE_SOURCE]).collect()
        }
    }
}

async fn walk(
    store: &dyn Store,
    query: &EventQuery,
    budget: Budget,
) -> Result<EventPage, StoreError> {
    let started = Instant::now();
    let limit = query.limit.clamp(1, EVENTS_MAX) as usize;
    let range = range(store, query).await?;
    let filter = Filter::new(query);
    let mut candidates = Candidates::new(store, &filter, range);
    let mut events = Vec::new();
    let mut searched = Searched { events: 0, back_to: None, stopped: false };
    let mut next = None;
    while let Some(batch) = candidates.next().await? {
        searched.events += batch.looked_at;
        for head in batch.found {
            let (seq, received_at) = (head.seq, Timestamp(head.received_at_ms));
            events.push(views::summary(head));
            if events.len() == limit {
                (next, searched.back_to) = (Some(seq), Some(received_at));
                break;
            }
        }
        if next.is_some() {
            break;
        }
        let is_spent = searched.events >= budget.events_max || started.elapsed() >= budget.time_max;
        if is_spent && batch.goes_on_before > range.after.next() {
            (next, searched.stopped) = (Some(batch.goes_on_before), true);
            break;
        }
    }
    let next = next.filter(|next| *next > range.after.next());
    if let Some(next) = next.filter(|_| searched.stopped) {
        // What was looked at last may be none of those that were found.
        let last = store.heads_at(&[next]).await?;
        searched.back_to = last.first().map(|head| Timestamp(head.received_at_ms));
    }
    Ok(EventPage { events, next: next.map(Seq::get), searched })
}

/// Where the query looks.
async fn range(store: &dyn Store, query: &EventQuery) -> Result<SeqRange, StoreError> {
    let before = |seq: Seq| Seq::new(seq.get() - 1);
    let mut up_to = store.head().await?;
    if let Some(last) = query.before {
        up_to = up_to.min(before(Seq::new(last)));
    }
    if let Some(until) = query.until {
        up_to = up_to.min(before(store.first_received_since(until.0).await?));
    }
    let after = match query.since {
        Some(since) => before(store.first_received_since(since.0).await?),
        None => Seq::ZERO,
    };
    Ok(SeqRange { after, up_to })
}
