//! The seam between the fold and a database: each method is one unit of work and one transaction.

mod connect_error;
mod error;
mod open;
mod part;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{LogId, Seq};

use crate::batch::{Batch, DeadLetter};
use crate::checkpoint::Checkpoint;
use crate::entity::Entity;
use crate::fetched::FetchedFrom;
use crate::mapping::Mappings;
pub use connect_error::ConnectError;
pub(crate) use connect_error::check_schema_name;
pub use error::TargetError;
pub(crate) use open::database;
pub use part::{Blocked, Part, PartKind};

/// A database that holds a mirror.
#[async_trait]
pub trait Target: std::fmt::Debug + Send + Sync + 'static {
    /// What is mirrored here: a batch for this target is folded to these mappings.
    fn mappings(&self) -> Arc<Mappings>;

    /// Every checkpoint of this destination: one a log that it was ever filled from.
    ///
    /// # Errors
    /// The database could not be read.
    async fn checkpoints(&self, destination: &str) -> Result<Vec<Checkpoint>, TargetError>;

    /// Replaces the checkpoint `current` by `next` (`None`: there is no checkpoint yet), whatever
    /// their tokens and positions. This is how a consumer begins. Where `next` is the beginning of
    /// the log, what has a tombstone, or a parent with one, is taken away first: it may have gone
    /// while its entity was not mirrored.
    ///
    /// # Errors
    /// The database failed; whether the change took effect is not known.
    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError>;

    /// Applies the batch and moves the checkpoint, both or neither: only while `current` is the
    /// stored one, to the seq and the message of `next`.
    ///
    /// # Errors
    /// The database failed; whether the batch took effect is not known, and the checkpoint tells.
    /// Or it refused something in it, unless `error_mode` says what to do then; nothing took effect.
    async fn apply(
        &self,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        error_mode: ErrorMode,
    ) -> Result<Commit, TargetError>;

    /// The last event of this log that the destination has whole, those behind a blocked part not
    /// among them: it may read what is behind.
    ///
    /// # Errors
    /// The database could not be read.
    async fn reads_behind(&self, destination: &str, log_id: LogId) -> Result<Seq, TargetError>;

    /// The work of this destination besides the log.
    ///
    /// # Errors
    /// The database could not be read.
    async fn waiting(&self, destination: &str) -> Result<Waiting, TargetError>;

    /// Retries dead letters, and what waits and is due: only while `current` is the stored
    /// checkpoint, which stays. What the database refuses again is a dead letter again, or waits
    /// on.
    ///
    /// # Errors
    /// The database failed; whether this took effect is not known.
    async fn retry(&self, retry: &Retry, current: &Checkpoint) -> Result<Commit, TargetError>;

    /// Applies to one part that is blocked what the batch says of it, and moves the part's own
    /// checkpoint to `seq`, both or neither: only while `current` is the stored checkpoint. Where
    /// the part is still refused whole, nothing but the reason changes.
    ///
    /// # Errors
    /// The database failed; whether this took effect is not known. Or it took longer than `error_mode`
    /// allows; nothing took effect.
    async fn catch_up(
        &self,
        part: &Part,
        batch: &Batch,
        seq: Seq,
        current: &Checkpoint,
        error_mode: ErrorMode,
    ) -> Result<CatchUp, TargetError>;

    /// Whether a blocked part that the batch concerns is still refused without any rows. Nothing of the
    /// batch takes effect. Of a part that is, the reason changes, and when it is tried again.
    ///
    /// # Errors
    /// The database could not be asked.
    async fn is_still_blocked(
        &self,
        part: &Part,
        batch: &Batch,
        current: &Checkpoint,
    ) -> Result<bool, TargetError>;

    /// Applies objects from Clerk's API beside the log: no checkpoint moves. What the database refuses
    /// of them is a dead letter or waits, and the rest is applied.
    ///
    /// # Errors
    /// The database failed; whether this took effect is not known.
    async fn apply_fetched(
        &self,
        batch: &Batch,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError>;

    /// Removes the rows of entities that Clerk does not have any more, as of this time, in mapped
    /// tables too, as their deletes would. Unlike a delete this is not final: a later version brings a
    /// row back, but not one that a mapped table keeps or marks.
    ///
    /// # Errors
    /// The database failed; whether this took effect is not known.
    async fn remove_unlisted(
        &self,
        entity: &'static Entity,
        ids: &[String],
        from: &FetchedFrom,
        at_ms: i64,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError>;

    /// Forgets that these entities were deleted, so that a version brings them back. How many were.
    ///
    /// # Errors
    /// The database failed; whether this took effect is not known.
    async fn lift_tombstones(
        &self,
        entity: &'static Entity,
        ids: &[String],
    ) -> Result<u64, TargetError>;

    /// Makes the next few rows again that are of another mapping, and whose events the log no
    /// longer has: only while `current` is the stored checkpoint, which stays. For when the log has
    /// been read. `None`: another consumer has moved the checkpoint, and nothing took effect.
    ///
    /// # Errors
    /// The database failed; whether this took effect is not known.
    async fn remake(&self, current: &Checkpoint) -> Result<Option<Remade>, TargetError> {
        let _ = current;
        Ok(Some(Remade::default()))
    }

    /// Closes the connections after the current unit of work; a later call opens new ones.
    async fn close(&self);
}

/// Work of a destination besides the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The requested retries; perhaps not all of them at once.
    pub requests: Vec<RetryRequest>,
    /// Whether rows of the application's tables, or deletes, are due to be tried again.
    pub is_due: bool,
    /// The dead letters that the destination has.
    pub dead_letters: u64,
    /// The rows and statements that are tried again by themselves.
    pub rows: u64,
    /// The deletes that the database refuses; they are tried without end.
    pub deletes: u64,
    /// The tables and statements that wait apart from the rest.
    pub blocked: Vec<Blocked>,
}

