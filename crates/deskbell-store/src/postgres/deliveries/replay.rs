//! Replay: what was settled becomes pending again, on somebody's word or at the sender's request.

use async_trait::async_trait;

use super::lists::Lists;
use crate::deliveries::{DeliveryKey, NewDelivery, Replays};
use crate::postgres::PostgresStore;
use crate::{StoreError, rows};

#[async_trait]
impl Replays for PostgresStore {
    async fn revive(&self, deliveries: &[DeliveryKey]) -> Result<u64, StoreError> {
        let lists = Lists::of_keys(deliveries);
        let revived: i64 = sqlx::query_scalar("SELECT deskbell.revive_v1($1, $2, $3, $4)")
            .bind(self.clock.manual_ms())
            .bind(&lists.destinations)
            .bind(lists.counts)
            .bind(lists.seqs)
            .fetch_one(&*self.pools)
            .await?;
        self.wake(lists.destinations);
        Ok(u64::try_from(revived).unwrap_or(0))
    }

    async fn enqueue(&self, deliveries: &[NewDelivery]) -> Result<u64, StoreError> {
        let lists = Lists::of(deliveries);
        let added: i64 = sqlx::query_scalar("SELECT deskbell.enqueue_v1($1, $2, $3, $4, $5)")
            .bind(self.clock.manual_ms())
            .bind(&lists.destinations)
            .bind(lists.counts)
            .bind(lists.seqs)
            .bind(lists.subjects)
            .fetch_one(&*self.pools)
            .await?;
        self.wake(lists.destinations);
        Ok(u64::try_from(added).unwrap_or(0))
    }

    async fn missing(&self, deliveries: &[DeliveryKey]) -> Result<Vec<DeliveryKey>, StoreError> {
        let lists = Lists::of_keys(deliveries);
        let rows = sqlx::query("SELECT name, seq FROM deskbell.present_v1($1, $2, $3)")
            .bind(lists.destinations)
            .bind(lists.counts)
            .bind(lists.seqs)
            .fetch_all(&*self.pools)
            .await?;
        Ok(rows::missing(deliveries, &rows)?)
    }
}
