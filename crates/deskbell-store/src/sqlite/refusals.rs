//! Counts of refused requests.

use async_trait::async_trait;

use super::SqliteStore;
use super::json::json;
use crate::refusals::{Refusals, Refused};
use crate::{StoreError, rows};

#[async_trait]
impl Refusals for SqliteStore {
    async fn add_refused(&self, counts: &[Refused]) -> Result<(), StoreError> {
        let rows: Vec<_> =
            counts.iter().map(|one| (&one.source, &one.cause, one.requests)).collect();
        let mut connection = self.connection().await?;
        sqlx::query(
            "INSERT INTO refused_requests (source, cause, requests)
             SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1) WHERE true
             ON CONFLICT (source, cause) DO UPDATE
             SET requests = refused_requests.requests + excluded.requests",
        )
        .bind(json(&rows)?)
        .execute(&mut *connection)
        .await?;
        Ok(())
    }

    async fn refused(&self) -> Result<Vec<Refused>, StoreError> {
        let all = "SELECT source, cause, requests FROM refused_requests ORDER BY source, cause";
        let rows = sqlx::query(all).fetch_all(&self.readers).await?;
        rows::each(&rows, rows::refused)
    }
}
