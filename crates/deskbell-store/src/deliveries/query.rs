//! What people ask about deliveries.

use std::sync::Arc;

use super::{AttemptSummary, DeliveryKey};

/// Which dead letters to list.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterQuery {
    /// Of this destination only.
    pub destination: Option<String>,
    /// Given up on at this time or later, in milliseconds since the Unix epoch.
    pub since_ms: Option<i64>,
    /// Behind this one, in the order of the keys.
    pub after: Option<DeliveryKey>,
    /// At most this many.
    pub letters_max: u32,
}

/// A delivery that was given up on. Its event may have left the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Which one.
    pub key: DeliveryKey,
    /// The source that the event came by.
    pub source: String,
    /// The sender's id of the message.
    pub message_id: String,
    /// The event's type.
    pub event_type: String,
    /// The id of the entity that the event is about.
    pub subject: Option<String>,
    /// When it was given up on, in milliseconds since the Unix epoch.
    pub settled_at_ms: i64,
    /// Attempts in all.
    pub attempts: u32,
    /// Why, in plain words.
    pub reason: String,
}

/// A delivery and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    /// Which one.
    pub key: DeliveryKey,
    /// Where it stands.
    pub state: DeliveryState,
    /// What was tried, in order.
    pub attempts: Vec<AttemptSummary>,
}

/// Where a delivery stands. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryState {
    /// It will be tried.
    Pending {
        /// When; `None` where an earlier one about the same subject comes first.
        due_at_ms: Option<i64>,
    },
    /// It arrived.
    Delivered {
        /// When.
        at_ms: i64,
    },
    /// It was given up on.
    DeadLettered {
        /// When.
        at_ms: i64,
        /// Why, in plain words.
        reason: String,
    },
}

/// Why a destination did not want an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwanted {
    /// The destination's name.
    pub destination: Arc<str>,
    /// Why, in plain words.
    pub reason: String,
}
