//! A message of the sender's record as an event.

use std::sync::Arc;

use bytes::Bytes;
use clerk_api::sender::Message;
use deskbell_store::{ID_BYTES_MAX, NewEvent, Origin};

/// The event of this message: its payload as JSON, which need not be the bytes that were signed. `None`
/// if the sender does not have the payload any more, or it is no event.
pub(crate) fn event_of(source: &Arc<str>, message: &Message) -> Option<NewEvent> {
    let Some(payload) = &message.payload else {
        tracing::warn!(
            source = &**source,
            event.id = message.id,
            "a message cannot be fetched: Clerk's sender does not have its payload any more"
        );
        return None;
    };
    if message.id.len() > ID_BYTES_MAX {
        tracing::warn!(source = &**source, "a message cannot be fetched: its id is too long");
        return None;
    }
    let body = Bytes::copy_from_slice(payload.get().as_bytes());
    let sent_at_seconds = u64::try_from(message.timestamp / 1_000).unwrap_or(0);
    let event =
        NewEvent::of_body(source, &message.id, sent_at_seconds, &body, Origin::SenderRecord);
    event
        .inspect_err(|error| {
            let error = error as &dyn std::error::Error;
            tracing::warn!(
                source = &**source,
                event.id = message.id,
                error,
                "a message of Clerk's sender is not an event"
            );
        })
        .ok()
}
