//! The index of subjects: one call of a function in the database.

use async_trait::async_trait;
use sqlx::Row;

use super::PostgresStore;
use super::pooled_connection::PooledConnection;
use crate::{Indexed, StoreError, SubjectIndex};

const INDEX: &str = "SELECT indexed, more FROM deskbell.index_subjects_v1($1)";

#[async_trait]
impl SubjectIndex for PostgresStore {
    async fn index_subjects(&self, events_max: u32) -> Result<Indexed, StoreError> {
        let mut work = self.pools.statement().await?;
        let outcome = index(work.connection(), events_max).await;
        work.finish(outcome).await
    }
}

async fn index(connection: &mut PooledConnection, events_max: u32) -> Result<Indexed, sqlx::Error> {
    let row = sqlx::query(INDEX).bind(i64::from(events_max.max(1))).fetch_one(connection).await?;
    let events = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
    Ok(Indexed { events, more: row.try_get(1)? })
}
