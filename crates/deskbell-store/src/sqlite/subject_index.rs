//! The index of subjects.

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};

use super::SqliteStore;
use crate::{Indexed, StoreError, SubjectIndex};

#[async_trait]
impl SubjectIndex for SqliteStore {
    async fn index_subjects(&self, events_max: u32) -> Result<Indexed, StoreError> {
        let mut connection = self.connection().await?;
        Ok(index(&mut connection, events_max).await?)
    }
}

/// How far the index goes, the last of the next events, and how many those are.
pub(super) const NEXT: &str = "SELECT (SELECT indexed_seq FROM subject_index),
            coalesce(max(seq), 0), count(*)
     FROM (SELECT seq FROM events WHERE seq > (SELECT indexed_seq FROM subject_index)
           ORDER BY seq LIMIT ?1)";

/// In the order of the index: neighbours are written together.
pub(super) const INDEX: &str = "INSERT INTO event_subjects (subject, seq)
     SELECT subject, seq FROM events WHERE seq > ?1 AND seq <= ?2 AND subject IS NOT NULL
     ORDER BY subject, seq";

async fn index(connection: &mut SqliteConnection, events_max: u32) -> Result<Indexed, sqlx::Error> {
    let events_max = i64::from(events_max.max(1));
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let (indexed, last, events): (i64, i64, i64) =
        sqlx::query_as(NEXT).bind(events_max).fetch_one(&mut *transaction).await?;
    if events == 0 {
        transaction.rollback().await?;
        return Ok(Indexed::default());
    }
    sqlx::query(INDEX).bind(indexed).bind(last).execute(&mut *transaction).await?;
    let mark = sqlx::query("UPDATE subject_index SET indexed_seq = ?1").bind(last);
    mark.execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Indexed { events: u64::try_from(events).unwrap_or(0), more: events == events_max })
}
