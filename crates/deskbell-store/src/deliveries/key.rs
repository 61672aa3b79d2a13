//! What names a delivery.

use std::sync::Arc;

use crate::Seq;

/// One event for one destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    pub destination: Arc<str>,
    /// The event's sequence number.
    pub seq: Seq,
}
