//! Destinations as the store knows them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{Seq, StoreError};

/// The destinations that were ever registered, and their state.
#[async_trait]
pub trait Destinations: fmt::Debug + Send + Sync + 'static {
    /// Registers the destination, or updates its settings if it is known. A known one keeps its
    /// state, its checkpoint included.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn register(&self, destination: &Registration) -> Result<DestinationState, StoreError>;

    /// Every destination that was ever registered, by name.
    ///
    /// # Errors
    /// The store could not be read.
    async fn destinations(&self) -> Result<Vec<DestinationState>, StoreError>;

    /// Sets the destination's health, whatever it was.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn set_health(
        &self,
        destination: &str,
        health: &DestinationHealth,
    ) -> Result<(), StoreError>;

    /// Changes the destination's health if it is still `from`: several processes make attempts.
    /// Whether it was.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn change_health(
        &self,
        destination: &str,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError>;

    /// Adds to the total of the destination's deliveries that failed permanently.
    ///
    /// # Errors
    /// Nothing was added.
    async fn add_dead_letters(&self, destination: &str, count: u32) -> Result<(), StoreError>;

    /// Deletes a destination that is no longer declared, with its deliveries and their attempts: at most
    /// `rows_max` rows, those that are pending first. Whether there is more to do; `false` if it is not
    /// known. Until then it is still known.
    ///
    /// # Errors
    /// Nothing was deleted.
    async fn remove_destination(&self, name: &str, rows_max: u32) -> Result<bool, StoreError>;

    /// The store's time, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// The store could not be asked.
    async fn now_ms(&self) -> Result<i64, StoreError>;
}

/// A destination's settings in the store.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Its name, under which everything is kept.
    pub name: String,
    /// Where it begins, if it is new.
    pub from: StartFrom,
    /// The order of its deliveries.
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

/// The order of a destination's deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// None.
    #[default]
    None,
    /// Those about one subject in the order of the log, one at a time.
    Subject,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DestinationState {
    pub name: Arc<str>,
    /// The router's checkpoint: the last event that was routed to it.
    pub routed: Seq,
    /// How many of its deliveries ever failed permanently, as counted by [`add_dead_letters`]. It only
    /// grows, even if they are replayed.
    ///
    /// [`add_dead_letters`]: Destinations::add_dead_letters
    pub dead_letters_total: u64,
    pub health: DestinationHealth,
}

/// A destination's health. Times are in milliseconds since the Unix epoch, by the store's clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DestinationHealth {
    /// The first attempt that failed since the last success, or since it was enabled.
    pub first_failure_at_ms: Option<i64>,
    /// How many attempts have failed since then, the first among them.
    pub failed_attempts: u32,
    pub last_failure_at_ms: Option<i64>,
    /// Why nothing is sent to it; `None` if it is enabled.
    pub disabled: Option<Disabled>,
}

/// Why nothing is sent to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disabled {
    /// Since when.
    pub at_ms: i64,
    pub reason: String,
}

/// What the reason of a paused destination begins with.
const PAUSED_BY: &str = "paused by ";

impl Disabled {
    /// That somebody paused it.
    #[must_use]
    pub fn paused_by(who: &str, at_ms: i64) -> Self {
        Self { at_ms, reason: format!("{PAUSED_BY}{who}") }
    }

    /// Whether somebody paused it, rather than it kept failing.
    #[must_use]
    pub fn is_pause(&self) -> bool {
        self.reason.starts_with(PAUSED_BY)
    }
}
