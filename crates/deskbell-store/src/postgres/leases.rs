//! Leases by the database's clock, fencing tokens, and what each consumer reports.

use std::time::Duration;

use async_trait::async_trait;

use super::append::text;
use super::pooled_connection::PooledConnection;
use super::store::PostgresStore;
use crate::clock::whole_ms;
use crate::{ConsumerReport, FencingToken, Leases, StoreError};

/// Gives out the next token for this consumer; `None` if another replica holds the lease.
pub(super) async fn next_token(
    connection: &mut PooledConnection,
    consumer: &str,
    replica: &str,
    manual_ms: Option<i64>,
) -> Result<Option<FencingToken>, sqlx::Error> {
    let token = sqlx::query_scalar(
        "INSERT INTO deskbell.consumers AS c (name, token) VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET token = c.token + 1
         WHERE c.holder IS NULL OR c.holder = $2
            OR c.held_until_ms <= coalesce($3, deskbell.now_ms())
         RETURNING token",
    )
    .bind(consumer)
    .bind(replica)
    .bind(manual_ms)
    .fetch_optional(connection)
    .await?;
    Ok(token.map(FencingToken::new))
}

/// Takes or renews the lease, unless another replica holds it.
pub(super) async fn renew(
    connection: &mut PooledConnection,
    consumer: &str,
    replica: &str,
    lease: Duration,
    manual_ms: Option<i64>,
) -> Result<bool, sqlx::Error> {
    let held = sqlx::query(
        "INSERT INTO deskbell.consumers AS c (name, token, holder, held_until_ms)
         VALUES ($1, 0, $2, coalesce($3, deskbell.now_ms()) + $4)
         ON CONFLICT (name) DO UPDATE
         SET holder = excluded.holder, held_until_ms = excluded.held_until_ms
         WHERE c.holder IS NULL OR c.holder = excluded.holder
            OR c.held_until_ms <= coalesce($3, deskbell.now_ms())",
    )
    .bind(consumer)
    .bind(replica)
    .bind(manual_ms)
    .bind(whole_ms(lease))
    .execute(connection)
    .await?;
    Ok(held.rows_affected() == 1)
}

/// Releases the lease, if this replica holds it.
pub(super) async fn release(
    connection: &mut PooledConnection,
    consumer: &str,
    replica: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE deskbell.consumers SET holder = NULL, held_until_ms = NULL
         WHERE name = $1 AND holder = $2",
    )
    .bind(consumer)
    .bind(replica)
    .execute(connection)
    .await?;
    Ok(())
}

/// Replaces the consumer's report, unless another replica leads it.
pub(super) async fn report(
    connection: &mut PooledConnection,
    consumer: &str,
    replica: &str,
    body: &str,
    manual_ms: Option<i64>,
) -> Result<bool, sqlx::Error> {
    let kept = sqlx::query(
        "INSERT INTO deskbell.consumer_reports (name, body, reported_at_ms)
         SELECT $1, $2, coalesce($4::bigint, deskbell.now_ms())
         WHERE NOT EXISTS (
             SELECT FROM deskbell.consumers AS c WHERE c.name = $1 AND c.holder <> $3
                 AND c.held_until_ms > coalesce($4, deskbell.now_ms()))
         ON CONFLICT (name) DO UPDATE
         SET body = excluded.body, reported_at_ms = excluded.reported_at_ms",
    )
    .bind(consumer)
    .bind(text(body))
    .bind(replica)
    .bind(manual_ms)
    .execute(connection)
    .await?;
    Ok(kept.rows_affected() == 1)
}

pub(super) async fn read_report(
    connection: &mut PooledConnection,
    consumer: &str,
) -> Result<Option<ConsumerReport>, sqlx::Error> {
    let found: Option<(String, i64)> = sqlx::query_as(
        "SELECT body, reported_at_ms FROM deskbell.consumer_reports WHERE name = $1",
    )
    .bind(consumer)
    .fetch_optional(connection)
    .await?;
    Ok(found.map(|(body, at_ms)| ConsumerReport { body, at_ms }))
}

#[async_trait]
impl Leases for PostgresStore {
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let token = next_token(work.connection(), consumer, &self.replica, manual_ms).await;
        work.finish(token).await?.ok_or(StoreError::NotLeader)
    }

    async fn renew_lease(&self, consumer: &str, lease: Duration) -> Result<bool, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let held = renew(work.connection(), consumer, &self.replica, lease, manual_ms).await;
        work.finish(held).await
    }

    async fn release_lease(&self, consumer: &str) -> Result<(), StoreError> {
        let mut work = self.pools.statement().await?;
        let released = release(work.connection(), consumer, &self.replica).await;
        work.finish(released).await
    }

    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError> {
        let mut work = self.pools.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let kept = report(work.connection(), consumer, &self.replica, body, manual_ms).await;
        work.finish(kept).await
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        let mut work = self.pools.statement().await?;
        let report = read_report(work.connection(), consumer).await;
        work.finish(report).await
    }
}
