//! Retention: what is pruned from the store when it is old enough, and what is erased of deleted users.
//!
//! Nothing that is pending is lost: pruning never passes an event that a destination has not been
//! routed, nor one with a pending delivery, nor the checkpoint of a reader outside of the store. It
//! reports what blocks it instead.

mod references;
mod user_refs;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub(crate) use references::References;
pub(crate) use user_refs::index_key;
use user_refs::is_address;
pub use user_refs::user_refs_in;

use crate::{Leases, Seq, StoreError};

/// Their payloads leave the log first.
pub use deskbell_config::ONE_TIME_CODES;

/// Pruning and erasure. Times are by the store's clock.
#[async_trait]
pub trait Retention: Leases {
    /// Deletes what is too old, at most `rows_max` rows of it, in one short transaction.
    ///
    /// # Errors
    /// Nothing was deleted; it can be retried as it is.
    async fn prune(&self, pruning: &PruneOptions) -> Result<Pruned, StoreError>;

    /// Deleted users of whom something is stored that nobody has to read any more, the longest
    /// deleted first. None if the store does not index user references.
    ///
    /// # Errors
    /// The store could not be read.
    async fn erasable(&self, erasing: &EraseOptions) -> Result<Vec<Erasable>, StoreError>;

    /// Erases what is stored about this user, at most `rows_max` events of it, in one short
    /// transaction: their payloads, the replies to attempts, and why they failed permanently. That
    /// they were received stays. Nothing is erased if [`erasable`](Self::erasable) no longer has
    /// the user.
    ///
    /// # Errors
    /// Nothing was erased; it can be retried as it is.
    async fn erase(&self, erasing: &EraseOptions, user: &DeletedUser)
    -> Result<Erased, StoreError>;

    /// The last event whose payload pruning may have emptied. An empty one behind it was erased,
    /// unless it is one of [`ONE_TIME_CODES`].
    ///
    /// # Errors
    /// The store could not be read.
    async fn payloads_pruned_to(&self) -> Result<Seq, StoreError>;

    /// Removes what was erased from the store's own journals, if it has any; whether that was
    /// possible now.
    ///
    /// # Errors
    /// It can be retried as it is.
    async fn scrub(&self) -> Result<bool, StoreError>;
}

/// Who must have read what is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EraseOptions {
    /// The destinations that are delivered to.
    pub destinations: Vec<String>,
    /// The lowest checkpoint of the readers outside of the store; `None` if there are none.
    pub external_checkpoint: Option<Seq>,
    /// At most this many users, and this many of a user's events at a time.
    pub rows_max: u32,
}

/// A deleted user, as one source and one Clerk instance know them. What another source sent, or
/// what belongs to another instance, is about somebody else, whatever the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedUser {
    pub user_id: String,
    /// The source that reported it.
    pub source: String,
    /// The instance that reported it. An event that names none belongs to any instance of its source.
    pub instance_id: Option<String>,
}

/// A deleted user of whom something can be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasable {
    pub user: DeletedUser,
    /// The message ids of the events that name the user, or an invitation to an address of theirs.
    pub message_ids: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// The events whose payload was erased.
    pub events: u64,
    /// Whether this user has more.
    pub more: bool,
}

/// What is too old, and who must have read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneOptions {
    /// Payloads are emptied this long after their event was received. The event stays: it cannot
    /// be delivered or mirrored again, and a duplicate of it is still one.
    pub payloads: Duration,
    /// Events are deleted this long after they were received, with their deliveries, attempts and
    /// replay requests. A duplicate of one of those is a new event.
    pub events: Duration,
    /// Attempts are deleted this long after they began.
    pub attempts: Duration,
    /// Commands are deleted this long after they were executed.
    pub commands: Duration,
    /// Payloads of [`ONE_TIME_CODES`] are emptied this long after the last of their deliveries was
    /// settled, or after they were received where there was none.
    pub one_time_codes: Duration,
    /// The destinations that are delivered to. Others block nothing: what is pending for them is
    /// dead-lettered when its payload is emptied.
    pub destinations: Vec<String>,
    /// The lowest checkpoint of the readers outside of the store; `None` if there are none.
    pub external_checkpoint: Option<Seq>,
    /// At most this many rows are deleted at once.
    pub rows_max: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pruned {
    /// Payloads that were emptied, one-time codes among them.
    pub payloads: u64,
    /// Events that were deleted.
    pub events: u64,
    /// Attempts that were deleted because of their own age.
    pub attempts: u64,
    /// Commands that were deleted.
    pub commands: u64,
    /// Pending deliveries to other destinations that were dead-lettered.
    pub dead_lettered: u64,
    /// Whether it is worth calling again at once.
    pub more: bool,
    /// What keeps payloads or events that are too old.
    pub blockers: Vec<RetentionBlocker>,
}

/// Something that pruning does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionBlocker {
    pub by: BlockedBy,
    /// The first event that it keeps.
    pub seq: Seq,
    /// When that event was received, in milliseconds since the Unix epoch, by the store's clock.
    pub since_ms: i64,
}

/// What blocks pruning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockedBy {
    /// The router's checkpoint of this destination.
    Checkpoint(Arc<str>),
    /// A pending delivery to this destination.
    Delivery(Arc<str>),
    /// A reader outside of the store: [`PruneOptions::external_checkpoint`].
    External,
}
