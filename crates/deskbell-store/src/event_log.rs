//! The event log: what ingest appends to and everybody else reads.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::{Appended, LogId, NewEvent, Seq, StoreError, StoredEvent};

/// A durable, ordered, deduplicated log of events.
#[async_trait]
pub trait EventLog: fmt::Debug + Send + Sync + 'static {
    /// The random name of this log. A copy keeps it; a log that was created anew has another.
    fn log_id(&self) -> LogId;

    /// Appends the batch in one transaction and returns when it is durable: one result an
    /// event, in order. An event whose `(source, message_id)` is in the log, or earlier in the
    /// batch, is a duplicate and leaves a [`ReplayRequest`](crate::ReplayRequest) in the same
    /// transaction.
    ///
    /// # Errors
    /// Nothing of the batch was stored; it can be retried as it is.
    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError>;

    /// Does what can be done of an append before the event's turn has come. Many may do it at once.
    fn prepare(&self, _event: &NewEvent) {}

    /// For how long a batch is let grow before it is appended.
    fn batch_growth(&self) -> BatchGrowth {
        BatchGrowth::None
    }

    /// The events after `after`, in order, as many as fit the limit, but at least one if
    /// there is one. A reader that goes on from the last event it got misses none.
    ///
    /// # Errors
    /// The store could not be read.
    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError>;

    /// The id of the message at `seq`, if there is one.
    ///
    /// # Errors
    /// The store could not be read.
    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError>;

    /// The event of this source with this message id.
    ///
    /// # Errors
    /// The store could not be read.
    async fn find(&self, source: &str, message_id: &str)
    -> Result<Option<StoredEvent>, StoreError>;

    /// The newest events about a subject, before `before` if it is given: as many as
    /// fit the limit, but at least one if there is one. Finds all that is in the log,
    /// [indexed](crate::SubjectIndex::index_subjects) or not.
    ///
    /// # Errors
    /// The store could not be read.
    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError>;

    /// The last sequence number that was given out; pruning does not lower it.
    ///
    /// # Errors
    /// The store could not be read.
    async fn head(&self) -> Result<Seq, StoreError>;

    /// The first event that was received at this time or later; one past the end if there is
    /// none.
    ///
    /// # Errors
    /// The store could not be read.
    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError>;

    /// A hint that the head has moved. Subscribe before reading, and poll now and then: the
    /// log is the truth.
    fn subscribe(&self) -> watch::Receiver<Seq>;

    /// Checks that the store can be written to now.
    ///
    /// # Errors
    /// Why it cannot.
    async fn check_writable(&self) -> Result<(), StoreError>;
}

/// For how long events join a batch that could be written already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchGrowth {
    /// Not at all.
    None,
    /// Until the tasks that are ready have run, without a clock.
    UntilReadyHaveRun,
    /// For as long as other processes are likely to keep an append waiting, if it began now.
    For(Duration),
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

/// A page of a subject's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectEvents {
    /// The newest first.
    pub events: Vec<StoredEvent>,
    /// Where the next page begins: there may be others before this event, even if none was found
    /// yet. `None` if there are no more.
    pub older: Option<Seq>,
}
