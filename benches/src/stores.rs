//! Stores around the real one: one that forgets everything, and one that counts commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use deskbell_store::{
    Appended, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent, SubjectEvents,
};
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

/// Passes everything on, and counts how the writer batches.
#[derive(Debug)]
pub(crate) struct CountingStore {
    inner: Arc<dyn EventLog>,
    commits: AtomicU64,
    events: AtomicU64,
}

impl CountingStore {
    pub(crate) fn new(inner: Arc<dyn EventLog>) -> Self {
        Self { inner, commits: AtomicU64::new(0), events: AtomicU64::new(0) }
    }

    /// Commits and the events in them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl EventLog for CountingStore {
    fn log_id(&self) -> LogId {
        self.inner.log_id()
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(batch.len() as u64, Ordering::Relaxed);
        self.inner.append(batch).await
    }

    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        self.inner.read(after, limit).await
    }

    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError> {
        self.inner.message_id_at(seq).await
    }

    async fn find(
        &self,
        source: &str,
        message_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        self.inner.find(source, message_id).await
    }

    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        self.inner.events_by_subject(subject, before, limit).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.inner.head().await
    }

    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError> {
        self.inner.first_received_since(at_ms).await
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.inner.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        self.inner.check_writable().await
    }
}
