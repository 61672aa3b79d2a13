//! Giving up on what is owed to a destination that nothing is delivered to any more.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::{destinations, json, pending};

/// Why such a delivery is a dead letter.
const PRUNED: &str = "the event's payload was pruned while the destination was disabled or removed";

/// What the event was is copied, as for every dead letter.
pub(super) const GIVE_UP: &str = "INSERT INTO settled_deliveries
         (destination_id, seq, state, settled_at_ms, attempts_total, reason, source, message_id,
          type, subject)
     SELECT ?1, pending.seq, 'dead_lettered', ?3, attempts_total, ?4, event.source,
            event.message_id, event.type, event.subject
     FROM json_each(?2) AS owed
     CROSS JOIN deliveries AS pending
         ON pending.destination_id = ?1 AND pending.seq = owed.value
     LEFT JOIN events AS event ON event.seq = pending.seq";

const GONE: &str = "DELETE FROM deliveries WHERE destination_id = ?1
     AND seq IN (SELECT value FROM json_each(?2))";

/// Of which events deliveries are given up on.
#[derive(Debug, Clone, Copy)]
pub(in crate::sqlite) enum Owed<'a> {
    /// All up to this event.
    UpTo(i64),
    /// Those at these places.
    At(&'a [i64]),
}

/// Makes dead letters of what all but these destinations are owed of these events; how many those
/// were.
pub(in crate::sqlite) async fn give_up_on_others(
    connection: &mut SqliteConnection,
    destinations: &[String],
    owed: Owed<'_>,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let others: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM destinations WHERE name NOT IN (SELECT value FROM json_each(?1))",
    )
    .bind(json(destinations)?)
    .fetch_all(&mut *connection)
    .await?;
    let mut given_up = 0;
    for name in others {
        given_up += give_up(connection, &name, owed, now_ms).await?;
    }
    Ok(given_up)
}

async fn give_up(
    connection: &mut SqliteConnection,
    destination: &str,
    owed: Owed<'_>,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let Some(target) = destinations::target(connection, destination).await? else { return Ok(0) };
    let rows: Vec<(i64, Option<String>)> = match owed {
        Owed::UpTo(last) => {
            let sql = "SELECT seq, subject FROM deliveries WHERE destination_id = ?1 AND seq <= ?2";
            sqlx::query_as(sql).bind(target.id).bind(last).fetch_all(&mut *connection).await?
        }
        Owed::At(seqs) => {
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
    let giving_up = sqlx::query(GIVE_UP).bind(target.id).bind(&seqs).bind(now_ms).bind(PRUNED);
    giving_up.execute(&mut *connection).await?;
    let gone = sqlx::query(GONE).bind(target.id).bind(seqs).execute(&mut *connection).await?;
    let subjects: BTreeSet<String> = rows.into_iter().filter_map(|(_, subject)| subject).collect();
    pending::unblock_first(connection, target, &subjects).await?;
    Ok(gone.rows_affected())
}
