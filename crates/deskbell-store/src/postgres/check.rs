//! Whether the store works: it can be written to, and its clock is ours.

use super::PostgresStore;
use crate::StoreError;

/// Further apart than this, one of the clocks is wrong: signatures are judged by this machine's,
/// leases and due times by the database's.
const SKEW_MAX_MS: u64 = 60_000;

/// The time that leases and due times are by.
pub(super) const NOW: &str = "SELECT coalesce($1::bigint, deskbell.now_ms())";

impl PostgresStore {
    /// How far the database's clock is ahead of this machine's, in milliseconds.
    ///
    /// # Errors
    /// The database could not be asked.
    pub async fn clock_skew(&self) -> Result<i64, StoreError> {
        let mut work = self.pools.statement().await?;
        let asked = self.clock.now_ms();
        let theirs: Result<i64, _> =
            sqlx::query_scalar(NOW).bind(self.clock.manual_ms()).fetch_one(work.connection()).await;
        let answered = self.clock.now_ms();
        Ok(work.finish(theirs).await? - (asked + (answered - asked) / 2))
    }
}

/// Refuses clocks that are too far apart.
pub(super) fn judge(skew_ms: i64) -> Result<(), StoreError> {
    if skew_ms.unsigned_abs() > SKEW_MAX_MS {
        return Err(StoreError::ClockSkew { seconds: skew_ms / 1_000 });
    }
    Ok(())
}
