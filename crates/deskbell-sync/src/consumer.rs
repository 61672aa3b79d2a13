//! The consumer: reads the log from its checkpoint, folds, applies, and says whether there is more.

mod begin;
mod error;
mod read;
mod refetch;
mod remake;
mod report;
mod retry;
mod service;
mod state;
mod status;

use std::sync::Arc;
use std::time::{Duration, Instant};

use deskbell_store::{ConsumerLog, FollowOptions, LogFollower, ReadLimit, Seq};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::checkpoint::Checkpoint;
use crate::fold::Fold;
use crate::mirror_target::{Commit, ErrorMode, Part, PartKind, Rest, Target, TargetError};
use crate::options::MirrorOptions;
use crate::status::{MirrorStatus, consumer_name};
pub use error::SyncError;
use retry::{Retried, error_mode_for};
pub use service::MirrorService;
use state::{BACKOFF_MAX, Ready};
pub use state::{MirrorConsumer, Progress};
use status::Status;

/// Tries of a refused batch before the rows at fault are isolated: the refusal may be transient.
const REFUSALS_MAX: u32 = 3;
/// A batch is cut to this part of itself.
const CUT_TO: u32 = 4;
/// How long the current batch may take once the program stops: a silent database would be waited
/// for much longer. A batch that is dropped took effect whole or not at all.
const FINISH_MAX: Duration = Duration::from_secs(10);

impl MirrorConsumer {
    /// A consumer of this log for this target, which says what is mirrored. It touches neither
    /// before it is run.
    #[must_use]
    pub fn new(
        store: Arc<dyn ConsumerLog>,
        target: Arc<dyn Target>,
        options: MirrorOptions,
    ) -> Self {
        let status = Arc::new(Status::new(&options.destination));
        Self::with_status(store, target, options, status)
    }

    fn with_status(
        store: Arc<dyn ConsumerLog>,
        target: Arc<dyn Target>,
        options: MirrorOptions,
        status: Arc<Status>,
    ) -> Self {
        let mappings = target.mappings();
        Self {
            store,
            target,
            status,
            destination: options.destination,
            mapping_revision: mappings.revision(),
            statements: mappings.statements().iter().map(|one| one.names()).collect(),
            fold: Arc::new(Fold::new(mappings, options.sources)),
            reader: None,
            reported_clerk: None,
            stopping: CancellationToken::new(),
            batch: options.batch,
            poll_every: options.poll_every,
            position: None,
            refusals: 0,
            cut_to: None,
            ahead: None,
            remaking: true,
            former_reported: false,
            read_again_up_to: Seq::ZERO,
            applied: watch::Sender::new(Seq::ZERO),
            retries_processed_at: Instant::now(),
            requests_max: crate::sql::REQUESTS_MAX,
        }
    }

