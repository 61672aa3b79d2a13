//! Commands: `deskbell` beside the running program inserts a row, and the program executes it.

use std::path::Path;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};

use super::open::{self, SqliteOpenError};
use super::{SqliteStore, open::BUSY_TIMEOUT};
use crate::rows;
use crate::{BackendError, Clock, Command, CommandId, Commands, QueuedCommand, StoreError};

impl SqliteStore {
    /// Enqueues a command in the store in this file, also while another process has it open. The
    /// store is left as it is otherwise: it is neither made nor migrated.
    ///
    /// # Errors
    /// [`SqliteOpenError`]: there is no such file, it is not a store, it is of another version
    /// than this program's, or it could not be written to. Nothing was enqueued.
    pub async fn enqueue_command(
        path: &Path,
        command: &Command,
    ) -> Result<CommandId, SqliteOpenError> {
        open::require_this_version(path).await?;
        insert(path, command).await.map_err(|error| SqliteOpenError::Database {
            path: path.to_owned(),
            source: BackendError::new(error),
        })
    }
}

#[async_trait]
impl Commands for SqliteStore {
    async fn next_command(&self) -> Result<Option<QueuedCommand>, StoreError> {
        Ok(next(&self.readers).await?)
    }

    async fn complete_command(&self, id: CommandId, outcome: &str) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Ok(complete(&mut connection, id, outcome, self.clock.now_ms()).await?)
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<QueuedCommand>, StoreError> {
        Ok(find(&self.readers, id).await?)
    }
}

async fn insert(path: &Path, command: &Command) -> Result<CommandId, sqlx::Error> {
    // The process that has the store open copies the write-ahead log; this one keeps off.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("synchronous", "FULL")
        .pragma("wal_autocheckpoint", "0");
    let mut connection = options.connect().await?;
    let number = sqlx::query_scalar(
        "INSERT INTO orders (body, placed_at_ms) VALUES (?1, ?2) RETURNING number",
    )
    .bind(&command.0)
    .bind(Clock::default().now_ms())
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(CommandId(number))
}

pub(super) async fn next(readers: &SqlitePool) -> Result<Option<QueuedCommand>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT number, body, outcome FROM orders WHERE outcome IS NULL ORDER BY number LIMIT 1",
    )
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(rows::queued_command).transpose()
}

pub(super) async fn find(
    readers: &SqlitePool,
    id: CommandId,
) -> Result<Option<QueuedCommand>, sqlx::Error> {
    let row = sqlx::query("SELECT number, body, outcome FROM orders WHERE number = ?1")
        .bind(id.0)
        .fetch_optional(readers)
        .await?;
    row.as_ref().map(rows::queued_command).transpose()
}

pub(super) async fn complete(
    connection: &mut SqliteConnection,
    id: CommandId,
    outcome: &str,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE orders SET outcome = ?2, finished_at_ms = ?3 WHERE number = ?1")
        .bind(id.0)
        .bind(outcome)
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(())
}
