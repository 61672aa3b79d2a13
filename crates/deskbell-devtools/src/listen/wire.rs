//! What the admin API of a server says.

use bytes::Bytes;
use clerk_webhooks::UnixMillis;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::filter::Filter;
use super::message::{Body, Message, Withheld};

/// An event as the stream and the list have it.
#[derive(Deserialize)]
pub(super) struct WireEvent<'a> {
    pub(super) seq: i64,
    source: String,
    message_id: String,
    #[serde(rename = "type")]
    pub(super) event_type: String,
    subject: Option<String>,
    instance_id: Option<String>,
    occurred_at: UnixMillis,
    /// The bytes that were signed, where they are JSON.
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

/// An event that a list has, without its payload.
pub(super) struct Newest {
    pub(super) seq: i64,
    pub(super) message_id: String,
    pub(super) event_type: String,
}

#[derive(Deserialize)]
pub(super) struct EventList<'a> {
    #[serde(borrow)]
    pub(super) events: Vec<WireEvent<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    title: Option<String>,
    detail: Option<String>,
}

impl Problem {
    pub(super) fn text(self, status: u16) -> String {
        self.detail.or(self.title).unwrap_or_else(|| format!("status {status}"))
    }
}

impl WireEvent<'_> {
    pub(super) fn into_newest(self) -> Newest {
        let Self { seq, message_id, event_type, .. } = self;
        Newest { seq, message_id, event_type }
    }

    pub(super) fn into_message(self, filter: &Filter) -> Message {
        let body = match self.payload {
            Some(payload) => Body::Bytes(Bytes::copy_from_slice(payload.get().as_bytes())),
            None if filter.shows(&self.event_type) => Body::Withheld(Withheld::Pruned),
            None => Body::Withheld(Withheld::OneTimeCode),
        };
        Message {
            id: self.message_id,
            event_type: self.event_type,
            source: self.source,
            subject: self.subject,
            occurred_at_ms: self.occurred_at.as_millis(),
            instance_id: self.instance_id,
            body,
        }
    }
}
