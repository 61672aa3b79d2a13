//! A destination's queue as its worker sees it: claim what is due, attempt it, settle it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;

use super::{AttemptRecord, Destinations};
use crate::{Seq, StoreError, StoredEvent};

/// The queues of all destinations.
#[async_trait]
pub trait DeliveryQueue: Destinations {
    /// Claims due deliveries of one destination, the longest due first: nobody else gets them
    /// before the lease ends. If the destination is ordered, at most one of each subject, the
    /// first in log order. None of a destination that is paused or disabled.
    ///
    /// # Errors
    /// Nothing was claimed.
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError>;

    /// Settles claimed deliveries in one transaction. Returns how many were left alone because
    /// their claim was lost: the lease had ended and somebody else asked for work.
    ///
    /// # Errors
    /// Nothing was settled; it can be retried as it is.
    async fn settle(
        &self,
        destination: &str,
        settlements: &[Settlement],
    ) -> Result<u64, StoreError>;

    /// Gives claimed deliveries back without an attempt; they are due as before.
    ///
    /// # Errors
    /// They stay claimed until their lease ends.
    async fn release(&self, destination: &str, claims: &[ClaimId]) -> Result<(), StoreError>;

    /// Makes the next pending delivery of the destination due at once, if none is due yet;
    /// which one, if there is any.
    ///
    /// # Errors
    /// Nothing was changed.
    async fn schedule_next_now(&self, destination: &str)
    -> Result<Option<Rescheduled>, StoreError>;

    /// A hint that deliveries of this destination have become due. Register interest first, then
    /// claim, and poll now and then: the claim is the truth.
    fn due(&self, destination: &str) -> Arc<Notify>;
}

/// A request for deliveries.
#[derive(Debug, Clone)]
pub struct Claim {
    pub destination: String,
    /// At most this many deliveries.
    pub deliveries_max: u32,
    /// No further delivery once the payloads reach this many bytes together.
    pub bytes_max: usize,
    /// How long nobody else gets them.
    pub lease: Duration,
}

/// Which delivery is claimed, and by which claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimId {
    /// The event's sequence number.
    pub seq: Seq,
    /// Another one each time that it is claimed.
    pub number: i64,
}

/// The claimed deliveries.
#[derive(Debug, Clone)]
pub struct Claimed {
    /// The deliveries, the longest due first.
    pub deliveries: Vec<ClaimedDelivery>,
    /// How long until the next one that is not claimed is due: zero if more are due now, `None` if
    /// none is pending.
    pub next_due: Option<Duration>,
    /// The store's time, in milliseconds since the Unix epoch.
    pub now_ms: i64,
}

/// A delivery that is the worker's until its lease ends.
#[derive(Debug, Clone)]
pub struct ClaimedDelivery {
    /// By which it is settled.
    pub claim: ClaimId,
    pub event: StoredEvent,
    /// Attempts of this schedule: since it was routed, or last revived.
    pub attempts: u32,
    /// How long ago the first attempt of this schedule began; `None` before it.
    pub first_attempt_ago: Option<Duration>,
}

/// The result of a claimed delivery.
#[derive(Debug, Clone)]
pub struct Settlement {
    pub claim: ClaimId,
    /// The attempt; `None` if none was made.
    pub attempt: Option<AttemptRecord>,
    /// What becomes of the delivery.
    pub verdict: Verdict,
}

/// What becomes of a delivery after an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is done.
    Delivered,
    /// It is due again after this long.
    Retry(Duration),
    /// It has failed permanently and is kept, with the reason.
    DeadLetter(String),
}

/// A delivery that is due earlier than it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rescheduled {
    /// The event's sequence number.
    pub seq: Seq,
    /// When it was due, in milliseconds since the Unix epoch.
    pub due_at_ms: i64,
}
