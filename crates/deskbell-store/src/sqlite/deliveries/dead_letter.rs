//! Dead-lettering what is pending for a destination that is no longer in use.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::{json, pending as queue, targets};

/// Why such a delivery is a dead letter.
const PRUNED: &str = "the event's payload was pruned while the destination was disabled or removed";

/// What the event was is copied, as for every dead letter.
pub(super) const DEAD_LETTER: &str = "INSERT INTO settled_deliveries
         (destination_id, seq, state, settled_at_ms, attempts_total, reason, source, message_id,
          type, subject)
     SELECT ?1, pending.seq, 'dead_lettered', ?3, attempts_total, ?4, event.source,
            event.message_id, event.type, event.subject
     FROM json_each(?2) AS wanted
     CROSS JOIN deliveries AS pending
         ON pending.destination_id = ?1 AND pending.seq = wanted.value
     LEFT JOIN events AS event ON event.seq = pending.seq";

const DELETE: &str = "DELETE FROM deliveries WHERE destination_id = ?1
     AND seq IN (SELECT value FROM json_each(?2))";

/// The events whose pending deliveries become dead letters.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) enum Pending<'a> {
    /// All up to this event.
    UpTo(i64),
    At(&'a [i64]),
}

/// Dead-letters what is pending of these events for all but these destinations; how many
/// deliveries those were.
pub(in crate::sqlite) async fn dead_letter_others(
    connection: &mut SqliteConnection,
    destinations: &[String],
    pending: Pending<'_>,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let others: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM destinations WHERE name NOT IN (SELECT value FROM json_each(?1))",
    )
    .bind(json(destinations)?)
    .fetch_all(&mut *connection)
    .await?;
    let mut dead_lettered = 0;
    for name in others {
        dead_lettered += dead_letter(connection, &name, pending, now_ms).await?;
    }
    Ok(dead_lettered)
}

async fn dead_letter(
    connection: &mut SqliteConnection,
    destination: &str,
    pending: Pending<'_>,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let Some(target) = targets::target(connection, destination).await? else { return Ok(0) };
    let rows: Vec<(i64, Option<String>)> = match pending {
        Pending::UpTo(last) => {
            let sql = "SELECT seq, subject FROM deliveries WHERE destination_id = ?1 AND seq <= ?2";
            sqlx::query_as(sql).bind(target.id).bind(last).fetch_all(&mut *connection).await?
        }
        Pending::At(seqs) => {
            let sql = "SELECT seq, subject FROM deliveries WHERE destination_id = ?1
                       AND seq IN (SELECT value FROM json_each(?2))";
            sqlx::query_as(sql)
                .bind(target.id)
                .bind(json(seqs)?)
                .fetch_all(&mut *connection)
                .await?
        }
    };
    if rows.is_empty() {
        return Ok(0);
    }
    let seqs: Vec<i64> = rows.iter().map(|(seq, _)| *seq).collect();
    let seqs = json(&seqs)?;
    let insert = sqlx::query(DEAD_LETTER).bind(target.id).bind(&seqs).bind(now_ms).bind(PRUNED);
    insert.execute(&mut *connection).await?;
    let deleted = sqlx::query(DELETE).bind(target.id).bind(seqs).execute(&mut *connection).await?;
    let subjects: BTreeSet<String> = rows.into_iter().filter_map(|(_, subject)| subject).collect();
    queue::unblock_first(connection, target, &subjects).await?;
    Ok(deleted.rows_affected())
}
