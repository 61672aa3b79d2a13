//! An event on its way to a handler.

use bytes::Bytes;
use clerk_webhooks::Envelope;
use schemars::JsonSchema;
use serde::Serialize;

/// An event on its way to a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub event_type: String,
    /// The source that took it in; empty where it comes from Clerk's sender.
    pub source: String,
    pub subject: Option<String>,
    pub occurred_at_ms: i64,
    pub instance_id: Option<String>,
    pub body: Body,
}

/// What there is to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Bytes(Bytes),
    Withheld(Withheld),
}

/// Why an event has no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Withheld {
    /// Its type has to be named.
    OneTimeCode,
    /// It is not kept any more.
    Pruned,
}

impl Message {
    /// The message of a body that says everything itself.
    #[must_use]
    pub fn of_body(id: String, event_type: String, received_at_ms: i64, body: Bytes) -> Self {
        let envelope = Envelope::parse(&body).ok();
        let seconds = u64::try_from(received_at_ms / 1_000).unwrap_or_default();
        let subject = envelope.as_ref().and_then(Envelope::subject);
        let instance_id = envelope.as_ref().and_then(|envelope| envelope.instance_id.clone());
        Self {
            id,
            event_type,
            source: String::new(),
            subject: subject.map(std::borrow::Cow::into_owned),
            occurred_at_ms: envelope
                .as_ref()
                .map_or(received_at_ms, |envelope| envelope.occurred_at(seconds).as_millis()),
            instance_id: instance_id.map(std::borrow::Cow::into_owned),
            body: Body::Bytes(body),
        }
    }

    /// Another message, with this body in its place.
    #[must_use]
    pub fn edited(&self, id: String, body: Bytes) -> Self {
        let edited = Envelope::parse(&body);
        let event_type =
            edited.map_or_else(|_| self.event_type.clone(), |edited| edited.event_type.to_string());
        Self::of_body(id, event_type, self.occurred_at_ms, body)
    }

    #[must_use]
    pub fn bytes(&self) -> Option<&Bytes> {
        match &self.body {
            Body::Bytes(bytes) => Some(bytes),
            Body::Withheld(_) => None,
        }
    }
}

impl Withheld {
    /// What it means, and what to do.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::OneTimeCode => "not sent: it has a one-time code; name its type in --events",
            Self::Pruned => "not sent: its payload is not kept any more",
        }
    }
}
