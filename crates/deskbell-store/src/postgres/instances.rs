//! The Clerk instances that sources were found to belong to.

use async_trait::async_trait;
use sqlx::PgExecutor;

use super::append::text;
use super::pooled_connection::PooledConnection;
use super::store::PostgresStore;
use crate::{Seq, SourceInstance, SourceInstances, StoreError};

#[async_trait]
impl SourceInstances for PostgresStore {
    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError> {
        Ok(find(&*self.pools, source).await?)
    }

    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError> {
        let mut work = self.pools.transaction().await?;
        let kept = pin(work.connection(), source, found).await;
        Ok(work.finish(kept).await?)
    }
}

async fn find(
    executor: impl PgExecutor<'_>,
    source: &str,
) -> Result<Option<SourceInstance>, sqlx::Error> {
    let find = "SELECT instance_id, seq FROM deskbell.source_instances WHERE source = $1";
    let found: Option<(String, i64)> =
        sqlx::query_as(find).bind(source).fetch_optional(executor).await?;
    Ok(found.map(|(instance_id, seq)| SourceInstance { instance_id, since: Seq::new(seq) }))
}

/// Keeps the first one; the one that is kept. Who comes second waits for the first one's commit.
async fn pin(
    connection: &mut PooledConnection,
    source: &str,
    found: &SourceInstance,
) -> Result<SourceInstance, sqlx::Error> {
    sqlx::query(
        "INSERT INTO deskbell.source_instances (source, instance_id, seq) VALUES ($1, $2, $3)
         ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .bind(text(&found.instance_id))
    .bind(found.since.get())
    .execute(&mut *connection)
    .await?;
    find(connection, source).await?.ok_or(sqlx::Error::RowNotFound)
}
