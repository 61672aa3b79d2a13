//! The consumer: reads the log from its checkpoint, folds, applies, and says whether there is more.

mod backoff;
mod begin;
mod read;
mod report;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deskbell_store::{ReadLimit, Seq, Store, StoreError};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use self::read::Ready;

use crate::checkpoint::Checkpoint;
use crate::fold::Fold;
use crate::options::MirrorOptions;
use crate::target::{Commit, Target, TargetError};

/// Carries one log into one mirror.
#[derive(Debug)]
pub struct MirrorConsumer {
    store: Arc<dyn Store>,
    target: Arc<dyn Target>,
    fold: Arc<Fold>,
    destination: String,
    mapping_revision: i64,
    batch: ReadLimit,
    poll_every: Duration,
    /// Where the target stands; `None` while that is not known.
    position: Option<Checkpoint>,
    /// The batch behind `position`, read and folded while the one before it was applied.
    ahead: Option<Ready>,
    applied: watch::Sender<Seq>,
}

/// What one call of [`MirrorConsumer::run_once`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The last event that the mirror bears.
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

/// A batch that did not reach the mirror. Nothing was skipped; calling again goes on from where
/// the mirror stands.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The log could not be read.
    #[error("failed to read the event log")]
    Store(#[from] StoreError),
    /// The mirror could not be read or written.
    #[error("failed to write the mirror")]
    Target(#[from] TargetError),
    /// Another consumer of the same name has taken over.
    #[error("another consumer has taken over destination {destination:?}")]
    Superseded {
        /// The destination.
        destination: String,
    },
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopping,
}

impl MirrorConsumer {
    /// A consumer of this log for this target, which says what is mirrored. It touches neither
    /// before it is run.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, target: Arc<dyn Target>, options: MirrorOptions) -> Self {
        let mappings = target.mappings();
        Self {
            store,
            target,
            destination: options.destination,
            mapping_revision: mappings.revision(),
            fold: Arc::new(Fold::new(mappings, options.sources)),
            batch: options.batch,
            poll_every: options.poll_every,
            position: None,
            ahead: None,
            applied: watch::Sender::new(Seq::ZERO),
        }
    }

    /// The last event that the mirror is known to bear, as it moves.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Seq> {
        self.applied.subscribe()
    }

    /// Applies the next batch of the log, if there is one, and meanwhile reads the one behind it.
    ///
    /// The first call, and one after a failure, finds out where the target stands and takes its
    /// checkpoint over. Dropping the future loses nothing: the batch took effect or it did not.
    ///
    /// # Errors
    /// [`SyncError`]; calling again tries again.
    pub async fn run_once(&mut self) -> Result<Progress, SyncError> {
        let current = self.stand().await?;
        let ready = match self.ahead.take() {
            Some(ready) => ready,
            None => match self.read_behind(current.seq).await? {
                Some(ready) => ready,
                None => {
                    self.report_lag(0);
                    return Ok(Progress { seq: current.seq, ..Progress::NONE });
                }
            },
        };
        let mut progress = Progress {
            seq: ready.seq,
            events: ready.events,
            dead_letters: ready.batch.counts.dead_lettered,
            ..Progress::NONE
        };
        // Until it is known whether this took effect, the target alone knows where it stands.
        self.position = None;
        let (applied, ahead) =
            tokio::join!(self.apply(ready, current), self.read_behind(progress.seq));
        let (next, rows_written) = applied?;
        self.applied.send_replace(next.seq);
        self.position = Some(next);
        progress.rows_written = rows_written;
        // A log that could not be read now is found so by the next call.
        progress.more = !matches!(ahead, Ok(None));
        self.ahead = ahead.unwrap_or_default();
        self.report_lag(if progress.more { self.lag_behind(progress.seq).await } else { 0 });
        Ok(progress)
    }

    /// Follows the log until `shutdown`, then finishes the batch in hand. While the log or the
    /// database is away it waits, longer each time, and tries again.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut head = self.store.subscribe();
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            // Marked as seen before the log is read: what comes in between wakes the wait below.
            head.mark_unchanged();
            let pause = match self.run_once().await {
                Ok(progress) if progress.more => {
                    failures = 0;
                    continue;
                }
                Ok(_) => {
                    failures = 0;
                    self.poll_every
                }
                Err(error) => {
                    let pause = backoff::pause(failures, rand::random());
                    self.report_failure(&error, pause);
                    failures = failures.saturating_add(1);
                    pause
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
                Ok(()) = head.changed(), if failures == 0 => {}
            }
        }
        self.target.close().await;
    }

    /// Where the target stands: known from the last batch, or found out.
    async fn stand(&mut self) -> Result<Checkpoint, SyncError> {
        if let Some(position) = &self.position {
            return Ok(position.clone());
        }
        let position = self.begin().await?;
        self.applied.send_replace(position.seq);
        Ok(self.position.insert(position).clone())
    }

    async fn apply(
        &self,
        ready: Ready,
        current: Checkpoint,
    ) -> Result<(Checkpoint, u64), SyncError> {
        let started = Instant::now();
        let next = current.advanced(ready.seq, &ready.message_id);
        let (counts, dead_letters) = (ready.batch.counts, ready.batch.dead_letters.clone());
        match self.target.apply(ready.batch, &current, &next).await? {
            Commit::Done { rows_written } => {
                self.report_applied(&current, &next, rows_written, started.elapsed());
                self.report_events(counts, &dead_letters);
                Ok((next, rows_written))
            }
            Commit::Lost => Err(SyncError::Superseded { destination: self.destination.clone() }),
        }
    }
}

impl Progress {
    const NONE: Self =
        Self { seq: Seq::ZERO, events: 0, rows_written: 0, dead_letters: 0, more: false };
}
