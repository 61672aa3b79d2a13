//! Stores around the real one: one that forgets everything, and one that counts commits.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{
    Appended, ConsumerReport, EventsAbout, FencingToken, LogId, NewEvent, ReadLimit, ReplayRequest,
    Seq, SourceInstance, Store, StoreError, StoredEvent,
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
impl Store for DiscardingStore {
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

    async fn about(
        &self,
        _: &str,
        _: Option<Seq>,
        _: ReadLimit,
    ) -> Result<EventsAbout, StoreError> {
        Ok(EventsAbout { events: Vec::new(), older: None })
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(Seq::new(self.head.load(Ordering::Relaxed)))
    }

    async fn publish_report(&self, _: &str, _: &str) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn latest_report(&self, _: &str) -> Result<Option<ConsumerReport>, StoreError> {
        Ok(None)
    }

    async fn replay_requests(&self, _: i64, _: u32) -> Result<Vec<ReplayRequest>, StoreError> {
        Ok(Vec::new())
    }

    async fn next_fencing_token(&self, _: &str) -> Result<FencingToken, StoreError> {
        Ok(FencingToken::new(1))
    }

    async fn renew_lease(&self, _: &str, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn release_lease(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn source_instance(&self, _: &str) -> Result<Option<SourceInstance>, StoreError> {
        Ok(None)
    }

    async fn pin_source_instance(
        &self,
        _: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError> {
        Ok(found.clone())
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.moved.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn close(&self) {}
}

/// Passes everything on, and counts how the writer batches.
#[derive(Debug)]
pub(crate) struct CountingStore {
    inner: Arc<dyn Store>,
    commits: AtomicU64,
    events: AtomicU64,
}

impl CountingStore {
    pub(crate) fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, commits: AtomicU64::new(0), events: AtomicU64::new(0) }
    }

    /// Commits and the events in them.
    pub(crate) fn counts(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Relaxed), self.events.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Store for CountingStore {
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

    async fn about(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<EventsAbout, StoreError> {
        self.inner.about(subject, before, limit).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        self.inner.head().await
    }

    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError> {
        self.inner.publish_report(consumer, body).await
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        self.inner.latest_report(consumer).await
    }

    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError> {
        self.inner.replay_requests(after, requests_max).await
    }

    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        self.inner.next_fencing_token(consumer).await
    }

    async fn renew_lease(&self, consumer: &str, lease: Duration) -> Result<bool, StoreError> {
        self.inner.renew_lease(consumer, lease).await
    }

    async fn release_lease(&self, consumer: &str) -> Result<(), StoreError> {
        self.inner.release_lease(consumer).await
    }

    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError> {
        self.inner.source_instance(source).await
    }

    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError> {
        self.inner.pin_source_instance(source, found).await
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.inner.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        self.inner.check_writable().await
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
