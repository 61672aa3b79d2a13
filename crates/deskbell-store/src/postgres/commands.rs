//! Commands: `deskbell` beside the running program inserts a row, and the program executes it.

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use crate::rows;
use crate::{Command, CommandId, Commands, QueuedCommand, StoreError};

#[async_trait]
impl Commands for PostgresStore {
    async fn enqueue_command(&self, command: &Command) -> Result<CommandId, StoreError> {
        let number = sqlx::query_scalar(
            "INSERT INTO deskbell.orders (body, placed_at_ms)
             VALUES ($1, coalesce($2::bigint, deskbell.now_ms())) RETURNING number",
        )
        .bind(text(&command.0))
        .bind(self.clock.manual_ms())
        .fetch_one(&*self.pools)
        .await?;
        Ok(CommandId(number))
    }

    async fn next_command(
        &self,
        after: Option<CommandId>,
    ) -> Result<Option<QueuedCommand>, StoreError> {
        let row = sqlx::query(
            "SELECT number, body, outcome, progress FROM deskbell.orders
             WHERE outcome IS NULL AND number > $1 ORDER BY number LIMIT 1",
        )
        .bind(after.map_or(0, |id| id.0))
        .fetch_optional(&*self.pools)
        .await?;
        Ok(row.as_ref().map(rows::queued_command).transpose()?)
    }

    async fn report_progress(&self, id: CommandId, progress: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE deskbell.orders SET progress = $2 WHERE number = $1")
            .bind(id.0)
            .bind(text(progress))
            .execute(&*self.pools)
            .await?;
        Ok(())
    }

    async fn complete_command(&self, id: CommandId, outcome: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE deskbell.orders
             SET outcome = $2, finished_at_ms = coalesce($3::bigint, deskbell.now_ms())
             WHERE number = $1",
        )
        .bind(id.0)
        .bind(text(outcome))
        .bind(self.clock.manual_ms())
        .execute(&*self.pools)
        .await?;
        Ok(())
    }

    async fn find_command(&self, id: CommandId) -> Result<Option<QueuedCommand>, StoreError> {
        let find = "SELECT number, body, outcome, progress FROM deskbell.orders WHERE number = $1";
        let row = sqlx::query(find).bind(id.0).fetch_optional(&*self.pools).await?;
        Ok(row.as_ref().map(rows::queued_command).transpose()?)
    }
}
