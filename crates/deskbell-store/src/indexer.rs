//! The indexer: indexes the log's events by subject after they were acknowledged, so that the newest
//! of a subject are found in a log of any length.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{FollowOptions, Indexed, Leader, LogFollower, StoreError, SubjectIndex, run_as_leader};

/// The indexer's name among the log's consumers.
const CONSUMER: &str = "indexer";
/// Events in one transaction: SQLite's other writers wait for as long as it takes.
const EVENTS_MAX: u32 = 100;
/// How long events are left to accumulate. Those that are not indexed yet are found all the same.
const DEBOUNCE: Duration = Duration::from_secs(1);
/// Between two transactions: at least so long, and so many times as long as the one before took.
/// The database is everybody else's for nine tenths of the time, however slow it is; and each event
/// writes to another page of the index, so that a fast one would be busy with its journal.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_SHARE: u32 = 9;
const FOLLOW: FollowOptions =
    FollowOptions { poll_interval: Duration::from_secs(60), backoff_max: Duration::from_secs(30) };

/// Indexes one store.
#[derive(Debug)]
pub struct SubjectIndexer {
    store: Arc<dyn SubjectIndex>,
}

impl SubjectIndexer {
    #[must_use]
    pub fn new(store: Arc<dyn SubjectIndex>) -> Self {
        Self { store }
    }

    /// Indexes the log, and follows it, until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, CONSUMER, &shutdown, &mut self).await;
    }

    async fn follow(&self, shutdown: &CancellationToken) {
        let mut follower = LogFollower::new(self.store.subscribe(), FOLLOW);
        while follower.next_step(shutdown).await {
            sleep(DEBOUNCE).await;
            match self.index_all().await {
                Ok(()) => follower.succeeded(false),
                Err(error) => {
                    // Logged once, however often it is retried until the store is back.
                    if !follower.is_failing() {
                        let error = &error as &dyn Error;
                        tracing::warn!(error, "failed to index events; retrying");
                    }
                    follower.failed();
                }
            }
        }
    }

    /// Indexes all that there is, a batch at a time.
    async fn index_all(&self) -> Result<(), StoreError> {
        loop {
            let began = Instant::now();
            match self.store.index_subjects(EVENTS_MAX).await? {
                Indexed { more: false, .. } => return Ok(()),
                // The pruner is at work, or another process has not finished its last batch.
                Indexed { events: 0, .. } => sleep(DEBOUNCE).await,
                _ => sleep(PAUSE_MIN.max(began.elapsed() * PAUSE_SHARE)).await,
            }
        }
    }
}

#[async_trait]
impl Leader for SubjectIndexer {
    /// Cancelled anywhere: a batch that was not committed is indexed again.
    async fn lead(&mut self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.follow(&shutdown)).await;
    }
}
