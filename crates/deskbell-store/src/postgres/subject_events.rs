//! Searching the log for a subject: one call of a function in the database.

use sqlx::Row;

use super::append::text;
use super::pooled_connection::PooledConnection;
use crate::rows::{Sources, event};
use crate::subject_index::UNINDEXED_MAX;
use crate::{ReadLimit, Seq, SubjectEvents};

/// The nine columns of an event, and where to go on.
const ABOUT: &str = "SELECT * FROM deskbell.about_v1($1, $2, $3, $4, $5)";

pub(super) async fn find(
    connection: &mut PooledConnection,
    subject: &str,
    before: Option<Seq>,
    limit: ReadLimit,
) -> Result<SubjectEvents, sqlx::Error> {
    let rows = sqlx::query(ABOUT)
        .bind(text(subject))
        .bind(before.map(Seq::get))
        .bind(i64::from(limit.events_max.max(1)))
        .bind(i64::try_from(limit.bytes_max.max(1)).unwrap_or(i64::MAX))
        .bind(UNINDEXED_MAX)
        .fetch_all(connection)
        .await?;
    let mut sources = Sources::default();
    let mut page = SubjectEvents { events: Vec::new(), older: None };
    for row in &rows {
        if row.try_get::<Option<i64>, _>(0)?.is_some() {
            page.events.push(event(row, &mut sources)?);
        }
        page.older = row.try_get::<Option<i64>, _>(9)?.map(Seq::new);
    }
    Ok(page)
}
