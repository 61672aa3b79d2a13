//! When events arrived.

use async_trait::async_trait;

use super::PostgresStore;
use crate::{ArrivalPage, Arrivals, Seq, StoreError, rows};

#[async_trait]
impl Arrivals for PostgresStore {
    async fn arrivals(&self, after: Seq, events_max: u32) -> Result<ArrivalPage, StoreError> {
        let page = "SELECT seq, source, received_at_ms, origin FROM deskbell.events
                    WHERE seq > $1 ORDER BY seq LIMIT $2";
        let rows = sqlx::query(page)
            .bind(after.get())
            .bind(i64::from(events_max.max(1)))
            .fetch_all(&*self.pools)
            .await?;
        Ok(rows::arrivals(&rows, after)?)
    }
}
