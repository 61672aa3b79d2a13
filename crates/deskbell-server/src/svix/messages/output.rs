//! A message, as Svix's clients read it.

use deskbell_admin::{EventSummary, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The origin of events that were made through the API.
const API: &str = "api";

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageOut)]
pub(in crate::svix) struct MessageOut {
    /// The id of the message; null for those that Clerk sent.
    event_id: Option<String>,
    event_type: String,
    /// Empty where no content was asked for; `{"expired": true}` where it was pruned.
    #[schema(value_type = Object)]
    payload: Value,
    /// Always null.
    channels: Option<Vec<String>>,
    pub(in crate::svix) id: String,
    timestamp: Timestamp,
    /// Always null.
    tags: Option<Vec<String>>,
    /// Always null.
    deliver_at: Option<Timestamp>,
}

impl MessageOut {
    pub(in crate::svix) fn of(event: EventSummary, content: Value) -> Self {
        Self {
            event_id: (event.origin == API).then(|| event.message_id.clone()),
            event_type: event.event_type,
            payload: content,
            channels: None,
            id: event.message_id,
            timestamp: event.received_at,
            tags: None,
            deliver_at: None,
        }
    }
}
