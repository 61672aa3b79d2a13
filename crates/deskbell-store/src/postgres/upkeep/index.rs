//! The index of subjects: one call of a function in the database.

use sqlx::Row;

use crate::Indexed;
use crate::postgres::Session;

const INDEX: &str = "SELECT indexed, more FROM deskbell.index_subjects_v1($1)";

pub(super) async fn index(
    connection: &mut Session,
    events_max: u32,
) -> Result<Indexed, sqlx::Error> {
    let row = sqlx::query(INDEX).bind(i64::from(events_max.max(1))).fetch_one(connection).await?;
    let events = u64::try_from(row.try_get::<i64, _>(0)?).unwrap_or(0);
    Ok(Indexed { events, more: row.try_get(1)? })
}
