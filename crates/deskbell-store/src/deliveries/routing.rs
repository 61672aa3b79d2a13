//! What the router writes to the store.

use std::sync::Arc;

use async_trait::async_trait;

use super::{DeliveryKey, Destinations, FilteredOut};
use crate::{EventLog, FencingToken, Leases, ReplayRequest, Seq, StoreError};

/// The store as the router uses it.
#[async_trait]
pub trait Routing: EventLog + Leases + Destinations {
    /// Inserts the deliveries of a batch, and moves the checkpoints of its destinations, in one
    /// transaction; deliveries that exist already are left as they are. Nothing is done
    /// if a checkpoint is not at `from`, or the token is not the router's newest.
    ///
    /// # Errors
    /// Nothing was changed; it can be retried as it is.
    async fn route(&self, batch: &RoutedBatch) -> Result<Routed, StoreError>;

    /// Acts on the next replay requests, at most `requests_max`: dead-lettered deliveries of their
    /// events become pending again and are due at once. How far that has come is kept in the same
    /// transaction.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn revive_requested(
        &self,
        token: FencingToken,
        requests_max: u32,
    ) -> Result<Revived, StoreError>;

    /// The replay requests after number `after`, in order, at most `requests_max`.
    ///
    /// # Errors
    /// The store could not be read.
    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError>;

    /// How many deliveries are pending for each destination, by name, counted up to
    /// `pending_max`, so that the cost is bounded whatever the backlog.
    ///
    /// # Errors
    /// The store could not be read.
    async fn pending(&self, pending_max: u32) -> Result<Vec<(Arc<str>, u64)>, StoreError>;
}

/// The router's name as a consumer: the newest token that was given out for it may write.
pub const ROUTER: &str = "router";

/// The deliveries of a range of the log, for the destinations whose checkpoint is at its beginning.
#[derive(Debug, Clone)]
pub struct RoutedBatch {
    /// The router's fencing token.
    pub token: FencingToken,
    /// The checkpoints before.
    pub from: Seq,
    /// The checkpoints after.
    pub to: Seq,
    pub destinations: Vec<Arc<str>>,
    pub deliveries: Vec<NewDelivery>,
    /// Events that none of them wants, and why.
    pub filtered_out: Vec<(Seq, Vec<FilteredOut>)>,
}

/// A delivery that does not exist yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    pub key: DeliveryKey,
    /// The id of the entity that the event is about.
    pub subject: Option<String>,
}

/// The result of routing a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routed {
    /// It took effect.
    Done,
    /// Another router has taken over, or moved a checkpoint: nothing was done.
    Superseded,
}

/// The result of acting on replay requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revived {
    /// They were acted on.
    Done {
        /// How many requests there were; fewer than asked for, where there were no more.
        requests: u32,
        /// How many deliveries are pending again.
        deliveries: u64,
    },
    /// Another router has taken over: nothing was done.
    Superseded,
}
