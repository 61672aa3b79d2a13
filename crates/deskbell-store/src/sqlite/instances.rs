//! The Clerk instances that sources were found to belong to.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteExecutor;

use super::store::SqliteStore;
use crate::{Seq, SourceInstance, SourceInstances, StoreError};

pub(super) async fn find(
    executor: impl SqliteExecutor<'_>,
    source: &str,
) -> Result<Option<SourceInstance>, sqlx::Error> {
    let found: Option<(String, i64)> =
        sqlx::query_as("SELECT instance_id, seq FROM source_instances WHERE source = ?1")
            .bind(source)
            .fetch_optional(executor)
            .await?;
    Ok(found.map(|(instance_id, seq)| SourceInstance { instance_id, since: Seq::new(seq) }))
}

/// Keeps the first one; the one that is kept.
pub(super) async fn pin(
    connection: &mut SqliteConnection,
    source: &str,
    found: &SourceInstance,
) -> Result<SourceInstance, sqlx::Error> {
    sqlx::query(
        "INSERT INTO source_instances (source, instance_id, seq) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )
    .bind(source)
    .bind(&found.instance_id)
    .bind(found.since.get())
    .execute(&mut *connection)
    .await?;
    find(connection, source).await?.ok_or(sqlx::Error::RowNotFound)
}

#[async_trait]
impl SourceInstances for SqliteStore {
    async fn source_instance(&self, source: &str) -> Result<Option<SourceInstance>, StoreError> {
        Ok(find(&self.readers, source).await?)
    }

    async fn pin_source_instance(
        &self,
        source: &str,
        found: &SourceInstance,
    ) -> Result<SourceInstance, StoreError> {
        let mut connection = self.connection().await?;
        Ok(pin(&mut connection, source, found).await?)
    }
}
