//! Everything that is known of a subject: its rows, which event each value came from, and what became
//! of each of its events.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::mask::{MASKED_ERROR, mask_reason, masked_member};
use crate::{Caller, Timestamp};

/// The answer of `deskbell explain`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct Explanation {
    /// `None` for a single event that is about nothing.
    pub subject: Option<String>,
    pub rows: Vec<ExplainedRow>,
    /// Mirrors that have no row of it.
    #[serde(default)]
    pub without_row: Vec<String>,
    /// Mirrors that could not be read.
    pub unread: Vec<UnreadMirror>,
    /// The newest first.
    pub events: Vec<ExplainedEvent>,
    /// Whether there are older events.
    pub has_more: bool,
}

/// A row of a mirror.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ExplainedRow {
    pub destination: String,
    pub table: String,
    pub columns: BTreeMap<String, ExplainedValue>,
}

/// A value of a row, and where it came from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ExplainedValue {
    pub value: Value,
    pub from: ValueFrom,
    pub message_id: Option<String>,
    pub seq: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValueFrom {
    Event,
    /// An object that Clerk's API returned.
    Api,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct UnreadMirror {
    pub destination: String,
    pub error: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ExplainedEvent {
    pub message_id: String,
    pub seq: i64,
    pub source: String,
    #[serde(rename = "type")]
    pub event_type: String,
    pub received_at: Timestamp,
    pub destinations: Vec<ExplainedOutcome>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, JsonSchema)]
pub struct ExplainedOutcome {
    pub name: String,
    pub outcome: String,
    pub reason: Option<String>,
    pub at: Option<Timestamp>,
}

impl Explanation {
    /// With personal data masked, where this caller must not see it.
    #[must_use]
    pub fn for_caller(mut self, caller: &Caller) -> Self {
        if !caller.sees_payloads() {
            let columns = self.rows.iter_mut().flat_map(|row| &mut row.columns);
            columns.for_each(|(name, value)| value.value = masked_member(name, &value.value));
            self.unread.iter_mut().for_each(|one| MASKED_ERROR.clone_into(&mut one.error));
        }
        for one in self.events.iter_mut().flat_map(|event| &mut event.destinations) {
            mask_reason(caller, &one.outcome, &mut one.reason);
        }
        self
    }
}
