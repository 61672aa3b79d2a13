//! Events and attempts in memory.

use async_trait::async_trait;
use bytes::Bytes;
use deskbell_admin::{
    AdminError, AttemptPage, AttemptQuery, AttemptView, Attempts, Caller, DeliveryCounts,
    DeliveryView, EventDetails, EventPage, EventQuery, EventSummary, Events, Explanation,
    LoggedEvent, NewMessage, Payload, Searched, Timestamp,
};
use deskbell_config::takes_type;
use deskbell_store::Seq;
use tokio::sync::watch;

use super::{Desk, START_MS, State, StoredEvent};

/// Events of one batch: few, so that tests read several.
const BATCH: usize = 3;

fn takes(query: &EventQuery, event: &EventSummary) -> bool {
    let EventQuery { message_id, types, source, since, until, before, .. } = query;
    message_id.as_ref().is_none_or(|id| *id == event.message_id)
        && (types.is_empty() || takes_type(types, &event.event_type))
        && source.as_ref().is_none_or(|source| *source == event.source)
        && since.is_none_or(|since| event.received_at >= since)
        && until.is_none_or(|until| event.received_at < until)
        && before.is_none_or(|before| event.seq < before)
}

impl State {
    fn counts(&self, seq: i64) -> DeliveryCounts {
        let mut counts = DeliveryCounts::default();
        for (_, delivery) in self.deliveries.iter().filter(|((of, _), _)| *of == seq) {
            match *delivery {
                "pending" => counts.pending += 1,
                "delivered" => counts.delivered += 1,
                _ => counts.dead_lettered += 1,
            }
        }
        counts
    }
}

#[async_trait]
impl Events for Desk {
    async fn search(&self, query: &EventQuery) -> Result<EventPage, AdminError> {
        let state = self.open()?;
        let events = state.events.iter().rev().map(|event| event.summary.clone());
        let limit = usize::try_from(query.limit).unwrap();
        let found: Vec<_> = events.filter(|event| takes(query, event)).take(limit + 1).collect();
        let next = found.get(limit).map(|_| found[limit - 1].seq);
        let searched = Searched { events: found.len() as u64, back_to: None, stopped: false };
        Ok(EventPage { events: found.into_iter().take(limit).collect(), next, searched })
    }

    async fn event(&self, source: Option<&str>, id: &str) -> Result<EventDetails, AdminError> {
        let state = self.open()?;
        let is_it = |event: &&StoredEvent| {
            event.summary.message_id == id
                && source.is_none_or(|source| *source == event.summary.source)
        };
        let event = state.events.iter().find(is_it);
        let event = event.ok_or_else(|| AdminError::not_found("event", id))?;
        let seq = event.summary.seq;
        let deliveries = state.deliveries.iter().filter(|((of, _), _)| *of == seq);
        let deliveries = deliveries.map(|((_, destination), delivery)| DeliveryView {
            destination: destination.clone(),
            state: (*delivery).to_owned(),
            at: Some(Timestamp(START_MS + 90_000)),
            reason: None,
            attempts: state
                .attempts
                .iter()
                .filter(|attempt| attempt.seq == seq && attempt.destination == *destination)
                .cloned()
                .collect(),
        });
        Ok(EventDetails {
            event: event.summary.clone(),
            destinations: Vec::new(),
            deliveries: deliveries.collect(),
            unwanted: Vec::new(),
            payload_pruned: event.payload.is_empty(),
            payload_erased: false,
            payload: Some(Payload::new(event.payload.clone())),
        })
    }

    async fn after(&self, seq: Seq) -> Result<Vec<(EventSummary, Bytes)>, AdminError> {
        let state = self.open()?;
        let newer = state.events.iter().filter(|event| event.summary.seq > seq.get());
        let batch = newer.take(BATCH);
        Ok(batch.map(|one| (one.summary.clone(), one.payload.clone())).collect())
    }

    async fn logged(
        &self,
        seqs: &[i64],
        payload_bytes_max: usize,
    ) -> Result<Vec<Option<LoggedEvent>>, AdminError> {
        let state = self.open()?;
        let mut payload_bytes = 0;
        let found = seqs.iter().map(|seq| {
            let event = state.events.iter().find(|event| event.summary.seq == *seq)?;
            payload_bytes += event.payload.len();
            let is_read = !event.payload.is_empty() && payload_bytes <= payload_bytes_max;
            let delivery_counts = Some(state.counts(*seq));
            Some(LoggedEvent {
                summary: EventSummary { delivery_counts, ..event.summary.clone() },
                payload: is_read.then(|| event.payload.clone()),
            })
        });
        Ok(found.collect())
    }

    fn head(&self) -> watch::Receiver<Seq> {
        let head = i64::try_from(self.lock().events.len()).unwrap();
        watch::channel(Seq::new(head)).1
    }

    async fn explain(&self, _: &str, _: u32) -> Result<Explanation, AdminError> {
        Err(AdminError::NotSupported("nothing is explained".into()))
    }

    async fn create_message(&self, _: &Caller, message: NewMessage) -> Result<String, AdminError> {
        let mut state = self.open()?;
        let NewMessage { source, message_id, event_type, payload, .. } = message;
        let id = message_id.unwrap_or_else(|| format!("msg_{}", state.events.len()));
        let is_taken =
            |event: &StoredEvent| event.summary.source == source && event.summary.message_id == id;
        if state.events.iter().any(is_taken) {
            return Err(AdminError::Conflict(format!("a message `{id}` already exists")));
        }
        state.append(&source, &id, &event_type, &payload, "api");
        Ok(id)
    }
}

#[async_trait]
impl Attempts for Desk {
    async fn attempts(&self, query: &AttemptQuery) -> Result<AttemptPage, AdminError> {
        let state = self.open()?;
        let start = match &query.cursor {
            None => 0,
            Some(cursor) => match cursor.parse::<usize>() {
                Ok(start) => start,
                Err(_) => return Err(AdminError::invalid("cursor", "expected a cursor")),
            },
        };
        let is_wanted = |attempt: &&AttemptView| {
            let AttemptQuery { source, destination, message_id, types, result, .. } = query;
            let class = attempt.status.map(|status| status / 100 * 100);
            source.as_ref().is_none_or(|source| *source == attempt.source)
                && destination.as_ref().is_none_or(|one| *one == attempt.destination)
                && message_id.as_ref().is_none_or(|id| *id == attempt.message_id)
                && (types.is_empty() || takes_type(types, &attempt.event_type))
                && result.is_none_or(|result| result == attempt.result)
                && query.status_class.is_none_or(|wanted| Some(wanted) == class)
                && query.before.is_none_or(|before| attempt.started_at < before)
                && query.after.is_none_or(|after| attempt.started_at > after)
        };
        let limit = usize::try_from(query.limit).unwrap();
        let found: Vec<_> =
            state.attempts.iter().rev().filter(is_wanted).skip(start).cloned().collect();
        let next = (found.len() > limit).then(|| (start + limit).to_string());
        Ok(AttemptPage { attempts: found.into_iter().take(limit).collect(), next })
    }

    async fn attempt(&self, id: &str) -> Result<AttemptView, AdminError> {
        let state = self.open()?;
        let found = state.attempts.iter().find(|attempt| attempt.id == id).cloned();
        found.ok_or_else(|| AdminError::not_found("attempt", id))
    }
}
