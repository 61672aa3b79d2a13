//! What is known of a subject, as the admin API has it.

use deskbell_admin::{
    ExplainedEvent, ExplainedOutcome, ExplainedRow, ExplainedValue, Explanation, Timestamp,
    UnreadMirror, ValueFrom,
};
use deskbell_sync::{self as sync, ValueOrigin};
use deskbell_trust::with_causes;

use crate::explain::{self, Explained};

pub(crate) fn view(explained: &Explained) -> Explanation {
    let (mut rows, mut without_row, mut unread) = (Vec::new(), Vec::new(), Vec::new());
    for mirror in &explained.mirrors {
        match &mirror.rows {
            Ok(found) if found.is_empty() => without_row.push(mirror.destination.clone()),
            Ok(found) => {
                rows.extend(found.iter().map(|found| row(&mirror.destination, found, explained)));
            }
            Err(error) => unread.push(UnreadMirror {
                destination: mirror.destination.clone(),
                error: with_causes(error),
            }),
        }
    }
    Explanation {
        subject: explained.subject.clone(),
        rows,
        without_row,
        unread,
        events: explained.events.iter().map(event).collect(),
        has_more: explained.has_more,
    }
}

fn row(destination: &str, row: &sync::ExplainedRow, explained: &Explained) -> ExplainedRow {
    let columns = row.columns.iter().map(|column| {
        let (from, message_id) = match &column.origin {
            ValueOrigin::Event(id) => (ValueFrom::Event, Some(id.clone())),
            ValueOrigin::Api => (ValueFrom::Api, None),
            ValueOrigin::Unknown => (ValueFrom::Unknown, None),
        };
        let seq = message_id.as_ref().and_then(|id| explained.seqs.get(id).copied());
        let value = column.value.clone();
        (column.name.to_owned(), ExplainedValue { value, from, message_id, seq })
    });
    ExplainedRow {
        destination: destination.to_owned(),
        table: row.table.clone(),
        columns: columns.collect(),
    }
}

fn event(explained: &explain::ExplainedEvent) -> ExplainedEvent {
    let event = &explained.event;
    let destinations = explained.destinations.iter().map(|one| ExplainedOutcome {
        name: one.name.to_string(),
        outcome: one.outcome.kind.as_str().to_owned(),
        reason: one.outcome.reason.clone(),
        at: one.outcome.at_ms.map(Timestamp),
    });
    ExplainedEvent {
        message_id: event.message_id.clone(),
        seq: event.seq.get(),
        source: event.source.to_string(),
        event_type: event.event_type.clone(),
        received_at: Timestamp(event.received_at_ms),
        destinations: destinations.collect(),
    }
}
