//! Destinations as the store knows them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Seq;

/// What the store must know of a destination.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its name, under which everything is kept.
    pub name: String,
    /// Where it begins, if it is new.
    pub from: StartFrom,
    /// In which order its deliveries go.
    pub ordering: Ordering,
}

/// Where a new destination begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartFrom {
    /// With the next event that comes.
    #[default]
    Now,
    /// With the first event of the log.
    Beginning,
}

/// In which order deliveries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// In any.
    #[default]
    None,
    /// Those about one subject in the order of the log, one at a time.
    Subject,
}

/// A destination as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationState {
    /// Its name.
    pub name: Arc<str>,
    /// The last event that the router has dealt with for it.
    pub routed: Seq,
    /// How many of its deliveries were ever given up on, as [`add_dead_letters`] was told: it only
    /// grows, whatever becomes of them.
    ///
    /// [`add_dead_letters`]: crate::Deliveries::add_dead_letters
    pub dead_letters_total: u64,
    /// How it is.
    pub health: DestinationHealth,
}

/// How a destination is. Times are in milliseconds since the Unix epoch, by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationHealth {
    /// The first attempt that failed since the last success, or since it was enabled.
    pub first_failure_at_ms: Option<i64>,
    /// How many attempts have failed since then, the first among them.
    pub failed_attempts: u32,
    /// The last of them.
    pub last_failure_at_ms: Option<i64>,
    /// Why nothing is sent there; `None` where it is.
    pub disabled: Option<Disabled>,
}

/// Why nothing is sent to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// Since when.
    pub at_ms: i64,
    /// Why, in plain words.
    pub reason: String,
}

/// A delivery that is due earlier than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BroughtForward {
    /// The event's place in the log.
    pub seq: Seq,
    /// When it was due, in milliseconds since the Unix epoch.
    pub due_at_ms: i64,
}

/// How much waits for a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The destination's name.
    pub destination: Arc<str>,
    /// Deliveries that are not settled.
    pub pending: u64,
    /// Deliveries that were given up on.
    pub dead_lettered: u64,
    /// When the oldest pending one's event was received, in milliseconds since the Unix epoch.
    pub oldest_received_at_ms: Option<i64>,
}
