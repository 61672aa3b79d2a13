//! What blocks pruning.

use std::sync::Arc;

use sqlx::SqliteConnection;

use crate::Seq;
use crate::retention::{BlockedBy, EraseOptions, PruneOptions, RetentionBlocker};
use crate::sqlite::json::json;

/// Each destination's checkpoint, and its first pending delivery. Destinations are
/// few, and both are at the beginning of an index.
const CHECKPOINTS: &str = "SELECT name, routed_seq,
            (SELECT min(seq) FROM deliveries WHERE destination_id = destination.id)
     FROM destinations AS destination WHERE name IN (SELECT value FROM json_each(?1))
     ORDER BY name";

/// How far pruning may go, and what blocks it from going further.
pub(super) struct Limits {
    /// The last event that nothing blocks.
    pub(super) last: i64,
    /// As [`last`](Self::last), pending deliveries aside.
    pub(super) read_by_all: i64,
    pub(super) blockers: Vec<RetentionBlocker>,
}

/// Looks in the transaction that prunes: a delivery may be revived at any time.
pub(super) async fn limits(
    connection: &mut SqliteConnection,
    pruning: &PruneOptions,
    wanted: i64,
) -> Result<Limits, sqlx::Error> {
    let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(CHECKPOINTS)
        .bind(json(&pruning.destinations)?)
        .fetch_all(&mut *connection)
        .await?;
    let external = pruning.external_checkpoint.map(Seq::get);
    let routed = rows.iter().map(|(_, routed, _)| *routed);
    let read_by_all = routed.chain(external).min().unwrap_or(i64::MAX);
    let open = rows.iter().filter_map(|(_, _, open)| open.map(|seq| seq - 1));
    let last = open.chain([wanted, read_by_all]).min().unwrap_or(wanted);
    let mut candidates = Vec::new();
    for (name, routed, open) in rows {
        let name: Arc<str> = name.into();
        candidates.push((BlockedBy::Checkpoint(Arc::clone(&name)), routed + 1));
        candidates.extend(open.map(|seq| (BlockedBy::Delivery(name), seq)));
    }
    candidates.extend(external.map(|seq| (BlockedBy::External, seq + 1)));
    let mut blockers = Vec::new();
    for (by, seq) in candidates {
        if seq <= wanted
            && let Some((seq, since_ms)) = first_kept(connection, seq).await?
        {
            blockers.push(RetentionBlocker { by, seq: Seq::new(seq), since_ms });
        }
    }
    Ok(Limits { last, read_by_all, blockers })
}

/// The last event that everybody has read, whatever is pending for them.
pub(super) async fn read_by_all(
    connection: &mut SqliteConnection,
    erasing: &EraseOptions,
) -> Result<i64, sqlx::Error> {
    let routed: Option<i64> = sqlx::query_scalar(
        "SELECT min(routed_seq) FROM destinations
         WHERE name IN (SELECT value FROM json_each(?1))",
    )
    .bind(json(&erasing.destinations)?)
    .fetch_one(connection)
    .await?;
    let external = erasing.external_checkpoint.map(Seq::get);
    Ok(routed.into_iter().chain(external).min().unwrap_or(i64::MAX))
}

async fn first_kept(
    connection: &mut SqliteConnection,
    from: i64,
) -> Result<Option<(i64, i64)>, sqlx::Error> {
    sqlx::query_as("SELECT seq, received_at_ms FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1")
        .bind(from)
        .fetch_optional(connection)
        .await
}
