//! What a consumer knows of the log, of the mirror and of its own work.

use std::sync::Arc;
use std::time::{Duration, Instant};

use deskbell_store::{ConsumerLog, ReadLimit, Seq};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::status::Status;
use crate::checkpoint::Checkpoint;
use crate::fold::Fold;
use crate::mirror_target::Target;
use crate::refetch::{Folded, ObjectReader};

/// The longest pause after a failure.
pub(super) const BACKOFF_MAX: Duration = Duration::from_secs(30);

/// Applies one log to one mirror.
#[derive(Debug)]
pub struct MirrorConsumer {
    pub(super) store: Arc<dyn ConsumerLog>,
    pub(super) target: Arc<dyn Target>,
    pub(super) fold: Arc<Fold>,
    /// Where events only say what to fetch.
    pub(super) reader: Option<Arc<dyn ObjectReader>>,
    /// What was last said about an API that cannot be read.
    pub(super) reported_clerk: Option<ClerkReport>,
    /// Nothing is read once it is cancelled.
    pub(super) stopping: CancellationToken,
    pub(super) destination: String,
    pub(super) mapping_revision: i64,
    /// The application's statements: what each is kept by, and what people know it by.
    pub(super) statements: Vec<(String, String)>,
    pub(super) batch: ReadLimit,
    pub(super) poll_every: Duration,
    /// The target's checkpoint; `None` while it is not known.
    pub(super) position: Option<Checkpoint>,
    /// How many times in a row the database has refused the batch after `position`.
    pub(super) refusals: u32,
    /// The events of a batch, where a larger one could not be isolated in time.
    pub(super) cut_to: Option<u32>,
    /// The next batch: read and folded while the one before it was applied, or kept with what was read
    /// for it, as it could not be applied.
    pub(super) ahead: Option<Ready>,
    pub(super) applied: watch::Sender<Seq>,
    /// Whether the target may have rows that the log no longer has and that are to be made again.
    pub(super) remaking: bool,
    /// Whether what is blocked and no longer in the config has been reported.
    pub(super) former_reported: bool,
    /// Where the log ended when the target was taken over: up to there it may be read again.
    pub(super) read_again_up_to: Seq,
    pub(super) status: Arc<Status>,
    /// When retries were last processed.
    pub(super) retries_processed_at: Instant,
    /// Retries that are made in one transaction; fewer where they take too long together.
    pub(super) requests_max: usize,
}

/// The result of one call of [`MirrorConsumer::run_once`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last event that was applied to the mirror.
    pub seq: Seq,
    /// The events that were read.
    pub events: u64,
    /// The rows that were inserted or changed.
    pub rows_written: u64,
    /// The events that could not be applied.
    pub dead_letters: u64,
    /// Whether it is worth calling again at once.
    pub more: bool,
}

/// That Clerk's API cannot be read is reported once, and again where it becomes somebody's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClerkReport {
    Passing,
    Permanent,
}

/// A batch that is ready to be applied, once what its events only say of is read.
#[derive(Debug)]
pub(super) struct Ready {
    /// The position behind which it was read: for another one it is not the next batch.
    pub(super) after: Seq,
    /// Its last event, and that event's message id.
    pub(super) seq: Seq,
    pub(super) message_id: String,
    pub(super) events: u64,
    pub(super) folded: Folded,
}
