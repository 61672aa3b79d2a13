//! Small writes beside the log: fencing tokens, reports, and the mark that shows that writing works.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::{SqliteConnection, SqlitePool};

use super::store::SqliteStore;
use crate::{ConsumerReport, FencingToken, Leases, StoreError};

/// Gives out the next token for this consumer.
pub(super) async fn next_token(
    connection: &mut SqliteConnection,
    consumer: &str,
) -> Result<FencingToken, sqlx::Error> {
    let token = sqlx::query_scalar(
        "INSERT INTO consumers (name, token) VALUES (?1, 1)
         ON CONFLICT (name) DO UPDATE SET token = token + 1
         RETURNING token",
    )
    .bind(consumer)
    .fetch_one(connection)
    .await?;
    Ok(FencingToken::new(token))
}

/// Commits a change to one row, to see whether the disk takes it.
pub(super) async fn write_a_mark(
    connection: &mut SqliteConnection,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE log SET checked_at_ms = ?1").bind(now_ms).execute(connection).await?;
    Ok(())
}

/// Replaces a consumer's report.
pub(super) async fn report(
    connection: &mut SqliteConnection,
    consumer: &str,
    body: &str,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO consumer_reports (name, body, reported_at_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO UPDATE
         SET body = excluded.body, reported_at_ms = excluded.reported_at_ms",
    )
    .bind(consumer)
    .bind(body)
    .bind(now_ms)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn read_report(
    readers: &SqlitePool,
    consumer: &str,
) -> Result<Option<ConsumerReport>, sqlx::Error> {
    let found: Option<(String, i64)> =
        sqlx::query_as("SELECT body, reported_at_ms FROM consumer_reports WHERE name = ?1")
            .bind(consumer)
            .fetch_optional(readers)
            .await?;
    Ok(found.map(|(body, at_ms)| ConsumerReport { body, at_ms }))
}

#[async_trait]
impl Leases for SqliteStore {
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        Ok(next_token(&mut *self.connection().await?, consumer).await?)
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
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        report(&mut connection, consumer, body, now_ms).await?;
        Ok(true)
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        Ok(read_report(&self.readers, consumer).await?)
    }
}
