//! The trait that every backend implements: each method is one unit of work and one transaction.

use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{
    Appended, ConsumerReport, Deliveries, EventsAbout, LogId, NewEvent, Refusals, ReplayRequest,
    Seq, SourceInstance, StoredEvent, Upkeep,
};

/// A durable, ordered, deduplicated log of events, and what is kept beside it.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The random name of this log. A copy keeps it; a log that was created anew has another.
    fn log_id(&self) -> LogId;

    /// Writes the batch down in one transaction and returns when it is durable: one result an
    /// event, in order. An event whose `(source, message_id)` is in the log, or earlier in the
    /// batch, is a duplicate and leaves a [`ReplayRequest`] in the same transaction.
    ///
    /// # Errors
    /// Nothing of the batch was acknowledged; it may be tried again as it is.
    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError>;

    /// The events behind `after`, in order, as many as fit the limit, but at least one where
    /// there is one. A reader that goes on from the last event it got misses none.
    ///
    /// # Errors
    /// The store could not be read.
    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError>;

    /// The message that stands at `seq`, or `None` where nothing does.
    ///
    /// # Errors
    /// The store could not be read.
    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError>;

    /// The event that came by this source with this message id, or `None` where there is none.
    ///
    /// # Errors
    /// The store could not be read.
    async fn find(&self, source: &str, message_id: &str)
    -> Result<Option<StoredEvent>, StoreError>;

    /// The newest events about a subject, of those before a place where one is given: as many as
    /// fit the limit, but at least one where there is one. All that is in the log is found,
    /// whether it has been [indexed](crate::upkeep::Upkeep::index_subjects) or not.
    ///
    /// # Errors
    /// The store could not be read.
    async fn about(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<EventsAbout, StoreError>;

    /// The last place that was given out; it does not go back when events are pruned.
    ///
    /// # Errors
    /// The store could not be read.
    async fn head(&self) -> Result<Seq, StoreError>;

    /// The replay requests behind number `after`, in order, at most `requests_max`.
    ///
    /// # Errors
    /// The store could not be read.
    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError>;

    /// Makes the caller the one that acts for this consumer: its token is greater than every
    /// token that was given out for this name before, so that an earlier holder can be told off.
    ///
    /// # Errors
    /// The token could not be made durable; [`StoreError::NotLeader`] where another process holds
    /// the consumer.
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError>;

    /// Holds this consumer's name for this process, so that no other one acts for it before the
    /// lease ends; called again, it goes on holding. Whether it is held now: `false` where another
    /// process holds it. A store that a single process has open always grants it.
    ///
    /// # Errors
    /// It is not known whether it is held.
    async fn renew_lease(&self, consumer: &str, lease: Duration) -> Result<bool, StoreError>;

    /// Lets another process hold this consumer at once, where this one does.
    ///
    /// # Errors
    /// The others have to wait for the lease's end.
    async fn release_lease(&self, consumer: &str) -> Result<(), StoreError>;

    /// Keeps what this consumer says of itself in place of what it said before, unless another
    /// process leads it. Whether it was kept.
    ///
    /// # Errors
    /// It is not known whether it was kept.
    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError>;

    /// What this consumer last said of itself.
    ///
    /// # Errors
    /// The store could not be read.
    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError>;

    /// The Clerk instance that this source was found to belong to, or `None` where none was.
    ///
    /// # Errors
    /// The store could not be read.
    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError>;

    /// Keeps the instance that this source was found to belong to, unless one is kept already;
    /// the one that is kept.
    ///
    /// # Errors
    /// It is not known which one is kept.
    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError>;

    /// A hint that the head has moved. Subscribe before reading, and poll now and then: the hint
    /// wakes, the log tells.
    fn subscribe(&self) -> watch::Receiver<Seq>;

    /// Whether the store can be written to now.
    ///
    /// # Errors
    /// It cannot, and why.
    async fn check_writable(&self) -> Result<(), StoreError>;

    /// Ends the connections after what is under way. Later calls fail.
    async fn close(&self);
}

/// The log, the deliveries beside it, their upkeep, and what was refused, in one database.
pub trait Database: Store + Deliveries + Upkeep + Refusals {}

impl<T: Store + Deliveries + Upkeep + Refusals> Database for T {}

/// A number that grows with every holder of a consumer's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FencingToken(i64);

impl FencingToken {
    /// The token with this number.
    #[must_use]
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }
}

/// How much one read may return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimit {
    /// At most this many events.
    pub events_max: u32,
    /// No further event once the payloads reach this many bytes together.
    pub bytes_max: usize,
}

impl Default for ReadLimit {
    fn default() -> Self {
        Self { events_max: 1_000, bytes_max: 8 << 20 }
    }
}

/// A unit of work that a store could not do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database refused, failed, or is away. What was asked for may be tried again.
    #[error("the store is not available")]
    Unavailable(#[source] BackendError),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// Another process leads the consumer. Try again later.
    #[error("another process leads this consumer")]
    NotLeader,
    /// The database's clock and this machine's are further apart than leases and signatures bear.
    #[error(
        "the database's clock is {} s {} this machine's; synchronize both with NTP",
        seconds.unsigned_abs(), if *seconds < 0 { "behind" } else { "ahead of" }
    )]
    ClockSkew {
        /// How far the database's clock is ahead; below zero where it is behind.
        seconds: i64,
    },
}

/// What the database's driver said. Its text is for the log and for the operator.
#[derive(Clone)]
pub struct BackendError(Arc<dyn Error + Send + Sync>);

impl BackendError {
    /// Wraps a driver's error.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        let error: Box<dyn Error + Send + Sync> = Box::new(error);
        Self(match error.downcast::<sqlx::Error>() {
            Ok(error) => match *error {
                sqlx::Error::Database(answer) if is_of_postgres(&*answer) => {
                    Arc::new(PostgresAnswer(answer))
                }
                other => Arc::new(other),
            },
            Err(other) => other.into(),
        })
    }
}

fn is_of_postgres(answer: &dyn sqlx::error::DatabaseError) -> bool {
    answer.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().is_some()
}

/// What PostgreSQL answered. The driver would add the line of PostgreSQL's own source.
#[derive(Debug)]
struct PostgresAnswer(Box<dyn sqlx::error::DatabaseError>);

impl fmt::Display for PostgresAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())?;
        match self.0.code() {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}

impl Error for PostgresAnswer {}

impl fmt::Debug for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for BackendError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}
