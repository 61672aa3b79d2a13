//! The embedded backend: one SQLite file, one writing connection, a pool of readers.

mod append;
mod backup;
mod commands;
mod deliveries;
mod files;
mod instances;
mod leases;
mod lock;
mod migrations;
mod open;
mod read;
mod refusals;
mod retention;
mod subject_events;
mod subject_index;
mod user_refs;
mod writer;

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, watch};

pub use backup::{Backup, BackupError};
use deliveries::Queues;
pub use open::SqliteOpenError;
pub(crate) use open::require_a_file;
use writer::Writer;

use crate::{
    Appended, BackendError, Clock, ConsumerReport, EventLog, FencingToken, Leases, LogId, NewEvent,
    ReadLimit, Seq, SourceInstance, SourceInstances, Store, StoreError, StoredEvent, SubjectEvents,
};

/// The log in one SQLite file. The process that has it open for writing is the only one.
#[derive(Debug)]
pub struct SqliteStore {
    log_id: LogId,
    /// `None` once the store is closed.
    writer: Mutex<Option<Writer>>,
    readers: SqlitePool,
    head: watch::Sender<Seq>,
    clock: Clock,
    queues: Queues,
    /// Whether appends index user references.
    indexes_user_refs: bool,
}

impl SqliteStore {
    /// For reading what the traits do not return.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// The writing connection, once it is free.
    async fn connection(&self) -> Result<MappedMutexGuard<'_, SqliteConnection>, StoreError> {
        let writer = MutexGuard::try_map(self.writer.lock().await, Option::as_mut);
        let mut writer = writer.map_err(|_| StoreError::Closed)?;
        writer.recover().await?;
        writer.files.check().map_err(moved)?;
        Ok(MappedMutexGuard::map(writer, |writer| &mut writer.connection))
    }
}

fn moved(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(BackendError::new(error))
}

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

#[async_trait]
impl Leases for SqliteStore {
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        Ok(leases::next_token(&mut *self.connection().await?, consumer).await?)
    }

    /// The process that has the file open to write is the only one.
    async fn renew_lease(&self, _: &str, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn release_lease(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Nobody else leads it, as with [`renew_lease`](Self::renew_lease).
    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        leases::report(&mut connection, consumer, body, now_ms).await?;
        Ok(true)
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        Ok(leases::read_report(&self.readers, consumer).await?)
    }
}

#[async_trait]
impl SourceInstances for SqliteStore {
    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError> {
        Ok(instances::find(&self.readers, source).await?)
    }

    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError> {
        let mut connection = self.connection().await?;
        Ok(instances::pin(&mut connection, source, found).await?)
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = self.writer.lock().await.take() {
            open::close(writer.connection).await;
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            other => Self::Unavailable(BackendError::new(other)),
        }
    }
}
