//! Messages that never came in, read from the sender's record.

use std::sync::Arc;

use clerk_api::Client;
use clerk_api::sender::{ReadError, SessionError};
use deskbell_store::{Appended, ConsumerLog, StoreError};

use crate::instance::{KeyError, check_key};
use crate::message_event::event_of;

/// Messages that could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("cannot log in to Clerk's sender")]
    Session(#[from] SessionError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("cannot write to the event log")]
    Store(#[from] StoreError),
}

/// Reads the payloads of these messages from the sender's record, and appends those that are not in the
/// log. How many these were.
///
/// # Errors
/// The key is of another instance, or the sender or the log could not be asked. What was appended
/// before stays.
pub async fn fetch_messages(
    client: &Client,
    store: &dyn ConsumerLog,
    source: &str,
    instance_id: Option<&str>,
    message_ids: &[String],
) -> Result<u64, FetchError> {
    match check_key(client, store, source, instance_id, &[]).await {
        // Messages of this key may be the first events.
        Ok(_) | Err(KeyError::NoEvent { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(session) = client.find_sender_session().await? else { return Ok(0) };
    let source: Arc<str> = source.into();
    let mut appended = 0;
    for id in message_ids {
        if store.find(&source, id).await?.is_some() {
            continue;
        }
        let Some(message) = session.message(id).await? else { continue };
        let Some(event) = event_of(&source, &message) else { continue };
        let done = store.append(&[event]).await?;
        appended += u64::from(matches!(done[..], [Appended::New(_)]));
    }
    Ok(appended)
}
