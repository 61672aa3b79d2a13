//! Leases by the database's clock, fencing tokens, and what each consumer reports.

use std::time::Duration;

use async_trait::async_trait;

use super::append::text;
use super::store::PostgresStore;
use crate::clock::whole_ms;
use crate::{ConsumerReport, FencingToken, Leases, StoreError};

#[async_trait]
impl Leases for PostgresStore {
    async fn next_fencing_token(&self, consumer: &str) -> Result<FencingToken, StoreError> {
        let token = sqlx::query_scalar(
            "INSERT INTO deskbell.consumers AS c (name, token) VALUES ($1, 1)
             ON CONFLICT (name) DO UPDATE SET token = c.token + 1
             WHERE c.holder IS NULL OR c.holder = $2
                OR c.held_until_ms <= coalesce($3, deskbell.now_ms())
             RETURNING token",
        )
        .bind(consumer)
        .bind(&self.replica.name)
        .bind(self.clock.manual_ms())
        .fetch_optional(&*self.pools)
        .await?;
        token.map(FencingToken::new).ok_or(StoreError::NotLeader)
    }

    async fn renew_lease(&self, consumer: &str, lease: Duration) -> Result<bool, StoreError> {
        let held = sqlx::query(
            "INSERT INTO deskbell.consumers AS c (name, token, holder, held_until_ms)
             VALUES ($1, 0, $2, coalesce($3, deskbell.now_ms()) + $4)
             ON CONFLICT (name) DO UPDATE
             SET holder = excluded.holder, held_until_ms = excluded.held_until_ms
             WHERE c.holder IS NULL OR c.holder = excluded.holder
                OR c.held_until_ms <= coalesce($3, deskbell.now_ms())",
        )
        .bind(consumer)
        .bind(&self.replica.name)
        .bind(self.clock.manual_ms())
        .bind(whole_ms(lease))
        .execute(&*self.pools)
        .await?;
        Ok(held.rows_affected() == 1)
    }

    async fn release_lease(&self, consumer: &str) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE deskbell.consumers SET holder = NULL, held_until_ms = NULL
             WHERE name = $1 AND holder = $2",
        )
        .bind(consumer)
        .bind(&self.replica.name)
        .execute(&*self.pools)
        .await?;
        Ok(())
    }

    async fn publish_report(&self, consumer: &str, body: &str) -> Result<bool, StoreError> {
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
        .bind(&self.replica.name)
        .bind(self.clock.manual_ms())
        .execute(&*self.pools)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    async fn latest_report(&self, consumer: &str) -> Result<Option<ConsumerReport>, StoreError> {
        let find = "SELECT body, reported_at_ms FROM deskbell.consumer_reports WHERE name = $1";
        let found: Option<(String, i64)> =
            sqlx::query_as(find).bind(consumer).fetch_optional(&*self.pools).await?;
        Ok(found.map(|(body, at_ms)| ConsumerReport { body, at_ms }))
    }
}