/// The result of catching up with one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatchUp {
    /// The batch was applied to the part.
    Advanced {
        /// The rows that were inserted or changed.
        rows_written: u64,
        /// What the database refused of it.
        refused: Vec<DeadLetter>,
    },
    /// It is still refused.
    StillBlocked,
    /// Another consumer has moved the checkpoint. Nothing took effect.
    Lost,
}

/// A request to retry the dead letters of one message.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetryRequest {
    /// The source that the message came by.
    pub source: String,
    pub message_id: String,
    /// The mapped table or the statement that they failed in; empty for the mirror.
    pub part: String,
}

/// A request for something that cannot be tried any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostRequest {
    pub request: RetryRequest,
    /// Added to the dead letter's reason.
    pub reason: &'static str,
}

/// A retry of dead letters.
#[derive(Debug, Default, PartialEq)]
pub struct Retry {
    /// They go.
    pub requests: Vec<RetryRequest>,
    /// They stay, and say why they cannot be tried.
    pub lost: Vec<LostRequest>,
    /// The folded events. Its statements run, whatever the checkpoint.
    pub batch: Batch,
}

/// The result of applying objects from the API.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FetchedCommit {
    /// The rows that were inserted or changed.
    pub rows_written: u64,
    /// What the database refused, and is not retried automatically.
    pub refused: Vec<DeadLetter>,
    /// The blocked tables that the objects belong to: they have none of them.
    pub passed_over: Vec<Part>,
}

/// The result of making a few rows again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Remade {
    /// The rows that were changed.
    pub rows_written: u64,
    /// Whether there may be others.
    pub rest: Rest,
}

/// Whether there are rows to be made again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Rest {
    /// None are left.
    #[default]
    None,
    /// There may be some.
    Now,
    /// The database refused some: they are looked at again later.
    Later,
}

/// The handling of rows that the database refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorMode {
    /// Fail: the refusal may be transient.
    Fail,
    /// Find it, keep it as a dead letter in the same transaction, and apply the rest.
    Isolate,
    /// The same, but fail where that takes longer than this, so that the batch can be cut.
    IsolateWithin(Duration),
}

impl ErrorMode {
    /// How long refused rows may be isolated.
    pub(crate) fn budget(self) -> Option<Duration> {
        if let Self::IsolateWithin(budget) = self { Some(budget) } else { None }
    }
}

/// Whether a compare-and-set of the checkpoint found what it expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// It did, and everything took effect.
    Done {
        /// The rows that were inserted or changed.
        rows_written: u64,
        /// What the database refused, and is not retried automatically.
        refused: Vec<DeadLetter>,
        /// The tables and statements that wait from now on; at a take-over, all that wait.
        blocked: Vec<Blocked>,
    },
    /// Another consumer has moved the checkpoint. Nothing took effect.
    Lost,
}
