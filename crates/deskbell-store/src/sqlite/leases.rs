//! Fencing tokens, and what each consumer reports.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqliteConnection;

use super::store::SqliteStore;
use crate::{ConsumerReport, FencingToken, Leases, StoreError};

#[async_trait]
impl Leases for SqliteStore {
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        let token = sqlx::query_scalar(
            "INSERT INTO consumers (name, token) VALUES (?1, 1)
             ON CONFLICT (name) DO UPDATE SET token = token + 1
             RETURNING token",
        )
        .bind(consumer)
        .fetch_one(&mut *self.connection().await?)
        .await?;
        Ok(FencingToken::new(token))
    }

    /// The process that has the file open to write is the only one.
    async fn renew_lease(&self, _: &str, _: Duration) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn release_lease(&self, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    /// Nobody else leads it, as with [`renew_lease`](Self::renew_lease).
    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError> {
        sqlx::query(
            "INSERT INTO consumer_reports (name, body, reported_at_ms) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE
             SET body = excluded.body, reported_at_ms = excluded.reported_at_ms",
        )
        .bind(consumer)
        .bind(body)
        .bind(self.clock.now_ms())
        .execute(&mut *self.connection().await?)
        .await?;
        Ok(true)
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        let find = "SELECT body, reported_at_ms FROM consumer_reports WHERE name = ?1";
        let found: Option<(String, i64)> =
            sqlx::query_as(find).bind(consumer).fetch_optional(&self.readers).await?;
        Ok(found.map(|(body, at_ms)| ConsumerReport { body, at_ms }))
    }
}

/// Whether nobody has become this consumer since the token was given out.
pub(super) async fn is_newest(
    connection: &mut SqliteConnection,
    consumer: &str,
    token: FencingToken,
) -> Result<bool, sqlx::Error> {
    let newest: Option<i64> = sqlx::query_scalar("SELECT token FROM consumers WHERE name = ?1")
        .bind(consumer)
        .fetch_optional(connection)
        .await?;
    Ok(newest == Some(token.get()))
}
