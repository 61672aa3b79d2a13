//! When events arrived, without the events.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Seq, StoreError};

/// The times of receipt of what sources sent. A reader that goes on from page to page sees each event
/// once: that is the cost of knowing when each source last had one.
#[async_trait]
pub trait Arrivals: Send + Sync + 'static {
    /// What arrived after `after`, from at most `events_max` events of the log. What the
    /// sender did not send is left out: notices, and events that a backfill made.
    ///
    /// # Errors
    /// The store could not be read.
    async fn arrivals(&self, after: Seq, events_max: u32) -> Result<ArrivalPage, StoreError>;
}

/// One page of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrivalPage {
    /// In the order of the log.
    pub arrivals: Vec<Arrival>,
    /// The last event that was looked at, where the next page begins: `after` if there was none.
    pub last: Seq,
}

/// An event that a source sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The source's name.
    pub source: Arc<str>,
    /// Whether the sender sent it, rather than somebody read it from the sender's record.
    pub is_sent: bool,
    /// When the log took it, in milliseconds since the Unix epoch, by the store's clock.
    pub at_ms: i64,
}
