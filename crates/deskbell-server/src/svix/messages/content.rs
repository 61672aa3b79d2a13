//! The payloads of messages, as far as whoever asks may see them.

use deskbell_admin::{Caller, EventSummary, LoggedEvent, Payload};
use serde_json::{Map, Value, json};

use crate::svix::api::Api;
use crate::svix::errors::ApiError;

/// Bytes of all payloads in one answer. Those beyond are `{"omitted": true}`; each message has its own.
pub(crate) const PAYLOADS_BYTES_MAX: usize = 8 << 20;

/// The placeholder for a payload that was not asked for.
pub(in crate::svix) fn no_content() -> Value {
    Value::Object(Map::new())
}

/// The payload of this message.
pub(in crate::svix) async fn content_of(
    api: &Api,
    caller: &Caller,
    event: &EventSummary,
) -> Result<Value, ApiError> {
    let read = api.admin().logged(&[event.seq], usize::MAX).await?;
    let payload = read.into_iter().flatten().next().and_then(|event| event.payload);
    Ok(content(caller, LoggedEvent { summary: event.clone(), payload }))
}

/// These events, with their payloads if content was asked for.
pub(in crate::svix) async fn with_payloads(
    api: &Api,
    events: Vec<EventSummary>,
    with_content: bool,
) -> Result<Vec<LoggedEvent>, ApiError> {
    if with_content {
        let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
        let read = api.admin().logged(&seqs, PAYLOADS_BYTES_MAX).await?;
        return Ok(read.into_iter().flatten().collect());
    }
    Ok(events.into_iter().map(|summary| LoggedEvent { summary, payload: None }).collect())
}

/// What is shown of an event's payload that was asked for.
pub(in crate::svix) fn content(caller: &Caller, event: LoggedEvent) -> Value {
    match event.payload.map(|bytes| Payload::new(bytes).for_caller(caller).json) {
        Some(json @ Value::Object(_)) => json,
        // Clients read an object, whatever the log has.
        Some(other) => json!({ "payload": other }),
        None if event.summary.payload_bytes == 0 => json!({ "expired": true }),
        None => json!({ "omitted": true }),
    }
}
