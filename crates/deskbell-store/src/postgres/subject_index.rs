//! The index of subjects: one call of a function in the database.

use async_trait::async_trait;

use super::PostgresStore;
use crate::{Indexed, StoreError, SubjectIndex};

const INDEX: &str = "SELECT indexed, more FROM deskbell.index_subjects_v1($1)";

#[async_trait]
impl SubjectIndex for PostgresStore {
    async fn index_subjects(&self, events_max: u32) -> Result<Indexed, StoreError> {
        let index = sqlx::query_as(INDEX).bind(i64::from(events_max.max(1)));
        let (events, more): (i64, bool) = index.fetch_one(&*self.pools).await?;
        Ok(Indexed { events: u64::try_from(events).unwrap_or(0), more })
    }
}
