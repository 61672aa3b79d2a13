//! The page before a page of messages: those that are newer.

use std::collections::VecDeque;

use deskbell_admin::{EventQuery, EventSummary, LoggedEvent};
use deskbell_config::takes_type;
use deskbell_store::Seq;

use crate::svix::api::Api;
use crate::svix::errors::ApiError;
use crate::svix::messages::content::PAYLOADS_BYTES_MAX;
use crate::svix::pages::{ListOut, Position};

/// Batches of the log that one page looks through. A page can be empty and not the first.
const BATCHES_MAX: usize = 4;

/// The oldest of the events that are newer than this one, the newest first.
pub(in crate::svix) async fn before_position(
    api: &Api,
    wanted: &EventQuery,
    position: i64,
) -> Result<ListOut<LoggedEvent>, ApiError> {
    let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let (mut found, mut payload_bytes) = (VecDeque::new(), 0);
    let (mut looked_at, mut is_end) = (position, false);
    for _ in 0..BATCHES_MAX {
        let batch = api.admin().after(Seq::new(looked_at)).await?;
        is_end = batch.is_empty();
        for (summary, payload) in batch {
            if found.len() == limit {
                break;
            }
            looked_at = summary.seq;
            if takes(wanted, &summary) {
                payload_bytes += payload.len();
                let is_read = !payload.is_empty() && payload_bytes <= PAYLOADS_BYTES_MAX;
                found.push_front(LoggedEvent { summary, payload: is_read.then_some(payload) });
            }
        }
        if is_end || found.len() == limit {
            break;
        }
    }
    let oldest = found.back().map_or(looked_at.saturating_add(1), |event| event.summary.seq);
    Ok(ListOut {
        data: found.into(),
        iterator: Some(Position::after(oldest.to_string())),
        prev_iterator: (!is_end).then(|| Position::before(looked_at.to_string())),
        done: is_end,
    })
}

fn takes(wanted: &EventQuery, event: &EventSummary) -> bool {
    wanted.source.as_ref().is_none_or(|source| *source == event.source)
        && (wanted.types.is_empty() || takes_type(&wanted.types, &event.event_type))
        && wanted.since.is_none_or(|since| event.received_at >= since)
        && wanted.until.is_none_or(|until| event.received_at < until)
}
