//! Attempts at all deliveries, the newest first.

use async_trait::async_trait;

use super::{AttemptSummary, DeliveryKey};
use crate::{EventHead, Seq, StoreError};

/// Attempts as lists and charts read them.
#[async_trait]
pub trait AttemptLog: Send + Sync + 'static {
    /// The newest attempts before `before`, with the events that they were of: by when they began, or,
    /// where a store knows only that, by when they ended. It looks through at most `scanned_max` attempts
    /// of any destination, and returns those of `destination`, at most `attempts_max`. Attempts whose
    /// event has left the log are left out.
    ///
    /// # Errors
    /// The store could not be read.
    async fn newest_attempts(&self, query: &AttemptRange) -> Result<LoggedAttempts, StoreError>;

    /// This delivery's attempt of this number, if it and its event are still there.
    ///
    /// # Errors
    /// The store could not be read.
    async fn logged_attempt(
        &self,
        key: &DeliveryKey,
        number: u32,
    ) -> Result<Option<LoggedAttempt>, StoreError>;

    /// How many attempts at this destination began from `since_ms` until before `until_ms`, in equal
    /// buckets; it looks through at most `scanned_max` of the newest attempts of any destination.
    ///
    /// # Errors
    /// The store could not be read.
    async fn count_attempts(&self, query: &AttemptCountQuery) -> Result<AttemptCounts, StoreError>;

    /// The newest events before `before` that have a delivery in this state, the newest first; of this
    /// destination only, if it is given.
    ///
    /// # Errors
    /// The store could not be read.
    async fn events_in_state(
        &self,
        state: StateFilter,
        destination: Option<&str>,
        before: Option<Seq>,
        events_max: u32,
    ) -> Result<Vec<Seq>, StoreError>;

    /// How many deliveries of each of these events are in each state, by `seq`; events without any are
    /// left out.
    /// At most 500 are asked for.
    ///
    /// # Errors
    /// The store could not be read.
    async fn count_deliveries(&self, seqs: &[Seq]) -> Result<Vec<(Seq, StateCounts)>, StoreError>;
}

/// Which attempts to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AttemptRange {
    pub destination: Option<String>,
    /// Where the page before ended. Another text than a backend gave is as none.
    pub before: Option<String>,
    pub attempts_max: u32,
    pub scanned_max: u32,
}

/// A page of attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAttempts {
    /// The newest first.
    pub attempts: Vec<LoggedAttempt>,
    /// Where the next page begins; `None` if there are no more.
    pub older: Option<String>,
}

/// An attempt and what it was of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedAttempt {
    pub key: DeliveryKey,
    pub attempt: AttemptSummary,
    pub event: EventHead,
}

/// Which attempts to count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCountQuery {
    pub destination: String,
    pub since_ms: i64,
    pub until_ms: i64,
    /// At least 1.
    pub buckets: u32,
    pub scanned_max: u32,
}

/// Counted attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCounts {
    /// Delivered and failed, in the order of time; the empty ones too.
    pub buckets: Vec<(u64, u64)>,
    /// Whether all of that time was looked through.
    pub complete: bool,
}

/// A state that few deliveries are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateFilter {
    Pending,
    DeadLettered,
}

/// How many deliveries are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateCounts {
    pub pending: u64,
    pub delivered: u64,
    pub dead_lettered: u64,
}
