//! The consumer: reads the log from its checkpoint, folds, applies, and says whether there is more.

mod backoff;
mod begin;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deskbell_store::{ReadLimit, Seq, Store, StoreError, StoredEvent};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::batch::Batch;
use crate::checkpoint::Checkpoint;
use crate::fold::Fold;
use crate::mapping::{MappingError, Mappings};
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
    /// A consumer of this log for this target. It touches neither before it is run.
    ///
    /// # Errors
    /// The choice of entities and columns makes no sense.
    pub fn new(
        store: Arc<dyn Store>,
        target: Arc<dyn Target>,
        options: MirrorOptions,
    ) -> Result<Self, MappingError> {
        let mappings = Mappings::new(&options.entities, options.exclude_columns.as_deref())?;
        let mappings = Arc::new(mappings);
        Ok(Self {
            store,
            target,
            destination: options.destination,
            mapping_revision: mappings.revision(),
            fold: Arc::new(Fold::new(mappings, options.sources)),
            batch: options.batch,
            poll_every: options.poll_every,
            position: None,
            applied: watch::Sender::new(Seq::ZERO),
        })
    }

    /// The last event that the mirror is known to bear, as it moves.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Seq> {
        self.applied.subscribe()
    }

    /// Applies the next batch of the log, if there is one.
    ///
    /// The first call, and one after a failure, finds out where the target stands and takes its
    /// checkpoint over. Dropping the future loses nothing: the batch took effect or it did not.
    ///
    /// # Errors
    /// [`SyncError`]; calling again tries again.
    pub async fn run_once(&mut self) -> Result<Progress, SyncError> {
        let current = match self.position.take() {
            Some(position) => position,
            None => self.begin().await?,
        };
        let current = self.position.insert(current).clone();
        self.applied.send_if_modified(|seq| std::mem::replace(seq, current.seq) != current.seq);
        let events = self.store.read(current.seq, self.batch).await?;
        let Some(last) = events.last() else {
            self.report_lag(current.seq, current.seq);
            return Ok(Progress { seq: current.seq, ..Progress::NONE });
        };
        let next = current.advanced(last.seq, &last.message_id);
        let read = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let batch = self.folded(events).await?;
        let dead_letters = batch.counts.dead_lettered;
        self.report_counts(&batch);
        let rows_written = self.apply(batch, current, next.clone()).await?;
        let head = self.store.head().await?;
        self.report_lag(next.seq, head);
        Ok(Progress {
            seq: next.seq,
            events: read,
            rows_written,
            dead_letters,
            more: head > next.seq,
        })
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

    /// Folds beside the runtime's own threads: a large batch takes milliseconds of computing.
    async fn folded(&self, events: Vec<StoredEvent>) -> Result<Batch, SyncError> {
        let fold = Arc::clone(&self.fold);
        let folding = tokio::task::spawn_blocking(move || fold.fold(&events));
        folding.await.map_err(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => SyncError::Stopping,
        })
    }

    async fn apply(
        &mut self,
        batch: Batch,
        current: Checkpoint,
        next: Checkpoint,
    ) -> Result<u64, SyncError> {
        let started = Instant::now();
        // Until it is known whether this took effect, the target alone knows where it stands.
        self.position = None;
        let commit = self.target.apply(batch, &current, &next).await?;
        let Commit::Done { rows_written } = commit else {
            return Err(SyncError::Superseded { destination: self.destination.clone() });
        };
        let duration = started.elapsed();
        metrics::histogram!("deskbell_sync_apply_duration_seconds", "destination" => self.destination.clone())
            .record(duration);
        metrics::counter!("deskbell_sync_rows_written_total", "destination" => self.destination.clone())
            .increment(rows_written);
        tracing::debug!(
            destination = self.destination,
            seq = next.seq.get(),
            events = next.seq.distance_from(current.seq),
            rows_written,
            duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            "applied a batch"
        );
        self.applied.send_replace(next.seq);
        self.position = Some(next);
        Ok(rows_written)
    }

    fn report_counts(&self, batch: &Batch) {
        let counts = batch.counts;
        for (outcome, events) in [
            ("applied", counts.applied),
            ("not_mirrored", counts.not_mirrored),
            ("other_instance", counts.other_instance),
            ("dead_lettered", counts.dead_lettered),
        ] {
            metrics::counter!("deskbell_sync_events_total", "destination" => self.destination.clone(), "outcome" => outcome)
                .increment(events);
        }
        for letter in &batch.dead_letters {
            tracing::warn!(
                destination = self.destination,
                event.id = letter.message_id,
                event.r#type = letter.event_type,
                reason = letter.reason,
                "an event cannot be mirrored; it is kept as a dead letter"
            );
        }
    }

    fn report_lag(&self, seq: Seq, head: Seq) {
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 events")]
        let lag = head.distance_from(seq) as f64;
        metrics::gauge!("deskbell_sync_lag_events", "destination" => self.destination.clone())
            .set(lag);
    }

    fn report_failure(&self, error: &SyncError, pause: Duration) {
        metrics::counter!("deskbell_sync_failures_total", "destination" => self.destination.clone())
            .increment(1);
        tracing::warn!(
            destination = self.destination,
            error = error as &dyn std::error::Error,
            retry_in_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "the mirror cannot go on; it will try again"
        );
    }
}

impl Progress {
    const NONE: Self =
        Self { seq: Seq::ZERO, events: 0, rows_written: 0, dead_letters: 0, more: false };
}
