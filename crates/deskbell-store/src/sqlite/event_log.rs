//! The log: appending to it and reading it.

use async_trait::async_trait;
use tokio::sync::watch;

use super::store::{SqliteStore, moved};
use super::{append, leases, read, subject_events};
use crate::{
    Appended, EventLog, LogId, NewEvent, ReadLimit, Seq, StoreError, StoredEvent, SubjectEvents,
};

#[async_trait]
impl EventLog for SqliteStore {
    fn log_id(&self) -> LogId {
        self.log_id
    }

    async fn append(&self, batch: &[NewEvent]) -> Result<Vec<Appended>, StoreError> {
        let mut writer = self.writer.lock().await;
        let writer = writer.as_mut().ok_or(StoreError::Closed)?;
        writer.recover().await?;
        let head = match writer.head.take() {
            Some(head) => head,
            None => read::head(&mut writer.connection).await?,
        };
        let user_refs_of = self.indexes_user_refs.then_some(self.log_id);
        let now_ms = self.clock.now_ms();
        let appended =
            append::append(&mut writer.connection, head, batch, now_ms, user_refs_of).await?;
        let head = appended.iter().map(|appended| appended.seq()).fold(head, Seq::max);
        writer.head = Some(head);
        // Only now: a file that was moved before the commit has what nobody will find.
        writer.files.check().map_err(moved)?;
        self.head.send_replace(head);
        Ok(appended)
    }

    async fn read(&self, after: Seq, limit: ReadLimit) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(read::events(&self.readers, after, limit).await?)
    }

    async fn message_id_at(&self, seq: Seq) -> Result<Option<String>, StoreError> {
        Ok(read::message_id_at(&self.readers, seq).await?)
    }

    async fn find(
        &self,
        source: &str,
        message_id: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        Ok(read::find(&self.readers, source, message_id).await?)
    }

    async fn events_by_subject(
        &self,
        subject: &str,
        before: Option<Seq>,
        limit: ReadLimit,
    ) -> Result<SubjectEvents, StoreError> {
        Ok(subject_events::find(&self.readers, subject, before, limit).await?)
    }

    async fn head(&self) -> Result<Seq, StoreError> {
        Ok(read::head(&self.readers).await?)
    }

    async fn first_received_since(&self, at_ms: i64) -> Result<Seq, StoreError> {
        Ok(read::first_received_since(&self.readers, at_ms).await?)
    }

    fn subscribe(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    async fn check_writable(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Ok(leases::write_a_mark(&mut connection, self.clock.now_ms()).await?)
    }
}
