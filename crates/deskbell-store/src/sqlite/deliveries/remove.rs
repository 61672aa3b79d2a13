//! Removing a destination, a few rows at a time.

use sqlx::{Connection, SqliteConnection};

use super::json;
use super::targets::{self, Target};

pub(super) const PENDING: &str =
    "SELECT seq FROM deliveries WHERE destination_id = ?1 ORDER BY seq LIMIT ?2";
pub(super) const SETTLED: &str =
    "SELECT seq FROM settled_deliveries WHERE destination_id = ?1 ORDER BY seq LIMIT ?2";

/// Attempts are found by their deliveries: there is no index of those of a destination.
pub(super) const ATTEMPTS: &str = "DELETE FROM attempts WHERE id IN (
     SELECT made.id FROM json_each(?2) AS wanted
     CROSS JOIN attempts AS made ON made.seq = wanted.value AND made.destination_id = ?1
     LIMIT ?3)";

pub(super) const DELETE_PENDING: &str = "DELETE FROM deliveries WHERE destination_id = ?1
     AND seq IN (SELECT value FROM json_each(?2))";
pub(super) const DELETE_SETTLED: &str = "DELETE FROM settled_deliveries WHERE destination_id = ?1
     AND seq IN (SELECT value FROM json_each(?2))";

/// Deletes at most so many rows. Whether there is more to do.
pub(super) async fn remove(
    connection: &mut SqliteConnection,
    name: &str,
    rows_max: u32,
) -> Result<bool, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let Some(target) = targets::target(&mut transaction, name).await? else {
        transaction.rollback().await?;
        return Ok(false);
    };
    let mut left = u64::from(rows_max.max(1));
    for (first, delete) in [(PENDING, DELETE_PENDING), (SETTLED, DELETE_SETTLED)] {
        left -= remove_deliveries(&mut transaction, target, first, delete, left).await?;
    }
    if left > 0 {
        sqlx::query("DELETE FROM destinations WHERE id = ?1")
            .bind(target.id)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(left == 0)
}

/// Deletes the first deliveries with their attempts, those before the deliveries, by which they are
/// found. How many rows.
async fn remove_deliveries(
    connection: &mut SqliteConnection,
    target: Target,
    first: &'static str,
    delete: &'static str,
    rows_max: u64,
) -> Result<u64, sqlx::Error> {
    let mut seqs: Vec<i64> = sqlx::query_scalar(first)
        .bind(target.id)
        .bind(i64::try_from(rows_max).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
    let attempts = sqlx::query(ATTEMPTS)
        .bind(target.id)
        .bind(json(&seqs)?)
        .bind(i64::try_from(rows_max).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?
        .rows_affected();
    seqs.truncate(usize::try_from(rows_max - attempts).unwrap_or(usize::MAX));
    let deleting = sqlx::query(delete).bind(target.id).bind(json(&seqs)?);
    Ok(attempts + deleting.execute(connection).await?.rows_affected())
}
