//! The store in a SQLite file as the process has it open.

use sqlx::{SqliteConnection, SqlitePool};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, watch};

use super::queues::Queues;
use super::writer::Writer;
use crate::{BackendError, Clock, LogId, Seq, StoreError};

/// The log in one SQLite file. The process that has it open for writing is the only one.
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) log_id: LogId,
    /// `None` once the store is closed.
    pub(super) writer: Mutex<Option<Writer>>,
    pub(super) readers: SqlitePool,
    pub(super) head: watch::Sender<Seq>,
    pub(super) clock: Clock,
    pub(super) queues: Queues,
    /// Whether appends index user references.
    pub(super) indexes_user_refs: bool,
}

impl SqliteStore {
    /// For reading what the traits do not return.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// The writing connection, once it is free.
    pub(super) async fn connection(
        &self,
    ) -> Result<MappedMutexGuard<'_, SqliteConnection>, StoreError> {
        let writer = MutexGuard::try_map(self.writer.lock().await, Option::as_mut);
        let mut writer = writer.map_err(|_| StoreError::Closed)?;
        writer.recover().await?;
        writer.files.check().map_err(moved)?;
        Ok(MappedMutexGuard::map(writer, |writer| &mut writer.connection))
    }
}

pub(super) fn moved(error: std::io::Error) -> StoreError {
    StoreError::Unavailable(BackendError::new(error))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolClosed => Self::Closed,
            other => Self::Unavailable(BackendError::new(other)),
        }
    }
}
