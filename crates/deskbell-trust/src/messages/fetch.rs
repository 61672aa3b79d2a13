//! Messages that never came in, read from the sender's record.

use std::sync::Arc;

use clerk_api::{ApiError, Client};
use deskbell_store::{Appended, ConsumerLog};

use crate::message_event::{FetchError, check_key_of_messages, event_of};

/// Whether the sender refuses one message, rather than the session.
fn is_of_one(error: &ApiError) -> bool {
    !matches!(error.status, 401 | 403)
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
    check_key_of_messages(client, store, source, instance_id).await?;
    let Some(session) = client.find_sender_session().await? else { return Ok(0) };
    let source: Arc<str> = source.into();
    let mut appended = 0;
    for id in message_ids {
        if store.find(&source, id).await?.is_some() {
            continue;
        }
        let message = match session.message(id).await {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            // One that cannot be read stops none of the others.
            Err(error) if !error.is_transient() && error.api_error().is_none_or(is_of_one) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(event.id = id, error, "a message cannot be fetched");
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let Some(event) = event_of(&source, &message) else { continue };
        let done = store.append(&[event]).await?;
        appended += u64::from(matches!(done[..], [Appended::New(_)]));
    }
    Ok(appended)
}
