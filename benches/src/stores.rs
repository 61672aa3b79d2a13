//! A store that forgets everything, and what counts commits before the real one.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use deskbell_store::{
    Appended, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent, SubjectEvents,
};
use testkit::BeforeWrite;
use tokio::sync::watch;

/// Numbers events and forgets them: what is left of ingest's cost is the server's.
#[derive(Debug)]
pub(crate) struct DiscardingStore {
    log_id: LogId,
    head: AtomicI64,
    moved: watch::Sender<Seq>,
}

impl DiscardingStore {
    pub(crate) fn new() -> Self {
        Self {
            log_id: LogId::random(),
            head: AtomicI64::new(0),
            moved: watch::Sender::new(Seq::ZERO),
        }
    }
}

#[async_trait]
impl EventLog for DiscardingStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        let appended = batch.iter().map(|_| {
            let seq = self.head.fetch_add(1, Ordering::Relaxed) + 1;
            Appended::New(Seq::new(seq))
        });
        Ok(appended.collect())
    }

    async fn read(&self, _: Seq, _: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(Vec::new())
    }

    async fn message_id_at(&self, _: Seq) -> Result<Option<String>, StoreError> {
        Ok(None)
    }

    async fn find(&self, _: &str, _: &str) -> Result<Option<StoredEvent>, StoreError> {
        Ok(None)
    }

    async fn events_by_subject(
        &self,
        _: &str,
        _: Option<Seq>,
        _: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        Ok(SubjectEvents { events: Vec::new(), older: None })
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(Seq::new(self.head.load(Ordering::Relaxed)))
    }

    async fn first_received_since(&self, _: i64) -> Result<Seq, StoreError> {
        Ok(Seq::ZERO)
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.moved.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Counts how the writer batches.
#[derive(Debug, Default)]
pub(crate) struct Commits {
    commits: AtomicU64,
    events: AtomicU64,
}

impl Commits {
    /// Commits and the events in them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl BeforeWrite for Commits {
    async fn append(&self, batch: &[NewEvent]) -> Result<(), StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}
