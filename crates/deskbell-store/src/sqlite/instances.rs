//! The Clerk instances that sources were found to belong to.

use async_trait::async_trait;
use sqlx::sqlite::SqliteExecutor;

use super::store::SqliteStore;
use crate::{Seq, SourceInstance, SourceInstances, StoreError};

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
        sqlx::query(
            "INSERT INTO source_instances (source, instance_id, seq) VALUES (?1, ?2, ?3)
             ON CONFLICT DO NOTHING",
        )
        .bind(source)
        .bind(&found.instance_id)
        .bind(found.since.get())
        .execute(&mut *connection)
        .await?;
        Ok(find(&mut *connection, source).await?.ok_or(sqlx::Error::RowNotFound)?)
    }
}

async fn find(
    executor: impl SqliteExecutor<'_>,
    source: &str,
) -> Result<Option<SourceInstance>, sqlx::Error> {
    let find = "SELECT instance_id, seq FROM source_instances WHERE source = ?1";
    let found: Option<(String, i64)> =
        sqlx::query_as(find).bind(source).fetch_optional(executor).await?;
    Ok(found.map(|(instance_id, seq)| SourceInstance { instance_id, since: Seq::new(seq) }))
}
