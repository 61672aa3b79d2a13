//! Upkeep: what leaves the store when its time has come.
//!
//! Nothing that is owed is lost: pruning never passes an event that a destination has not had, nor
//! one that a delivery is open for, nor the checkpoint of a reader outside of the store. It says who
//! holds it back instead.

mod user_refs;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use user_refs::user_refs_in;
pub(crate) use user_refs::{index_key, is_address};

use crate::{Leases, Seq, StoreError};

/// Events that bear one-time codes and magic links. Their payloads leave the log first.
pub const ONE_TIME_CODES: &[&str] = &["email.created", "sms.created"];

/// How a store is kept small. Times are the store's clock's.
#[async_trait]
pub trait Upkeep: Leases {
    /// Takes away what is too old, at most `rows_max` rows of it, in one short transaction.
    ///
    /// # Errors
    /// Nothing was taken away; it may be tried again as it is.
    async fn prune(&self, pruning: &Pruning) -> Result<Pruned, StoreError>;

    /// The users who are gone and of whom something is left that nobody needs any more, the
    /// longest gone first. None if the store does not index user references.
    ///
    /// # Errors
    /// The store could not be read.
    async fn erasable(&self, erasing: &Erasing) -> Result<Vec<Erasable>, StoreError>;

    /// Erases what is stored about this user, at most `rows_max` events of it, in one short
    /// transaction: their payloads, what attempts at them were answered, and why they were given
    /// up on. That they were received stays. Nothing is erased where [`erasable`](Self::erasable)
    /// no longer names the user.
    ///
    /// # Errors
    /// Nothing was erased; it may be tried again as it is.
    async fn erase(&self, erasing: &Erasing, gone: &Gone) -> Result<Erased, StoreError>;

    /// The last event whose payload pruning may have emptied. An empty one behind it was erased,
    /// unless it is one of [`ONE_TIME_CODES`].
    ///
    /// # Errors
    /// The store could not be read.
    async fn payloads_pruned_to(&self) -> Result<Seq, StoreError>;

    /// Takes what was erased out of the store's own journals too, as far as it has them; whether
    /// that could be done now.
    ///
    /// # Errors
    /// It may be tried again as it is.
    async fn scrub(&self) -> Result<bool, StoreError>;
}

/// Who must have had what is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasing {
    /// The destinations that are delivered to.
    pub destinations: Vec<String>,
    /// How far every reader outside of the store has come; `None` where there is none.
    pub keep_behind: Option<Seq>,
    /// At most this many users, and this many of a user's events at a time.
    pub rows_max: u32,
}

/// A user who was deleted, as one source and one Clerk instance know them. What came by another
/// source, or belongs to another instance, is about somebody else, whatever the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The user's id.
    pub user: String,
    /// The source that said so.
    pub source: String,
    /// The instance that said so. An event that names none belongs to any instance of its source.
    pub instance_id: Option<String>,
}

/// A user of whom something can be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasable {
    /// Who.
    pub gone: Gone,
    /// The message ids of the events that name the user, or an invitation to an address of theirs.
    pub message_ids: Vec<String>,
}

/// What was erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// The events that say nothing any more.
    pub events: u64,
    /// Whether there are more of this user.
    pub more: bool,
}

/// What is too old, and who must have had it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruning {
    /// Payloads are emptied this long after their event was received. The event stays, without
    /// what it said: it cannot be delivered or mirrored again, and a duplicate of it is still one.
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
    /// The destinations that are delivered to. Others hold nothing back: what is still owed to
    /// them is given up on when its payload goes.
    pub destinations: Vec<String>,
    /// How far every reader outside of the store has come; `None` where there is none.
    pub keep_behind: Option<Seq>,
    /// At most this many rows are taken away at once.
    pub rows_max: u32,
}

/// What was taken away.
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
    /// Deliveries to destinations that are no longer delivered to, given up on with their payload.
    pub given_up: u64,
    /// Whether it is worth calling again at once.
    pub more: bool,
    /// Who keeps payloads or events that are too old.
    pub held_back: Vec<HeldBack>,
}

/// Something that pruning does not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// Who.
    pub by: Holder,
    /// The first event that is kept for it.
    pub seq: Seq,
    /// When that event was received, in milliseconds since the Unix epoch, by the store's clock.
    pub since_ms: i64,
}

/// Who holds pruning back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// The router has not come further for this destination.
    Checkpoint(Arc<str>),
    /// A delivery to this destination is open.
    Delivery(Arc<str>),
    /// A reader outside of the store: [`Pruning::keep_behind`].
    Outside,
}
