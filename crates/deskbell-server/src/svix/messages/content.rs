//! The payloads of messages, as far as whoever asks may see them.

use deskbell_admin::{Caller, EventSummary, Payload};
use serde_json::{Map, Value, json};

use crate::svix::api::Api;
use crate::svix::errors::ApiError;

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
    let payloads = api.admin().payloads(&[event.seq]).await?;
    Ok(content(caller, payloads.into_iter().next().flatten()))
}

/// The payloads of these messages, in their order; empty ones unless content was asked for.
pub(in crate::svix) async fn contents_of(
    api: &Api,
    caller: &Caller,
    events: &[EventSummary],
    with_content: bool,
) -> Result<Vec<Value>, ApiError> {
    if !with_content {
        return Ok(events.iter().map(|_| no_content()).collect());
    }
    let seqs: Vec<_> = events.iter().map(|event| event.seq).collect();
    let payloads = api.admin().payloads(&seqs).await?;
    Ok(payloads.into_iter().map(|payload| content(caller, payload)).collect())
}

fn content(caller: &Caller, payload: Option<Payload>) -> Value {
    match payload.map(|payload| payload.for_caller(caller).json) {
        Some(json @ Value::Object(_)) => json,
        // Clients read an object, whatever the log has.
        Some(other) => json!({ "payload": other }),
        None => json!({ "expired": true }),
    }
}
