//! Commands: `deskbell` beside the running program inserts a row, and the program executes it.

use std::path::Path;

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::open::{self, SqliteOpenError};
use super::{SqliteStore, open::BUSY_TIMEOUT};
use crate::rows;
use crate::{Clock, Command, CommandId, Commands, QueuedCommand, StoreError};

impl SqliteStore {
    /// Enqueues a command in the store in this file, also while another process has it open. The
    /// store is left as it is otherwise: it is neither made nor migrated.
    ///
    /// # Errors
    /// [`SqliteOpenError`]: there is no such file, it is not a store, it is of another version
    /// than this program's, or it could not be written to. Nothing was enqueued.
    pub async fn enqueue_command_at(
        path: &Path,
        command: &Command,
    ) -> Result<CommandId, SqliteOpenError> {
        open::require_this_version(path).await?;
        insert_beside(path, command).await.map_err(SqliteOpenError::database(path))
    }
}

#[async_trait]
impl Commands for SqliteStore {
    async fn enqueue_command(&self, command: &Command) -> Result<CommandId, StoreError> {
        let mut connection = self.connection().await?;
        Ok(insert(&mut connection, command, &self.clock).await?)
    }

    async fn next_command(
        &self,
        after: Option<CommandId>,
    ) -> Result<Option<QueuedCommand>, StoreError> {
        let next = "SELECT number, body, outcome, progress FROM orders
                    WHERE outcome IS NULL AND number > ?1 ORDER BY number LIMIT 1";
        let after = after.map_or(0, |id| id.0);
        let row = sqlx::query(next).bind(after).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(rows::queued_command).transpose()?)
    }

    async fn report_progress(&self, id: CommandId, progress: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE orders SET progress = ?2 WHERE number = ?1")
            .bind(id.0)
            .bind(progress)
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }

    async fn complete_command(&self, id: CommandId, outcome: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE orders SET outcome = ?2, finished_at_ms = ?3 WHERE number = ?1")
            .bind(id.0)
            .bind(outcome)
            .bind(self.clock.now_ms())
            .execute(&mut *self.connection().await?)
            .await?;
        Ok(())
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<QueuedCommand>, StoreError> {
        let find = "SELECT number, body, outcome, progress FROM orders WHERE number = ?1";
        let row = sqlx::query(find).bind(id.0).fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(rows::queued_command).transpose()?)
    }
}

async fn insert_beside(path: &Path, command: &Command) -> Result<CommandId, sqlx::Error> {
    // The process that has the store open copies the write-ahead log; this one keeps off.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("synchronous", "FULL")
        .pragma("wal_autocheckpoint", "0");
    let mut connection = options.connect().await?;
    let id = insert(&mut connection, command, &Clock::default()).await?;
    connection.close().await?;
    Ok(id)
}

async fn insert(
    connection: &mut SqliteConnection,
    command: &Command,
    clock: &Clock,
) -> Result<CommandId, sqlx::Error> {
    let number = sqlx::query_scalar(
        "INSERT INTO orders (body, placed_at_ms) VALUES (?1, ?2) RETURNING number",
    )
    .bind(&command.0)
    .bind(clock.now_ms())
    .fetch_one(connection)
    .await?;
    Ok(CommandId(number))
}
