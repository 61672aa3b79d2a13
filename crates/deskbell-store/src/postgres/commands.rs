//! Commands: `deskbell` beside the running program inserts a row, and the program executes it.

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use super::pooled_connection::PooledConnection;
use crate::rows;
use crate::{Command, CommandId, Commands, QueuedCommand, StoreError};

impl PostgresStore {
    /// Enqueues a command for whichever process executes commands.
    ///
    /// # Errors
    /// Nothing was enqueued.
    pub async fn enqueue_command(&self, command: &Command) -> Result<CommandId, StoreError> {
        let mut work = self.pools.statement().await?;
        let inserted = insert(work.connection(), command, self.clock.manual_ms()).await;
        work.finish(inserted).await
    }
}

#[async_trait]
impl Commands for PostgresStore {
    async fn next_command(&self) -> Result<Option<QueuedCommand>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = next(work.connection()).await;
        work.finish(outcome).await
    }

    async fn complete_command(&self, id: CommandId, outcome: &str) -> Result<(), StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let finished = complete(work.connection(), id, outcome, manual_ms).await;
        work.finish(finished).await
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<QueuedCommand>, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = find(work.connection(), id).await;
        work.finish(outcome).await
    }
}

async fn insert(
    connection: &mut PooledConnection,
    command: &Command,
    manual_ms: Option<i64>,
) -> Result<CommandId, sqlx::Error> {
    let number = sqlx::query_scalar(
        "INSERT INTO deskbell.orders (body, placed_at_ms)
         VALUES ($1, coalesce($2::bigint, deskbell.now_ms())) RETURNING number",
    )
    .bind(text(&command.0))
    .bind(manual_ms)
    .fetch_one(connection)
    .await?;
    Ok(CommandId(number))
}

pub(super) async fn next(
    connection: &mut PooledConnection,
) -> Result<Option<QueuedCommand>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT number, body, outcome FROM deskbell.orders
         WHERE outcome IS NULL ORDER BY number LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(rows::queued_command).transpose()
}

pub(super) async fn find(
    connection: &mut PooledConnection,
    id: CommandId,
) -> Result<Option<QueuedCommand>, sqlx::Error> {
    let row = sqlx::query("SELECT number, body, outcome FROM deskbell.orders WHERE number = $1")
        .bind(id.0)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(rows::queued_command).transpose()
}

pub(super) async fn complete(
    connection: &mut PooledConnection,
    id: CommandId,
    outcome: &str,
    manual_ms: Option<i64>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE deskbell.orders
         SET outcome = $2, finished_at_ms = coalesce($3::bigint, deskbell.now_ms())
         WHERE number = $1",
    )
    .bind(id.0)
    .bind(text(outcome))
    .bind(manual_ms)
    .execute(connection)
    .await?;
    Ok(())
}
