//! Events as the log has them, with the fields that a test is about.

use std::sync::Arc;

use deskbell_store::{NewEvent, Origin, Seq, StoredEvent};
use serde_json::{Value, json};

/// An event before it is in the log, or in it.
#[derive(Debug, Clone)]
pub struct EventBuilder(NewEvent);

/// An event of this type, from the source `clerk`, with nothing in its body but the type.
#[must_use]
pub fn event(message_id: &str, event_type: &str) -> EventBuilder {
    EventBuilder(NewEvent {
        source: "clerk".into(),
        message_id: message_id.to_owned(),
        event_type: event_type.to_owned(),
        subject: None,
        occurred_at_ms: 0,
        instance_id: None,
        payload: json!({ "type": event_type, "object": "event" }).to_string().into(),
        origin: Origin::Webhook,
    })
}

impl EventBuilder {
    /// The source that sent it.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        self.0.source = Arc::from(source);
        self
    }

    /// The entity that it is about, as the log's column names it.
    #[must_use]
    pub fn subject(mut self, subject: &str) -> Self {
        self.0.subject = Some(subject.to_owned());
        self
    }

    /// The Clerk instance that it belongs to.
    #[must_use]
    pub fn instance(mut self, instance_id: &str) -> Self {
        self.0.instance_id = Some(instance_id.to_owned());
        self
    }

    /// When it happened, in the log's column alone.
    #[must_use]
    pub fn at(mut self, occurred_at_ms: i64) -> Self {
        self.0.occurred_at_ms = occurred_at_ms;
        self
    }

    /// A whole body with this `data`, of the type and time set before.
    #[must_use]
    pub fn data(self, data: &Value) -> Self {
        let NewEvent { event_type, occurred_at_ms, .. } = &self.0;
        let body = json!({ "type": event_type, "object": "event", "timestamp": occurred_at_ms, "data": data });
        self.body(body.to_string())
    }

    /// This body, well-formed or not.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.0.payload = body.into().into();
        self
    }

    /// As it is appended.
    #[must_use]
    pub fn new_event(self) -> NewEvent {
        self.0
    }

    /// As it is read at this offset.
    #[must_use]
    pub fn stored(self, seq: i64) -> StoredEvent {
        StoredEvent { seq: Seq::new(seq), received_at_ms: 0, event: self.0 }
    }
}
