//! Endpoints that were made through the admin API. A change is a function in the database, in
//! `migrations/0016_endpoints.sql`.

use async_trait::async_trait;

use super::PostgresStore;
use super::append::text;
use crate::{StoreError, StoredEndpoint, StoredEndpoints, rows};

/// One statement, so that the endpoints are those of the revision.
const ALL: &str = "SELECT revision, id, settings, sealed, created_at_ms, updated_at_ms, version
     FROM deskbell.endpoints_revision LEFT JOIN deskbell.endpoints ON true ORDER BY id";

#[async_trait]
impl StoredEndpoints for PostgresStore {
    async fn endpoints_revision(&self) -> Result<i64, StoreError> {
        let revision = sqlx::query_scalar("SELECT revision FROM deskbell.endpoints_revision");
        Ok(revision.fetch_one(&*self.pools).await?)
    }

    async fn stored_endpoints(&self) -> Result<(i64, Vec<StoredEndpoint>), StoreError> {
        let rows = sqlx::query(ALL).fetch_all(&*self.pools).await?;
        Ok(rows::stored_endpoints(&rows)?)
    }

    async fn put_endpoint(&self, endpoint: &StoredEndpoint) -> Result<bool, StoreError> {
        let put = sqlx::query_scalar("SELECT deskbell.put_endpoint_v1($1, $2, $3, $4, $5)")
            .bind(self.clock.manual_ms())
            .bind(text(&endpoint.id))
            .bind(text(&endpoint.settings))
            .bind(&endpoint.sealed)
            .bind(endpoint.version);
        Ok(put.fetch_one(&*self.pools).await?)
    }

    async fn delete_endpoint(&self, id: &str) -> Result<bool, StoreError> {
        let delete = sqlx::query_scalar("SELECT deskbell.delete_endpoint_v1($1)").bind(text(id));
        Ok(delete.fetch_one(&*self.pools).await?)
    }

    async fn paused_mirrors(&self) -> Result<Vec<String>, StoreError> {
        let all = sqlx::query_scalar("SELECT name FROM deskbell.paused_mirrors ORDER BY name");
        Ok(all.fetch_all(&*self.pools).await?)
    }

    async fn set_mirror_paused(&self, name: &str, is_paused: bool) -> Result<(), StoreError> {
        sqlx::query("SELECT deskbell.set_mirror_paused_v1($1, $2)")
            .bind(text(name))
            .bind(is_paused)
            .execute(&*self.pools)
            .await?;
        Ok(())
    }
}
