//! Leases: which process leads a consumer of the log, and what that consumer reports.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::StoreError;

/// Leases of consumers, by name. A store that only one process can open always grants them.
#[async_trait]
pub trait Leases: fmt::Debug + Send + Sync + 'static {
    /// Gives out a token greater than all that were given out for this consumer before, so that
    /// an earlier leader can be told from this one.
    ///
    /// # Errors
    /// [`StoreError::NotLeader`] if another process holds the lease; otherwise the token could
    /// not be made durable.
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError>;

    /// Takes the consumer's lease for this process, or extends it. `false` if another process
    /// holds it.
    ///
    /// # Errors
    /// It is not known who holds it.
    async fn renew_lease(&self, consumer: &str, lease: Duration) -> Result<bool, StoreError>;

    /// Releases the consumer's lease, if this process holds it.
    ///
    /// # Errors
    /// Other processes wait until it expires.
    async fn release_lease(&self, consumer: &str) -> Result<(), StoreError>;

    /// Replaces the consumer's report. `false` if another process leads it.
    ///
    /// # Errors
    /// It is not known whether it was replaced.
    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError>;

    /// The consumer's latest report.
    ///
    /// # Errors
    /// The store could not be read.
    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError>;
}

/// A number that grows with every leader of a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(i64);

impl FencingToken {
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// What a consumer last reported about itself. The store does not read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerReport {
    /// In the consumer's own format.
    pub body: String,
    /// When, by the store's clock, in milliseconds since the Unix epoch.
    pub at_ms: i64,
}