    /// The last event that is known to be applied to the mirror.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Seq> {
        self.applied.subscribe()
    }

    /// The mirror's status, as it changes; `None` while this process does not lead the consumer.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Option<MirrorStatus>> {
        self.status.subscribe()
    }

    /// Applies the next batch of the log, if there is one, and meanwhile reads the one behind it.
    /// Without one, processes retries.
    ///
    /// The first call, and one after a failure, reads the target's checkpoint and takes it over.
    /// Dropping the future loses nothing: the batch took effect or it did not.
    ///
    /// # Errors
    /// [`SyncError`]; calling again tries again.
    pub async fn run_once(&mut self) -> Result<Progress, SyncError> {
        let current = self.current_position().await?;
        let next = self.next_batch(current.seq).await?;
        let Some(mut ready) = next else { return self.idle(current).await };
        if let Err(error) = self.refetch(&mut ready.folded).await {
            self.ahead = Some(ready);
            return Err(error);
        }
        let mut progress = Progress { seq: ready.seq, events: ready.events, ..Progress::NONE };
        // Until it is known whether this took effect, only the target knows its position.
        self.position = None;
        let (applied, ahead) =
            tokio::join!(self.apply(&ready, current), self.read_behind(progress.seq));
        self.learn(&applied, progress.events);
        let applied = match applied {
            Ok(applied) => applied,
            Err(error) => {
                self.keep(ready, &error);
                return Err(error);
            }
        };
        self.applied.send_replace(applied.next.seq);
        self.status.reached(applied.next.seq);
        self.position = Some(applied.next);
        progress.rows_written = applied.rows_written;
        progress.dead_letters = applied.dead_letters;
        // A log that could not be read now is found so by the next call.
        progress.more = !matches!(ahead, Ok(None));
        self.ahead = ahead.unwrap_or_default();
        progress.more |= self.remaking;
        Ok(progress)
    }

    /// Adapts the next try to the result of this one.
    fn learn(&mut self, applied: &Result<AppliedBatch, SyncError>, events: u64) {
        match applied {
            Err(SyncError::Target(TargetError::Refused(_))) => {
                self.refusals = self.refusals.saturating_add(1);
            }
            // What was read ahead is more than can be isolated.
            Err(SyncError::Target(TargetError::OverBudget)) => self.cut(events),
            Err(_) => self.refusals = 0,
            Ok(_) => {
                self.refusals = 0;
                self.grow();
            }
        }
    }

    /// Keeps a batch that could not be applied, with what was read for it, for where the target turns out
    /// to be where it was. One that takes too long is read again, and smaller.
    fn keep(&mut self, ready: Ready, error: &SyncError) {
        let is_too_much = matches!(error, SyncError::Target(TargetError::OverBudget));
        self.ahead = Some(ready).filter(|_| !is_too_much);
    }

    /// Batches are smaller from here on: one of this many events took too long.
    fn cut(&mut self, events: u64) {
        self.cut_to = Some((u32::try_from(events).unwrap_or(1) / CUT_TO).max(1));
    }

    /// Batches are larger again.
    fn grow(&mut self) {
        let grown = self.cut_to.map(|events| events.saturating_mul(CUT_TO));
        self.cut_to = grown.filter(|events| *events < self.batch.events_max);
    }

    /// The size of the next batch.
    fn limit(&self) -> ReadLimit {
        let events_max = self.cut_to.unwrap_or(self.batch.events_max);
        ReadLimit { events_max, ..self.batch }
    }

    /// The name of the part for people.
    fn title<'a>(&'a self, part: &'a Part) -> &'a str {
        let is_it = |(name, _): &&(String, String)| part.is(PartKind::Statement, name);
        self.statements.iter().find(is_it).map_or(&part.name, |(_, title)| title)
    }

    fn superseded(&self) -> SyncError {
        SyncError::Superseded { destination: self.destination.clone() }
    }

    /// The log ends at `current`: there is time for what waits.
    async fn idle(&mut self, current: Checkpoint) -> Result<Progress, SyncError> {
        let seq = current.seq;
        let Retried { rows_written, dead_letters, more } =
            self.process_retries(current.clone()).await?;
        let remade = self.remake(current).await?;
        let (rows_written, more) =
            (rows_written + remade.rows_written, more || remade.rest == Rest::Now);
        Ok(Progress { seq, events: 0, rows_written, dead_letters, more })
    }

    /// Runs it as [`MirrorService::run`] does.
    pub async fn run(self, shutdown: CancellationToken) {
        MirrorService::of(self).run(shutdown).await;
    }

    fn name(&self) -> String {
        consumer_name(&self.destination)
    }

    /// The target's checkpoint: known from the last batch, or found out.
    async fn current_position(&mut self) -> Result<Checkpoint, SyncError> {
        if let Some(position) = &self.position {
            return Ok(position.clone());
        }
        let position = self.begin().await?;
        self.fold.instances().load(&*self.store).await?;
        report::other_instances(&self.destination, &self.fold.instances().others());
        self.read_again_up_to = self.store.head().await?;
        self.remaking = true;
        self.former_reported = false;
        self.applied.send_replace(position.seq);
        self.status.reached(position.seq);
        Ok(self.position.insert(position).clone())
    }

    async fn run_once_and_retry(&mut self) -> Result<Progress, SyncError> {
        let progress = self.run_once().await?;
        self.process_retries_when_due().await?;
        Ok(progress)
    }

    /// Follows the log until `shutdown`.
    async fn follow(&mut self, shutdown: CancellationToken) {
        // Others may have moved the checkpoint since this process last led.
        self.position = None;
        self.ahead = None;
        self.stopping = shutdown.clone();
        let options = FollowOptions { poll_interval: self.poll_every, backoff_max: BACKOFF_MAX };
        let mut follower = LogFollower::new(self.store.subscribe(), options);
        while follower.next_step(&shutdown).await {
            let done = tokio::select! {
                done = self.run_once_and_retry() => done,
                () = too_late(&shutdown) => return,
            };
            match done {
                Ok(progress) => {
                    self.status.succeeded();
                    follower.succeeded(progress.more);
                }
                Err(SyncError::Stopping) if shutdown.is_cancelled() => return,
                // The next step has less to do.
                Err(SyncError::Target(TargetError::OverBudget)) => follower.succeeded(true),
                Err(error) => {
                    let pause = follower.failed();
                    if self.is_looked_for(&error) {
                        self.report_refused(&error, pause);
                    } else {
                        self.report_failure(&error, pause);
                        self.status.failed(&error);
                    }
                }
            }
        }
    }

    /// Whether what the database refuses in this batch is going to be found, if it does not pass.
    fn is_looked_for(&self, error: &SyncError) -> bool {
        let is_refused = matches!(error, SyncError::Target(TargetError::Refused(_)));
        is_refused && (1..=REFUSALS_MAX).contains(&self.refusals)
    }

    async fn apply(&self, ready: &Ready, current: Checkpoint) -> Result<AppliedBatch, SyncError> {
        let started = Instant::now();
        let next = current.advanced(ready.seq, &ready.message_id);
        let is_whole = self.refusals < REFUSALS_MAX;
        let error_mode = if is_whole { ErrorMode::Fail } else { error_mode_for(ready.events) };
        let batch = &ready.folded.batch;
        match self.target.apply(batch, &current, &next, error_mode).await? {
            Commit::Done { rows_written, refused, blocked } => {
                self.report_blocked(&blocked);
                self.report_applied(&current, &next, rows_written, started.elapsed());
                self.report_events(batch.counts, batch.dead_letters.iter().chain(&refused));
                let refused = u64::try_from(refused.len()).unwrap_or(u64::MAX);
                let dead_letters = batch.counts.dead_lettered + refused;
                Ok(AppliedBatch { next, rows_written, dead_letters })
            }
            Commit::Lost => Err(self.superseded()),
        }
    }
}

/// Returns when the batch that was current at `shutdown` should be finished.
async fn too_late(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(FINISH_MAX).await;
}

/// The result of applying a batch.
struct AppliedBatch {
    next: Checkpoint,
    rows_written: u64,
    dead_letters: u64,
}

impl Progress {
    const NONE: Self =
        Self { seq: Seq::ZERO, events: 0, rows_written: 0, dead_letters: 0, more: false };
}
