//! Group commit: the waiting events are written as one transaction, then all senders are answered.
//!
//! While one commit is in progress the next batch accumulates, so the batches grow with the load. There
//! is no other delay, unless the store would have a batch wait for another replica's anyway (see
//! [`BatchGrowth`]). The writer is a task of its own: a caller that goes away cancels nothing that it has submitted.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::{Appended, BatchGrowth, EventLog, NewEvent, StoreError};

/// How much may wait in memory, and how much goes into one transaction.
#[derive(Debug, Clone)]
pub struct LogWriterOptions {
    /// Events that may wait for the log; one more is refused as [`SubmitError::Overloaded`].
    pub queue_events_max: usize,
    /// Bytes of payload that may wait for the log, as they came and compressed, the batch that is being
    /// committed included; more is refused as [`SubmitError::Overloaded`].
    pub queue_bytes_max: u32,
    /// Events in one transaction; the rest waits for the next.
    pub batch_events_max: usize,
}

impl Default for LogWriterOptions {
    fn default() -> Self {
        Self { queue_events_max: 4_096, queue_bytes_max: 32 << 20, batch_events_max: 256 }
    }
}

/// The task that owns the writing end of the log.
#[derive(Debug)]
pub struct LogWriter {
    store: Arc<dyn EventLog>,
    waiting: mpsc::Receiver<Submission>,
    batch_events_max: usize,
    refused_at: watch::Sender<Option<Instant>>,
}

/// Hands events to the [`LogWriter`]. Cheap to clone; the writer ends when the last one is gone.
#[derive(Debug, Clone)]
pub struct LogHandle {
    store: Arc<dyn EventLog>,
    queue: mpsc::Sender<Submission>,
    bytes: Arc<Semaphore>,
    refused_at: watch::Receiver<Option<Instant>>,
}

/// An event that was not stored; the caller must not acknowledge it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SubmitError {
    /// Too much is waiting already. Nothing was taken.
    #[error("too many events are queued for the log")]
    Overloaded,
    /// The store could not commit the batch that the event was in.
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log's writer has stopped")]
    Stopped,
}

/// With the system's timers: the runtime's count whole milliseconds, of which a batch is written in one.
#[expect(clippy::disallowed_methods, reason = "it waits for nobody, so that it hides no race")]
fn sleep(time: Duration) {
    std::thread::sleep(time);
}

#[derive(Debug)]
struct Submission {
    event: NewEvent,
    answer: oneshot::Sender<Result<Appended, StoreError>>,
    /// Given back once the sender has its answer.
    room: OwnedSemaphorePermit,
}

impl LogWriter {
    /// The writer, to be run as a task, and the handle to give it work.
    #[must_use]
    pub fn new(store: Arc<dyn EventLog>, options: &LogWriterOptions) -> (Self, LogHandle) {
        let (queue, waiting) = mpsc::channel(options.queue_events_max.max(1));
        let bytes = Arc::new(Semaphore::new(options.queue_bytes_max as usize));
        let batch_events_max = options.batch_events_max.max(1);
        let (refused, refused_at) = watch::channel(None);
        let handle = LogHandle { store: Arc::clone(&store), queue, bytes, refused_at };
        (Self { store, waiting, batch_events_max, refused_at: refused }, handle)
    }

    /// Commits batch after batch until every handle is gone and nothing waits.
    pub async fn run(mut self) {
        let mut batch = Vec::with_capacity(self.batch_events_max);
        while self.waiting.recv_many(&mut batch, self.batch_events_max).await > 0 {
            self.let_grow(&mut batch).await;
            self.commit(batch.drain(..)).await;
        }
    }

    /// What comes meanwhile goes into the same transaction: while others write to the store, it is waited
    /// for here rather than there.
    async fn let_grow(&mut self, batch: &mut Vec<Submission>) {
        if batch.len() >= self.batch_events_max {
            return;
        }
        match self.store.batch_growth() {
            BatchGrowth::None => return,
            BatchGrowth::UntilReadyHaveRun => tokio::task::yield_now().await,
            BatchGrowth::For(time) => {
                let _ = tokio::task::spawn_blocking(move || sleep(time)).await;
            }
        }
        while batch.len() < self.batch_events_max
            && let Ok(next) = self.waiting.try_recv()
        {
            batch.push(next);
        }
    }

    async fn commit(&self, batch: impl Iterator<Item = Submission>) {
        let (events, senders): (Vec<_>, Vec<_>) =
            batch.map(|waiting| (waiting.event, (waiting.answer, waiting.room))).unzip();
        let outcome = self.store.append(&events).await;
        // Before the answers: a refused sender finds the process not ready.
        self.refused_at.send_replace(outcome.is_err().then(Instant::now));
        let results = match outcome {
            Ok(appended) => appended.into_iter().map(Ok).collect(),
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    events = events.len(),
                    "failed to write a batch to the log; senders get 503 and retry"
                );
                vec![Err(error); events.len()]
            }
        };
        for ((answer, room), result) in senders.into_iter().zip(results) {
            // Nobody listening is no fault: the event is durable all the same.
            let _ = answer.send(result);
            drop(room);
        }
    }
}

impl LogHandle {
    /// Appends the event and returns when it is durable.
    ///
    /// It is stored even if the returned future is dropped.
    ///
    /// # Errors
    /// [`SubmitError`]: the event must not be acknowledged.
    pub async fn append(&self, event: NewEvent) -> Result<Appended, SubmitError> {
        let mut room = self.room(event.payload.len())?;
        self.store.prepare(&event);
        room.merge(self.room(event.payload.bytes_held() - event.payload.len())?);
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(Submission { event, answer, room }).map_err(
            |refused| match refused {
                mpsc::error::TrySendError::Full(_) => SubmitError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => SubmitError::Stopped,
            },
        )?;
        Ok(answered.await.map_err(|_| SubmitError::Stopped)??)
    }

    /// Room for so many bytes more to wait.
    fn room(&self, bytes: usize) -> Result<OwnedSemaphorePermit, SubmitError> {
        let bytes = u32::try_from(bytes).map_err(|_| SubmitError::Overloaded)?;
        let room = Arc::clone(&self.bytes).try_acquire_many_owned(bytes);
        room.map_err(|_| SubmitError::Overloaded)
    }

    /// When the store refused the newest batch; `None` where it took it, or none was tried.
    ///
    /// A store that is full may still take a change to a row: this knows better than
    /// [`EventLog::check_writable`](crate::EventLog::check_writable), as long as events come in.
    #[must_use]
    pub fn refused_at(&self) -> Option<Instant> {
        *self.refused_at.borrow()
    }
}
