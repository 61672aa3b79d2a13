//! The work that events owe to destinations: the [`Deliveries`] half of a store, and its words.
//!
//! A delivery is one event owed to one destination, and is known by its [`DeliveryKey`]. It is
//! pending until it is settled: delivered, or dead-lettered. Settled ones lie apart, so that what
//! is claimed and changed all the time stays small.

mod attempt;
mod claim;
mod destination;
mod order;
mod query;
mod routing;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Notify;

pub use attempt::{AttemptRecord, AttemptSummary, REPLY_BYTES_MAX};
pub use claim::{Claim, ClaimId, Claimed, ClaimedDelivery, Settlement, Verdict};
pub use destination::{
    Backlog, BroughtForward, DestinationHealth, DestinationState, Disabled, Ordering, Registration,
    StartFrom,
};
pub use order::{ORDERS, Order, OrderNumber, PlacedOrder};
pub use query::{DeadLetter, DeadLetterQuery, DeliveryState, DeliverySummary, Unwanted};
pub use routing::{NewDelivery, ROUTER, Revived, Routed, RoutedBatch};

use crate::{FencingToken, Seq, StoreError};

/// One event owed to one destination.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// The destination's name.
    pub destination: Arc<str>,
    /// The event's place in the log.
    pub seq: Seq,
}

/// Deliveries, kept beside the log in the same database. Times are the store's clock's.
#[async_trait]
pub trait Deliveries: fmt::Debug + Send + Sync + 'static {
    /// Makes the destination known, or takes its settings over where it is known. The state of one
    /// that is known is kept, its checkpoint among it.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn register(&self, destination: &Registration) -> Result<DestinationState, StoreError>;

    /// Every destination that was ever registered, by name.
    ///
    /// # Errors
    /// The store could not be read.
    async fn destinations(&self) -> Result<Vec<DestinationState>, StoreError>;

    /// How much waits for each destination. It counts: the cost grows with what waits.
    ///
    /// # Errors
    /// The store could not be read.
    async fn backlogs(&self) -> Result<Vec<Backlog>, StoreError>;

    /// How many deliveries are pending for each destination, by name; of more than `pending_max`,
    /// `pending_max`, so that asking now and then costs little however much waits.
    ///
    /// # Errors
    /// The store could not be read.
    async fn pending(&self, pending_max: u32) -> Result<Vec<(Arc<str>, u64)>, StoreError>;

    /// Writes down what the router made of a batch, and moves the checkpoints of its destinations,
    /// in one transaction; deliveries that exist already are left as they are. Nothing is done
    /// where a checkpoint does not stand where the router thinks, or the token is not the newest
    /// of the router's.
    ///
    /// # Errors
    /// Nothing was changed; it may be tried again as it is.
    async fn route(&self, batch: &RoutedBatch) -> Result<Routed, StoreError>;

    /// Acts on the next replay requests, at most `requests_max`: deliveries of their events that
    /// are dead-lettered become pending again and are due at once. In one transaction with the
    /// mark of how far that has come.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn revive_requested(
        &self,
        token: FencingToken,
        requests_max: u32,
    ) -> Result<Revived, StoreError>;

    /// Takes due deliveries of one destination, the longest due first: nobody else gets them
    /// before the lease ends. Where the destination is ordered, at most one of each subject, the
    /// first in log order.
    ///
    /// # Errors
    /// Nothing was claimed.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError>;

    /// Writes down what became of claimed deliveries, in one transaction. Those whose claim has
    /// been lost, since the lease ended and somebody asked for work, are left alone; their number.
    ///
    /// # Errors
    /// Nothing was settled; it may be tried again as it is.
    async fn settle(
        &self,
        destination: &str,
        settlements: &[Settlement],
    ) -> Result<u64, StoreError>;

    /// Gives claimed deliveries back untried; they are due as before.
    ///
    /// # Errors
    /// They stay claimed until their lease ends.
    async fn release(&self, destination: &str, claims: &[ClaimId]) -> Result<(), StoreError>;

    /// Makes the next pending delivery of the destination due at once, where none is due yet;
    /// which one, if there is any.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn bring_forward(&self, destination: &str) -> Result<Option<BroughtForward>, StoreError>;

    /// Writes down how the destination is, whatever it was.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn set_health(
        &self,
        destination: &str,
        health: &DestinationHealth,
    ) -> Result<(), StoreError>;

    /// Writes down how the destination is, where it is still as it was in `from`: several processes
    /// see its attempts. Whether it was.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn change_health(
        &self,
        destination: &str,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError>;

    /// Adds to the number of the destination's deliveries that were ever given up on.
    ///
    /// # Errors
    /// Nothing was added.
    async fn add_dead_letters(&self, destination: &str, count: u32) -> Result<(), StoreError>;

    /// Dead-lettered deliveries, in the order of their keys.
    ///
    /// # Errors
    /// The store could not be read.
    async fn dead_letters(&self, query: &DeadLetterQuery) -> Result<Vec<DeadLetter>, StoreError>;

    /// Makes settled deliveries pending again, due at once and with a new schedule; the log of
    /// their attempts is kept. Those that are pending become due at once. One whose event has left
    /// the log stays as it is. How many there were.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn revive(&self, deliveries: &[DeliveryKey]) -> Result<u64, StoreError>;

    /// Adds deliveries outside of the router's order, where they do not exist in any state, and
    /// their destination and their event do. How many were added.
    ///
    /// # Errors
    /// Nothing was added.
    async fn enqueue(&self, deliveries: &[NewDelivery]) -> Result<u64, StoreError>;

    /// Those of the keys for which there is no delivery in any state.
    ///
    /// # Errors
    /// The store could not be read.
    async fn absent(&self, deliveries: &[DeliveryKey]) -> Result<Vec<DeliveryKey>, StoreError>;

    /// What became of an event: its deliveries with their attempts, by destination.
    ///
    /// # Errors
    /// The store could not be read.
    async fn deliveries_of(&self, seq: Seq) -> Result<Vec<DeliverySummary>, StoreError>;

    /// Why destinations did not want the event, where the router found none that did.
    ///
    /// # Errors
    /// The store could not be read.
    async fn unwanted(&self, seq: Seq) -> Result<Vec<Unwanted>, StoreError>;

    /// The place of the first event that was received at this time or later; one past the end
    /// where there is none.
    ///
    /// # Errors
    /// The store could not be read.
    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError>;

    /// The oldest order that has not been carried out.
    ///
    /// # Errors
    /// The store could not be read.
    async fn next_order(&self) -> Result<Option<PlacedOrder>, StoreError>;

    /// Writes down what became of an order.
    ///
    /// # Errors
    /// It stays open, and is carried out again.
    async fn finish_order(&self, number: OrderNumber, outcome: &str) -> Result<(), StoreError>;

    /// The order with this number.
    ///
    /// # Errors
    /// The store could not be read.
    async fn order(&self, number: OrderNumber) -> Result<Option<PlacedOrder>, StoreError>;

    /// What the store's clock says, in milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// The store could not be asked.
    async fn now_ms(&self) -> Result<i64, StoreError>;

    /// A hint that deliveries of this destination have become due. Register interest first, then
    /// claim, and poll now and then: the hint wakes one that waits, the claim tells.
    fn due(&self, destination: &str) -> Arc<Notify>;
}
