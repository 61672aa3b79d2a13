//! Replays: deliveries that are made again, or for the first time, outside of the router's order.

use async_trait::async_trait;

use super::{DeliveryKey, DeliveryQueries, NewDelivery};
use crate::{EventLog, StoreError};

/// What a replay changes.
#[async_trait]
pub trait Replays: EventLog + DeliveryQueries {
    /// Makes settled deliveries pending again, due at once and with a new schedule; their attempts
    /// are kept. Pending ones become due at once. A delivery whose event has left the log stays as
    /// it is. Returns how many were changed.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn revive(&self, deliveries: &[DeliveryKey]) -> Result<u64, StoreError>;

    /// Adds deliveries that do not exist in any state, if their destination and their event do.
    /// Returns how many were added.
    ///
    /// # Errors
    /// Nothing was added.
    async fn enqueue(&self, deliveries: &[NewDelivery]) -> Result<u64, StoreError>;

    /// Those of the keys for which there is no delivery in any state.
    ///
    /// # Errors
    /// The store could not be read.
    async fn missing(&self, deliveries: &[DeliveryKey]) -> Result<Vec<DeliveryKey>, StoreError>;
}
