//! Requests that were refused at the door, added up over all processes that share a store.

use async_trait::async_trait;

use crate::StoreError;

/// How many requests of a source were refused for a cause.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refused {
    pub source: String,
    /// Why, as a short code. There are few.
    pub cause: String,
    pub requests: u64,
}

/// Counts of refused requests. They only grow.
#[async_trait]
pub trait Refusals: Send + Sync + 'static {
    /// Adds these to what was counted, in one transaction.
    ///
    /// # Errors
    /// Nothing was added.
    async fn add_refused(&self, counts: &[Refused]) -> Result<(), StoreError>;

    /// All that was counted, by source and cause.
    ///
    /// # Errors
    /// The store could not be read.
    async fn refused(&self) -> Result<Vec<Refused>, StoreError>;
}
