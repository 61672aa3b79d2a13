//! What the simulated sender has of the instance.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};

use super::listing::{Listed, time};
use super::reply::Reply;

/// An endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimulatedEndpoint {
    pub id: String,
    pub uid: Option<String>,
    pub url: String,
    pub description: String,
    pub is_disabled: bool,
    /// The types that it takes; `None` for all.
    pub event_types: Option<Vec<String>>,
    /// `whsec_…`.
    pub secret: String,
    pub created_at_ms: i64,
}

/// A message that the sender has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    pub id: String,
    pub event_type: String,
    pub at_ms: i64,
    /// The bytes that are signed and sent; `None` if they are not kept any more.
    pub body: Option<Bytes>,
}

/// An attempt to send a message to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentAttempt {
    pub id: String,
    pub message_id: String,
    pub endpoint_id: String,
    pub url: String,
    pub at_ms: i64,
    /// The status of the answer; 0 if there was none.
    pub status: u16,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) has_app: bool,
    /// Valid until they are exchanged.
    pub(crate) one_time_tokens: HashSet<String>,
    pub(crate) tokens: HashSet<String>,
    pub(crate) endpoints: Vec<SimulatedEndpoint>,
    /// The newest last.
    pub(crate) messages: Vec<SentMessage>,
    pub(crate) attempts: Vec<SentAttempt>,
    /// By idempotency key.
    pub(crate) answered: HashMap<String, Reply>,
}

impl State {
    pub(crate) fn new(has_app: bool) -> Self {
        let (one_time_tokens, tokens, endpoints, messages, attempts, answered) = Default::default();
        Self { has_app, one_time_tokens, tokens, endpoints, messages, attempts, answered }
    }

    /// The endpoint of this id or uid.
    pub(crate) fn endpoint(&self, id: &str) -> Option<&SimulatedEndpoint> {
        let found = |endpoint: &&SimulatedEndpoint| {
            endpoint.id == id || endpoint.uid.as_deref() == Some(id)
        };
        self.endpoints.iter().find(found)
    }
}

impl SimulatedEndpoint {
    /// An endpoint for all types, without a uid.
    #[must_use]
    pub fn new(url: &str) -> Self {
        Self {
            id: random_id("ep"),
            uid: None,
            url: url.to_owned(),
            description: String::new(),
            is_disabled: false,
            event_types: None,
            secret: format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 24]>())),
            created_at_ms: crate::clock::unix_ms(),
        }
    }

    pub(crate) fn takes(&self, event_type: &str) -> bool {
        let is_of_type = |types: &Vec<String>| types.iter().any(|one| one == event_type);
        !self.is_disabled && self.event_types.as_ref().is_none_or(is_of_type)
    }

    pub(crate) fn json(&self, types_member: &str) -> Value {
        let created_at = time(self.created_at_ms);
        json!({
            "id": self.id,
            "uid": self.uid,
            "url": self.url,
            "version": 1,
            "description": self.description,
            "disabled": self.is_disabled,
            types_member: self.event_types,
            "channels": null,
            "rateLimit": null,
            "metadata": {},
            "createdAt": created_at,
            "updatedAt": created_at,
        })
    }
}

impl SentMessage {
    pub(crate) fn json(&self, with_content: bool) -> Value {
        let payload = match &self.body {
            _ if !with_content => json!({}),
            Some(body) => serde_json::from_slice(body).unwrap_or(Value::Null),
            None => json!({"expired": true}),
        };
        json!({
            "id": self.id,
            "eventId": null,
            "eventType": self.event_type,
            "payload": payload,
            "channels": null,
            "tags": null,
            "timestamp": time(self.at_ms),
        })
    }
}

impl SentAttempt {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub(crate) fn json(&self) -> Value {
        let (status, text) = if self.is_success() { (0, "success") } else { (2, "fail") };
        json!({
            "id": self.id,
            "msgId": self.message_id,
            "endpointId": self.endpoint_id,
            "url": self.url,
            "response": "",
            "responseStatusCode": self.status,
            "responseDurationMs": 1,
            "status": status,
            "statusText": text,
            "triggerType": 1,
            "timestamp": time(self.at_ms),
        })
    }
}

impl Listed for SimulatedEndpoint {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Listed for SentMessage {
    fn id(&self) -> &str {
        &self.id
    }

    fn at_ms(&self) -> Option<i64> {
        Some(self.at_ms)
    }
}

impl Listed for SentAttempt {
    fn id(&self) -> &str {
        &self.id
    }

    fn at_ms(&self) -> Option<i64> {
        Some(self.at_ms)
    }
}

pub(crate) fn random_id(prefix: &str) -> String {
    format!("{prefix}_{:026x}", rand::random::<u128>() >> 24)
}
