//! What commands, pages and alerts ask about deliveries.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::{AttemptSummary, DeliveryKey};
use crate::{Seq, StoreError};

/// Questions about deliveries.
#[async_trait]
pub trait DeliveryQueries: fmt::Debug + Send + Sync + 'static {
    /// The backlog of each destination. It counts: the cost grows with the number of pending
    /// deliveries.
    ///
    /// # Errors
    /// The store could not be read.
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError>;

    /// Dead-lettered deliveries, in the order of their keys.
    ///
    /// # Errors
    /// The store could not be read.
    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, StoreError>;

    /// The event's deliveries with their attempts, by destination.
    ///
    /// # Errors
    /// The store could not be read.
    async fn deliveries_of(&self, seq: Seq) -> Result<Vec<DeliverySummary>, StoreError>;

    /// Why the event was filtered out at destinations, if none wanted it.
    ///
    /// # Errors
    /// The store could not be read.
    async fn filtered_out(&self, seq: Seq) -> Result<Vec<FilteredOut>, StoreError>;
}

/// Which dead letters to list.
#[derive(Debug, Clone, Default)]
pub struct DeadLetterQuery {
    /// Of this destination only.
    pub destination: Option<String>,
    /// Dead-lettered at this time or later, in milliseconds since the Unix epoch.
    pub since_ms: Option<i64>,
    /// After this one, in the order of the keys.
    pub after: Option<DeliveryKey>,
    /// At most this many.
    pub limit: u32,
}

/// A delivery that failed permanently. Its event may have left the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    pub key: DeliveryKey,
    /// The source that the event came by.
    pub source: String,
    /// The sender's id of the message.
    pub message_id: String,
    pub event_type: String,
    /// The id of the entity that the event is about.
    pub subject: Option<String>,
    /// When it was dead-lettered, in milliseconds since the Unix epoch.
    pub settled_at_ms: i64,
    pub attempts: u32,
    pub reason: String,
}

/// A delivery and its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    pub key: DeliveryKey,
    pub state: DeliveryState,
    /// Its attempts, in order.
    pub attempts: Vec<AttemptSummary>,
}

/// A delivery's state. Times are in milliseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryState {
    /// It will be attempted.
    Pending {
        /// When; `None` if an earlier one of the same subject comes first.
        due_at_ms: Option<i64>,
    },
    Delivered {
        at_ms: i64,
    },
    /// It failed permanently.
    DeadLettered {
        at_ms: i64,
        /// Why, in plain words.
        reason: String,
    },
}

/// Why an event was filtered out at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilteredOut {
    pub destination: Arc<str>,
    /// Why, in plain words.
    pub reason: String,
}

/// What is pending for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    pub destination: Arc<str>,
    /// Deliveries that are not settled.
    pub pending: u64,
    /// Dead-lettered deliveries.
    pub dead_lettered: u64,
    /// When the oldest pending one's event was received, in milliseconds since the Unix epoch.
    pub oldest_received_at_ms: Option<i64>,
}
