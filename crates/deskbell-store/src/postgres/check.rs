//! Whether the store works: it can be written to, and its clock is ours.

use super::pooled_connection::PooledConnection;
use crate::{Clock, StoreError};

/// Further apart than this, one of the clocks is wrong: signatures are judged by this machine's,
/// leases and due times by the database's.
const SKEW_MAX_MS: u64 = 60_000;

/// Commits a change to one row, to see whether the disk takes it.
pub(super) async fn write_a_mark(
    connection: &mut PooledConnection,
    manual_ms: Option<i64>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE deskbell.checks SET checked_at_ms = coalesce($1::bigint, deskbell.now_ms())",
    )
    .bind(manual_ms)
    .execute(connection)
    .await?;
    Ok(())
}

/// How far the database's clock is ahead of this machine's, in milliseconds.
pub(super) async fn skew_ms(
    connection: &mut PooledConnection,
    clock: &Clock,
) -> Result<i64, sqlx::Error> {
    let asked = clock.now_ms();
    let theirs: i64 = sqlx::query_scalar("SELECT coalesce($1::bigint, deskbell.now_ms())")
        .bind(clock.manual_ms())
        .fetch_one(connection)
        .await?;
    let answered = clock.now_ms();
    Ok(theirs - (asked + (answered - asked) / 2))
}

/// Refuses clocks that are too far apart.
pub(super) fn judge(skew_ms: i64) -> Result<(), StoreError> {
    if skew_ms.unsigned_abs() > SKEW_MAX_MS {
        return Err(StoreError::ClockSkew { seconds: skew_ms / 1_000 });
    }
    Ok(())
}
