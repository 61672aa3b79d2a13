//! Counts of refused requests.

use async_trait::async_trait;

use super::PostgresStore;
use crate::refusals::{Refusals, Refused};
use crate::{StoreError, rows};

/// In the order of the key, so that processes that add at the same time do not lock each other out.
const ADD: &str = "INSERT INTO deskbell.refused_requests (source, cause, requests)
     SELECT source, cause, requests FROM unnest($1::text[], $2::text[], $3::bigint[])
         AS added (source, cause, requests) ORDER BY source COLLATE \"C\", cause COLLATE \"C\"
     ON CONFLICT (source, cause) DO UPDATE
     SET requests = refused_requests.requests + excluded.requests";

#[async_trait]
impl Refusals for PostgresStore {
    async fn add_refused(&self, counts: &[Refused]) -> Result<(), StoreError> {
        let column = |of: fn(&Refused) -> &str| counts.iter().map(of).collect::<Vec<_>>();
        let requests: Vec<_> =
            counts.iter().map(|one| i64::try_from(one.requests).unwrap_or(i64::MAX)).collect();
        sqlx::query(ADD)
            .bind(column(|one| &one.source))
            .bind(column(|one| &one.cause))
            .bind(requests)
            .execute(&*self.pools)
            .await?;
        Ok(())
    }

    async fn refused(&self) -> Result<Vec<Refused>, StoreError> {
        let all = "SELECT source, cause, requests FROM deskbell.refused_requests
                   ORDER BY source, cause";
        let rows = sqlx::query(all).fetch_all(&*self.pools).await?;
        rows::each(&rows, rows::refused)
    }
}
