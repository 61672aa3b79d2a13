//! What the store has, as the admin API's values.

use deskbell_admin::{
    AttemptResult, AttemptView, DeadLetterState, DeadLetterView, DeliveryCounts, DeliveryView,
    DestinationOutcome, EventSummary, OutcomePart, Timestamp, UnwantedView,
};
use deskbell_store::deliveries::{
    AttemptSummary, DeadLetter, DeliveryState, DeliverySummary, FilteredOut, StateCounts,
};
use deskbell_store::{EventHead, Outcome, StoredEvent};
use deskbell_sync::dead_letters::{DeadLetterEntry, State};

use crate::outcomes;

/// The part of a dead letter that is a delivery.
pub(crate) const DELIVERY: &str = "delivery";
/// What an attempt's id begins with.
const ATTEMPT: &str = "atmpt_";

pub(crate) fn head_of(event: &StoredEvent) -> EventHead {
    EventHead {
        seq: event.seq,
        received_at_ms: event.received_at_ms,
        source: event.source.clone(),
        message_id: event.message_id.clone(),
        event_type: event.event_type.clone(),
        subject: event.subject.clone(),
        occurred_at_ms: event.occurred_at_ms,
        instance_id: event.instance_id.clone(),
        origin: event.origin,
        payload_bytes: event.payload.len().try_into().unwrap_or(u64::MAX),
    }
}

pub(crate) fn summary(event: EventHead) -> EventSummary {
    EventSummary {
        seq: event.seq.get(),
        source: event.source.to_string(),
        message_id: event.message_id,
        event_type: event.event_type,
        subject: event.subject,
        occurred_at: Timestamp(event.occurred_at_ms),
        received_at: Timestamp(event.received_at_ms),
        instance_id: event.instance_id,
        origin: event.origin.as_str().to_owned(),
        verified_by: event.origin.verified_by().to_owned(),
        payload_bytes: usize::try_from(event.payload_bytes).unwrap_or(usize::MAX),
        delivery_counts: None,
    }
}

pub(crate) fn counts(counts: StateCounts) -> DeliveryCounts {
    let StateCounts { pending, delivered, dead_lettered } = counts;
    DeliveryCounts { pending, delivered, dead_lettered }
}

/// By what an attempt is found again.
pub(crate) fn attempt_id(seq: i64, number: u32, destination: &str) -> String {
    format!("{ATTEMPT}{seq}_{number}_{destination}")
}

/// The event, the number and the destination of an attempt's id.
pub(crate) fn read_attempt_id(id: &str) -> Option<(i64, u32, &str)> {
    let (seq, rest) = id.strip_prefix(ATTEMPT)?.split_once('_')?;
    let (number, destination) = rest.split_once('_')?;
    Some((seq.parse().ok()?, number.parse().ok()?, destination))
}

pub(crate) fn attempt(
    event: &EventHead,
    destination: &str,
    attempt: AttemptSummary,
) -> AttemptView {
    let result = match attempt.error {
        None => AttemptResult::Delivered,
        Some(_) => AttemptResult::Failed,
    };
    AttemptView {
        id: attempt_id(event.seq.get(), attempt.number, destination),
        destination: destination.to_owned(),
        source: event.source.to_string(),
        message_id: event.message_id.clone(),
        seq: event.seq.get(),
        event_type: event.event_type.clone(),
        number: attempt.number,
        started_at: Timestamp(attempt.started_at_ms),
        took_ms: attempt.duration_ms,
        result,
        status: attempt.status,
        error: attempt.error,
        reply_bytes: attempt.reply.len(),
        reply: Some(String::from_utf8_lossy(&attempt.reply).into_owned()),
    }
}

pub(crate) fn delivery(event: &EventHead, delivery: DeliverySummary) -> DeliveryView {
    let destination = delivery.key.destination;
    let (state, at_ms, reason) = match delivery.state {
        DeliveryState::Pending { due_at_ms } => ("pending", due_at_ms, None),
        DeliveryState::Delivered { at_ms } => ("delivered", Some(at_ms), None),
        DeliveryState::DeadLettered { at_ms, reason } => {
            ("dead_lettered", Some(at_ms), Some(reason))
        }
    };
    let attempts = delivery.attempts.into_iter();
    DeliveryView {
        state: state.to_owned(),
        at: at_ms.map(Timestamp),
        reason,
        attempts: attempts.map(|one| attempt(event, &destination, one)).collect(),
        destination: destination.to_string(),
    }
}

pub(crate) fn unwanted(filtered_out: FilteredOut) -> UnwantedView {
    let FilteredOut { destination, reason } = filtered_out;
    UnwantedView { destination: destination.to_string(), reason }
}

pub(crate) fn outcome(
    event: &EventHead,
    found: outcomes::DestinationOutcome,
) -> DestinationOutcome {
    let name = found.name;
    let Outcome { kind, reason, at_ms } = found.outcome;
    let parts = found.parts.into_iter().map(|part| OutcomePart {
        part: part.part,
        outcome: part.outcome.kind.as_str().to_owned(),
        reason: part.outcome.reason,
        at: part.outcome.at_ms.map(Timestamp),
    });
    DestinationOutcome {
        outcome: kind.as_str().to_owned(),
        reason,
        at: at_ms.map(Timestamp),
        parts: parts.collect(),
        attempts: found.attempts.into_iter().map(|one| attempt(event, &name, one)).collect(),
        name: name.to_string(),
    }
}

/// A delivery that failed permanently.
pub(crate) fn dead_delivery(dead_letter: DeadLetter) -> DeadLetterView {
    DeadLetterView {
        state: DeadLetterState::Failed,
        since: Some(Timestamp(dead_letter.settled_at_ms)),
        destination: dead_letter.key.destination.to_string(),
        part: DELIVERY.to_owned(),
        source: dead_letter.source,
        message_id: dead_letter.message_id,
        event_type: dead_letter.event_type,
        entity: String::new(),
        id: dead_letter.subject.unwrap_or_default(),
        reason: Some(dead_letter.reason),
        cause: None,
        constraint: None,
        table: None,
        title: None,
        attempts: Some(dead_letter.attempts),
    }
}

/// A row that a mirror's database rejected.
pub(crate) fn dead_row(entry: DeadLetterEntry, title: Option<String>) -> DeadLetterView {
    DeadLetterView {
        state: match entry.state {
            State::Waiting => DeadLetterState::Waiting,
            State::Stuck => DeadLetterState::Stuck,
            State::Failed => DeadLetterState::Failed,
            State::Requested => DeadLetterState::Requested,
        },
        since: entry.since.map(|since| Timestamp(since.as_millis())),
        destination: entry.destination,
        part: entry.part,
        source: entry.source,
        message_id: entry.message_id,
        event_type: entry.event_type,
        entity: entry.entity,
        id: entry.id,
        reason: entry.reason,
        cause: entry.cause,
        constraint: entry.constraint,
        table: entry.table,
        title,
        attempts: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempts_id_is_read_back_whatever_the_destinations_name() {
        for name in ["crm", "a_b", "ep_1_2", ""] {
            let id = attempt_id(7, 3, name);
            assert_eq!(read_attempt_id(&id), Some((7, 3, name)), "{id}");
        }
        for malformed in ["", "atmpt_", "atmpt_1", "atmpt_1_x_crm", "7_3_crm"] {
            assert_eq!(read_attempt_id(malformed), None, "{malformed}");
        }
    }
}
