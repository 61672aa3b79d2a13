//! Events of the log, and what became of each.

use async_trait::async_trait;
use bytes::Bytes;
use deskbell_store::Seq;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::mask::{mask_reason, masked};
use crate::{AdminError, AttemptView, Caller, Explanation, Timestamp};

/// Which events to find, the newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventQuery {
    /// The message with this id.
    pub message_id: Option<String>,
    /// Types, or patterns such as `user.*`; empty for all.
    pub types: Vec<String>,
    pub source: Option<String>,
    pub subject: Option<String>,
    /// A text that the payload contains, in any case. Only for who may see payloads.
    pub text: Option<String>,
    /// Received at this time or later.
    pub since: Option<Timestamp>,
    /// Received before this time.
    pub until: Option<Timestamp>,
    /// With a delivery in this state.
    pub state: Option<DeliveryStateFilter>,
    /// Of this destination only, where `state` is given.
    pub destination: Option<String>,
    /// Before this event: the `next` of the page before.
    pub before: Option<i64>,
    pub limit: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStateFilter {
    Pending,
    DeadLettered,
}

/// A page of events. It can be empty and still have a next one: see [`Searched`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct EventPage {
    pub events: Vec<EventSummary>,
    /// Where the next page begins; `None` where there is none.
    pub next: Option<i64>,
    pub searched: Searched,
}

/// How far a search looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Searched {
    /// Events that were looked at.
    pub events: u64,
    /// When the last one was received that was looked at; `None` where all were.
    pub back_to: Option<Timestamp>,
    /// Whether it stopped before the page was full, because it had looked at enough; the next page
    /// goes on.
    pub stopped: bool,
}

/// An event without its payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct EventSummary {
    pub seq: i64,
    pub source: String,
    pub message_id: String,
    #[serde(rename = "type")]
    pub event_type: String,
    pub subject: Option<String>,
    pub occurred_at: Timestamp,
    pub received_at: Timestamp,
    pub instance_id: Option<String>,
    /// How it came: `webhook`, `sender_record`, `backfill`, `api`.
    pub origin: String,
    /// `signature`, `session`, `secret_key`, `token`.
    pub verified_by: String,
    /// 0 where the payload was pruned.
    pub payload_bytes: usize,
    /// `None` where nobody asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_counts: Option<DeliveryCounts>,
}

/// An event, with its payload where that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedEvent {
    pub summary: EventSummary,
    /// As it was received; `None` where it was pruned, or not asked for.
    pub payload: Option<Bytes>,
}

/// How many of an event's deliveries are in each state.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema,
)]
pub struct DeliveryCounts {
    pub pending: u64,
    pub delivered: u64,
    pub dead_lettered: u64,
}

/// An event, and what became of it, as `deskbell events show --json` has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct EventDetails {
    #[serde(flatten)]
    pub event: EventSummary,
    /// At each destination, mirrors included.
    pub destinations: Vec<DestinationOutcome>,
    pub deliveries: Vec<DeliveryView>,
    /// Destinations that filtered it out, where none took it.
    pub unwanted: Vec<UnwantedView>,
    pub payload_pruned: bool,
    pub payload_erased: bool,
    /// The payload, where it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
}

impl EventDetails {
    /// Without what this caller must not see.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        self.payload = self.payload.map(|payload| payload.for_caller(caller));
        for one in &mut self.destinations {
            mask_reason(caller, &one.outcome, &mut one.reason);
            one.parts
                .iter_mut()
                .for_each(|part| mask_reason(caller, &part.outcome, &mut part.reason));
            mask_attempts(caller, &mut one.attempts);
        }
        for one in &mut self.deliveries {
            mask_reason(caller, &one.state, &mut one.reason);
            mask_attempts(caller, &mut one.attempts);
        }
        self
    }
}

fn mask_attempts(caller: &Caller, attempts: &mut Vec<AttemptView>) {
    let all = std::mem::take(attempts).into_iter();
    attempts.extend(all.map(|attempt| attempt.for_caller(caller)));
}

/// A payload: JSON, and the bytes that were signed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(transparent)]
pub struct Payload {
    pub json: Value,
    /// As it was received; `None` where it is masked, or was read from JSON.
    #[serde(skip)]
    pub bytes: Option<Bytes>,
}

impl Payload {
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let json = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        Self { json, bytes: Some(bytes) }
    }

    /// With personal data masked, where this caller must not see it.
    #[must_use]
    pub fn for_caller(self, caller: &Caller) -> Self {
        if caller.sees_payloads() {
            return self;
        }
        Self { json: masked(&self.json), bytes: None }
    }
}

/// What became of an event at a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DestinationOutcome {
    pub name: String,
    /// `applied`, `superseded`, `tombstoned`, `filtered`, `other_instance`, `not_mirrored`,
    /// `dead_lettered`, `waiting`, `pending` or `delivered`.
    pub outcome: String,
    pub reason: Option<String>,
    pub at: Option<Timestamp>,
    /// For a mirror, what became of it in each table and statement.
    #[serde(default)]
    pub parts: Vec<OutcomePart>,
    #[serde(default)]
    pub attempts: Vec<AttemptView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct OutcomePart {
    pub part: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub at: Option<Timestamp>,
}

/// A delivery of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct DeliveryView {
    pub destination: String,
    /// `pending`, `delivered` or `dead_lettered`.
    pub state: String,
    pub at: Option<Timestamp>,
    pub reason: Option<String>,
    pub attempts: Vec<AttemptView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct UnwantedView {
    pub destination: String,
    pub reason: String,
}

/// A message that somebody makes through the API.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    pub source: String,
    /// Unique within the source; `None` for a random one.
    pub message_id: Option<String>,
    pub event_type: String,
    /// What is sent, as it is.
    pub payload: Value,
    /// To this destination alone, whatever its filter; `None` for all that take it.
    pub destination: Option<String>,
}

#[async_trait]
pub trait Events: Send + Sync {
    async fn search(&self, query: &EventQuery) -> Result<EventPage, AdminError>;

    /// The event with this message id. If several sources have one, that of the first.
    async fn event(&self, source: Option<&str>, id: &str) -> Result<EventDetails, AdminError>;

    /// The events after this one in the order of the log, at most 500; with the bytes of their payloads.
    async fn after(&self, seq: Seq) -> Result<Vec<(EventSummary, Bytes)>, AdminError>;

    /// The events with these numbers, at most 500, in the order of `seqs` and with their
    /// `delivery_counts`; `None` for one that is not in the log. Their payloads are read in this order
    /// while they have at most `payload_bytes_max` together, and none after that.
    async fn logged(
        &self,
        seqs: &[i64],
        payload_bytes_max: usize,
    ) -> Result<Vec<Option<LoggedEvent>>, AdminError>;

    /// The last event of the log, as it grows.
    fn head(&self) -> watch::Receiver<Seq>;

    /// What is known of a subject, or of the event with this message id, by its newest events.
    async fn explain(&self, id: &str, events_max: u32) -> Result<Explanation, AdminError>;

    /// Writes a message to the log; its id. It goes to destinations that are delivered to, and never to
    /// mirrors.
    async fn create_message(
        &self,
        caller: &Caller,
        message: NewMessage,
    ) -> Result<String, AdminError>;
}
