//! The log: appending to it and reading it.

use async_trait::async_trait;
use tokio::sync::watch;

use super::store::PostgresStore;
use super::{append, check, read, subject_events};
use crate::{
    Appended, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent, SubjectEvents,
};

#[async_trait]
impl EventLog for PostgresStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let mut work = self.pools.append().await?;
        let user_refs_of = self.indexes_user_refs.then_some(self.log_id);
        let manual_ms = self.clock.manual_ms();
        let appended = append::append(work.connection(), batch, manual_ms, user_refs_of).await;
        let appended = work.finish(appended).await?;
        let head = appended.iter().map(|one| one.seq()).max().unwrap_or_default();
        self.wake.appended(head);
        Ok(appended)
    }

    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        read::events(&self.pools, after, limit).await
    }

    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError> {
        read::message_id_at(&self.pools, seq).await
    }

    async fn find(
        &self,
        source: &str,
        message_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        read::find(&self.pools, source, message_id).await
    }

    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        let mut work = self.pools.statement().await?;
        let page = subject_events::find(work.connection(), subject, before, limit).await;
        work.finish(page).await
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        read::head(&self.pools).await
    }

    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError> {
        read::first_received_since(&self.pools, at_ms).await
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.wake.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        check::judge(self.clock_skew().await?)?;
        let mut work = self.pools.statement().await?;
        let written = check::write_a_mark(work.connection(), self.clock.manual_ms()).await;
        work.finish(written).await
    }
}
