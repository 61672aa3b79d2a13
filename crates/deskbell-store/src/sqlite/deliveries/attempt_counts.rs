//! Attempts at a destination, counted over time: the newest first, a range of numbers at a time, until
//! all of a range began too early.

use sqlx::{Row, SqliteConnection};

use crate::deliveries::{AttemptCountQuery, AttemptCounts};
use crate::rows::Columns;

/// Attempts in one range. They lie in the order in which they were stored, and each began before that:
/// what is in an earlier range began, but for a few at its end, before what is in a later one.
const RANGE_ROWS: i64 = 10_000;

/// The attempts of each bucket, those of none among them, and when the last one began.
pub(super) const COUNT: &str =
    "SELECT bucket, sum(delivered), sum(NOT delivered), max(started_at_ms)
     FROM (SELECT started_at_ms, error IS NULL AS delivered,
                  CASE WHEN destination_id = (SELECT id FROM destinations WHERE name = ?3)
                           AND started_at_ms >= ?4 AND started_at_ms < ?5
                       THEN (started_at_ms - ?4) * ?6 / (?5 - ?4) END AS bucket
           FROM attempts WHERE id > ?1 AND id <= ?2)
     GROUP BY bucket";

pub(super) async fn count(
    connection: &mut SqliteConnection,
    query: &AttemptCountQuery,
) -> Result<AttemptCounts, sqlx::Error> {
    let buckets = vec![(0, 0); query.buckets.max(1) as usize];
    let mut counts = AttemptCounts { buckets, complete: true };
    if query.since_ms >= query.until_ms {
        return Ok(counts);
    }
    let mut left = i64::from(query.scanned_max);
    let mut before = i64::MAX;
    while let Some(last) = last_before(connection, before).await? {
        if left == 0 {
            counts.complete = false;
            break;
        }
        let rows = RANGE_ROWS.min(left);
        let newest_ms = add_range(connection, query, last - rows, last, &mut counts).await?;
        if newest_ms < query.since_ms {
            break;
        }
        before = last - rows + 1;
        left -= rows;
    }
    Ok(counts)
}

/// Adds the attempts of a range that is not empty. When the last of them began.
async fn add_range(
    connection: &mut SqliteConnection,
    query: &AttemptCountQuery,
    after: i64,
    last: i64,
    counts: &mut AttemptCounts,
) -> Result<i64, sqlx::Error> {
    let rows = sqlx::query(COUNT)
        .bind(after)
        .bind(last)
        .bind(&query.destination)
        .bind(query.since_ms)
        .bind(query.until_ms)
        .bind(i64::try_from(counts.buckets.len()).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let mut newest_ms = i64::MIN;
    for row in &rows {
        newest_ms = newest_ms.max(row.try_get(3)?);
        let bucket = row.integer_or_null(0)?.and_then(|bucket| usize::try_from(bucket).ok());
        if let Some((delivered, failed)) = bucket.and_then(|bucket| counts.buckets.get_mut(bucket))
        {
            *delivered += row.count(1)?;
            *failed += row.count(2)?;
        }
    }
    Ok(newest_ms)
}

/// The last attempt that was stored before this one.
pub(super) async fn last_before(
    connection: &mut SqliteConnection,
    id: i64,
) -> Result<Option<i64>, sqlx::Error> {
    let last = sqlx::query_scalar("SELECT max(id) FROM attempts WHERE id < ?1").bind(id);
    last.fetch_one(connection).await
}
