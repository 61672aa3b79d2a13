//! The seam between the fold and a database: each method is one unit of work and one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use deskbell_store::BackendError;

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::mapping::Mappings;

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

    /// Puts `next` in the place of `current`, if that is still what stands there (`None`: nothing
    /// does), whatever their tokens and places. This is how a consumer begins. Where `next` is the
    /// beginning of the log, what has a tombstone, or a parent with one, is taken away first: it
    /// may have gone while its entity was not mirrored.
    ///
    /// # Errors
    /// The database failed; whether the change took effect is not known.
    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError>;

    /// Applies the batch and moves the checkpoint, both or neither: only while `current` is what
    /// stands there, to the place and the message of `next`.
    ///
    /// # Errors
    /// The database failed; whether the batch took effect is not known, and the checkpoint tells.
    async fn apply(
        &self,
        batch: Batch,
        current: &Checkpoint,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError>;

    /// Ends the connections after what is under way; a later call opens new ones.
    async fn close(&self);
}

/// Whether a compare-and-set of the checkpoint found what it expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commit {
    /// It did, and everything took effect.
    Done {
        /// The rows that were inserted or changed.
        rows_written: u64,
    },
    /// Another consumer has moved the checkpoint. Nothing took effect.
    Lost,
}

/// A unit of work that a target could not do. It may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// The database refused, failed, or is away.
    #[error("the mirror's database is not available")]
    Unavailable(#[source] BackendError),
    /// The database is no longer one that this mirror may use.
    #[error("the mirror's database cannot be used")]
    Unusable(#[source] crate::connect::ConnectError),
    /// The database holds something that this program did not write there.
    #[error("the mirror's bookkeeping cannot be read: {what}")]
    Corrupt {
        /// What could not be read.
        what: &'static str,
    },
}
