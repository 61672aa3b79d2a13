//! Endpoints that were made through the admin API.

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};

use super::SqliteStore;
use crate::{StoreError, StoredEndpoint, StoredEndpoints, rows};

/// One statement, so that the endpoints are those of the revision.
const ALL: &str = "SELECT revision, id, settings, sealed, created_at_ms, updated_at_ms, version
     FROM endpoints_revision LEFT JOIN endpoints ORDER BY id";

const CREATE: &str = "INSERT INTO endpoints
         (id, settings, sealed, version, created_at_ms, updated_at_ms)
     VALUES (?1, ?2, ?3, ?4, ?5, ?5) ON CONFLICT (id) DO NOTHING";

const CHANGE: &str = "UPDATE endpoints
     SET settings = ?2, sealed = ?3, version = ?4, updated_at_ms = ?5
     WHERE id = ?1 AND version = ?6";

const PAUSE: &str = "INSERT INTO paused_mirrors (name) VALUES (?1) ON CONFLICT (name) DO NOTHING";
const RESUME: &str = "DELETE FROM paused_mirrors WHERE name = ?1";

#[async_trait]
impl StoredEndpoints for SqliteStore {
    async fn endpoints_revision(&self) -> Result<i64, StoreError> {
        let revision = sqlx::query_scalar("SELECT revision FROM endpoints_revision");
        Ok(revision.fetch_one(&self.readers).await?)
    }

    async fn stored_endpoints(&self) -> Result<(i64, Vec<StoredEndpoint>), StoreError> {
        let rows = sqlx::query(ALL).fetch_all(&self.readers).await?;
        Ok(rows::stored_endpoints(&rows)?)
    }

    async fn put_endpoint(&self, endpoint: &StoredEndpoint) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        Ok(put(&mut connection, endpoint, self.clock.now_ms()).await?)
    }

    async fn delete_endpoint(&self, id: &str) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        next_revision(&mut transaction).await?;
        let delete = sqlx::query("DELETE FROM endpoints WHERE id = ?1").bind(id);
        let deleted = delete.execute(&mut *transaction).await?.rows_affected() == 1;
        if deleted {
            transaction.commit().await?;
        } else {
            transaction.rollback().await?;
        }
        Ok(deleted)
    }

    async fn paused_mirrors(&self) -> Result<Vec<String>, StoreError> {
        let all = sqlx::query_scalar("SELECT name FROM paused_mirrors ORDER BY name");
        Ok(all.fetch_all(&self.readers).await?)
    }

    async fn set_mirror_paused(&self, name: &str, is_paused: bool) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        next_revision(&mut transaction).await?;
        let change = sqlx::query(if is_paused { PAUSE } else { RESUME }).bind(name);
        change.execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn put(
    connection: &mut SqliteConnection,
    endpoint: &StoredEndpoint,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let revision = next_revision(&mut transaction).await?;
    let is_new = endpoint.version == 0;
    let mut put = sqlx::query(if is_new { CREATE } else { CHANGE })
        .bind(&endpoint.id)
        .bind(&endpoint.settings)
        .bind(&endpoint.sealed)
        .bind(revision)
        .bind(now_ms);
    if !is_new {
        put = put.bind(endpoint.version);
    }
    let done = put.execute(&mut *transaction).await?.rows_affected() == 1;
    if done {
        transaction.commit().await?;
    } else {
        transaction.rollback().await?;
    }
    Ok(done)
}

/// It takes effect with the change.
async fn next_revision(connection: &mut SqliteConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("UPDATE endpoints_revision SET revision = revision + 1 RETURNING revision")
        .fetch_one(connection)
        .await
}
