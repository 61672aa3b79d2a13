//! What pruning does not pass.

use std::sync::Arc;

use sqlx::SqliteConnection;

use crate::Seq;
use crate::sqlite::deliveries::json;
use crate::upkeep::{HeldBack, Holder, Pruning};

/// How far each destination has come, and the first delivery that is open for it. Destinations are
/// few, and both are at the beginning of an index.
const STANDS: &str = "SELECT name, routed_seq,
            (SELECT min(seq) FROM deliveries WHERE destination_id = destination.id)
     FROM destinations AS destination WHERE name IN (SELECT value FROM json_each(?1))
     ORDER BY name";

/// How far pruning may go, and who keeps it from going further.
pub(super) struct Held {
    /// The last event that nobody keeps.
    pub(super) last: i64,
    /// As [`last`](Self::last), open deliveries aside.
    pub(super) passed: i64,
    pub(super) by: Vec<HeldBack>,
}

/// Looks in the transaction that prunes: a delivery may be revived at any time.
pub(super) async fn held(
    connection: &mut SqliteConnection,
    pruning: &Pruning,
    wanted: i64,
) -> Result<Held, sqlx::Error> {
    let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(STANDS)
        .bind(json(&pruning.destinations)?)
        .fetch_all(&mut *connection)
        .await?;
    let outside = pruning.keep_behind.map(Seq::get);
    let routed = rows.iter().map(|(_, routed, _)| *routed);
    let passed = routed.chain(outside).min().unwrap_or(i64::MAX);
    let open = rows.iter().filter_map(|(_, _, open)| open.map(|seq| seq - 1));
    let last = open.chain([wanted, passed]).min().unwrap_or(wanted);
    let mut holders = Vec::new();
    for (name, routed, open) in rows {
        let name: Arc<str> = name.into();
        holders.push((Holder::Checkpoint(Arc::clone(&name)), routed + 1));
        holders.extend(open.map(|seq| (Holder::Delivery(name), seq)));
    }
    holders.extend(outside.map(|seq| (Holder::Outside, seq + 1)));
    let mut by = Vec::new();
    for (holder, seq) in holders {
        if seq <= wanted
            && let Some((seq, since_ms)) = first_kept(connection, seq).await?
        {
            by.push(HeldBack { by: holder, seq: Seq::new(seq), since_ms });
        }
    }
    Ok(Held { last, passed, by })
}

/// The last event that everybody has read, whatever is owed to them.
pub(super) async fn passed(
    connection: &mut SqliteConnection,
    destinations: &[String],
    keep_behind: Option<Seq>,
) -> Result<i64, sqlx::Error> {
    let routed: Option<i64> = sqlx::query_scalar(
        "SELECT min(routed_seq) FROM destinations
         WHERE name IN (SELECT value FROM json_each(?1))",
    )
    .bind(json(destinations)?)
    .fetch_one(connection)
    .await?;
    Ok(routed.into_iter().chain(keep_behind.map(Seq::get)).min().unwrap_or(i64::MAX))
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
