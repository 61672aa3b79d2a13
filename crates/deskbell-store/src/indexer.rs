//! The indexer: notes which events are about which subject, after they have been acknowledged, so
//! that the newest about one are found in a log of any length.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{Indexed, Leader, Seq, StoreError, SubjectIndex, run_as_leader};

/// The indexer's name among the log's consumers.
const CONSUMER: &str = "indexer";
/// Events in one transaction; those who wait for SQLite's writer wait for as long as it takes.
const EVENTS_MAX: u32 = 100;
/// How long events gather before they are indexed. Those that are not yet are found all the same.
const GATHER: Duration = Duration::from_secs(1);
/// Between two transactions: at least so long, and so many times as long as the one before took.
/// The database is everybody else's for nine tenths of the time, however slow it is; and each event
/// writes to another page of the index, so that a fast one would be busy with its journal.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_SHARE: u32 = 9;
/// Before the next try, after one that failed.
const RETRY: Duration = Duration::from_secs(5);

/// Indexes one store.
#[derive(Debug)]
pub struct SubjectIndexer {
    store: Arc<dyn SubjectIndex>,
}

impl SubjectIndexer {
    /// An indexer of this store.
    #[must_use]
    pub fn new(store: Arc<dyn SubjectIndex>) -> Self {
        Self { store }
    }

    /// Indexes what comes, and what is there, until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, CONSUMER, &shutdown, &mut self).await;
    }

    /// Indexes all that there is, a batch at a time.
    async fn index_all(&self) -> Result<(), StoreError> {
        loop {
            let began = Instant::now();
            match self.store.index_subjects(EVENTS_MAX).await? {
                Indexed { more: false, .. } => return Ok(()),
                // Somebody prunes just now, or another process is not done with its last batch.
                Indexed { events: 0, .. } => sleep(GATHER).await,
                _ => sleep(PAUSE_MIN.max(began.elapsed() * PAUSE_SHARE)).await,
            }
        }
    }

    async fn follow(&self) {
        let mut head = self.store.subscribe();
        let mut indexed = Seq::ZERO;
        let mut was_indexed = true;
        while let Some(wanted) = behind(&mut head, indexed).await {
            sleep(GATHER).await;
            match self.index_all().await {
                Ok(()) => {
                    indexed = wanted;
                    was_indexed = true;
                }
                Err(error) => {
                    // Said once, however often it is tried until the store is back.
                    if was_indexed {
                        let error = &error as &dyn Error;
                        tracing::warn!(error, "failed to index events; retrying");
                    }
                    was_indexed = false;
                    sleep(RETRY).await;
                }
            }
        }
    }
}

/// Where the log ends, once that is behind `indexed`; `None` where the store is no more.
async fn behind(head: &mut watch::Receiver<Seq>, indexed: Seq) -> Option<Seq> {
    head.wait_for(|head| *head > indexed).await.ok().map(|head| *head)
}

#[async_trait]
impl Leader for SubjectIndexer {
    /// Cut off wherever it is: a batch that was not committed is indexed again.
    async fn lead(&mut self, shutdown: CancellationToken) {
        shutdown.run_until_cancelled(self.follow()).await;
    }
}
