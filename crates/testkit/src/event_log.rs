//! A log in front of another one: it passes everything on, and something else happens before a write.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use deskbell_store::{
    Appended, BatchGrowth, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent,
    SubjectEvents,
};
use tokio::sync::watch;

/// What happens before a write.
#[async_trait]
pub trait BeforeWrite: fmt::Debug + Send + Sync + 'static {
    /// Counts an append, holds it up, or refuses it.
    async fn append(&self, batch: &[NewEvent]) -> Result<(), StoreError>;

    /// The same before the log is asked whether it can be written to.
    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The log in front; it is used as what happens before a write.
#[derive(Debug)]
pub struct FrontLog<B> {
    inner: Arc<dyn EventLog>,
    before: B,
}

impl<B> FrontLog<B> {
    #[must_use]
    pub fn new(inner: Arc<dyn EventLog>, before: B) -> Self {
        Self { inner, before }
    }
}

impl<B> Deref for FrontLog<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.before
    }
}

#[async_trait]
impl<B: BeforeWrite> EventLog for FrontLog<B> {
    fn log_id(&self) -> LogId {
        self.inner.log_id()
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        self.before.append(batch).await?;
        self.inner.append(batch).await
    }

    fn prepare(&self, event: &NewEvent) {
        self.inner.prepare(event);
    }

    fn batch_growth(&self) -> BatchGrowth {
        self.inner.batch_growth()
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
        self.before.check()?;
        self.inner.check_writable().await
    }
}
