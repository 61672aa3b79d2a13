//! A message, as Svix's clients read it.

use deskbell_admin::{Caller, EventSummary, LoggedEvent, Timestamp};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::content::{content, no_content};

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
    /// Empty where no content was asked for; `{"expired": true}` where it was pruned; `{"omitted": true}`
    /// where the payloads of a list are too large together.
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
    /// The message with its payload, if content was asked for.
    pub(in crate::svix) fn of_logged(
        event: LoggedEvent,
        caller: &Caller,
        with_content: bool,
    ) -> Self {
        let summary = event.summary.clone();
        let content = if with_content { content(caller, event) } else { no_content() };
        Self::of(summary, content)
    }

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
