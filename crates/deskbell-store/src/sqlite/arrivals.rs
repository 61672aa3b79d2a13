//! When events arrived.

use async_trait::async_trait;

use super::SqliteStore;
use crate::{ArrivalPage, Arrivals, Seq, StoreError, rows};

#[async_trait]
impl Arrivals for SqliteStore {
    async fn arrivals(&self, after: Seq, events_max: u32) -> Result<ArrivalPage, StoreError> {
        let page = "SELECT seq, source, received_at_ms, origin FROM events
                    WHERE seq > ?1 ORDER BY seq LIMIT ?2";
        let rows = sqlx::query(page)
            .bind(after.get())
            .bind(events_max.max(1))
            .fetch_all(&self.readers)
            .await?;
        Ok(rows::arrivals(&rows, after)?)
    }
}
