//! Messages of the sender's record as events of the log.

use std::sync::Arc;

use bytes::Bytes;
use clerk_api::Client;
use clerk_api::sender::{Message, ReadError, SessionError};
use deskbell_store::{ConsumerLog, ID_BYTES_MAX, NewEvent, Origin, StoreError};

use crate::instance::{KeyError, check_key};

/// Messages that could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("cannot log in to Clerk's sender")]
    Session(#[from] SessionError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("cannot use the event log")]
    Store(#[from] StoreError),
}

/// Refuses a key of another instance: its messages must not fill the log. Without an event yet, the
/// key alone says which instance it is.
pub(crate) async fn check_key_of_messages(
    client: &Client,
    store: &dyn ConsumerLog,
    source: &str,
    instance_id: Option<&str>,
) -> Result<(), KeyError> {
    match check_key(client, store, source, instance_id, &[]).await {
        Ok(_) | Err(KeyError::NoEvent { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

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
