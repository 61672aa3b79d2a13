//! Destinations as the store knows them.

use std::sync::Arc;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartFrom {
    /// With the first event of the log.
    Beginning,
    /// With the next event that comes.
    Now,
}

/// In which order deliveries go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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
    /// How it is.
    pub health: DestinationHealth,
}

/// How a destination is. Times are in milliseconds since the Unix epoch, by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationHealth {
    /// The first failure since the last success that counts towards `failing_since_ms`.
    pub first_failure_at_ms: Option<i64>,
    /// When the clock began that ends with its being disabled.
    pub failing_since_ms: Option<i64>,
    /// The greatest percentage of that time of which somebody was told; 0 for none.
    pub told_percent: u8,
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
