//! Queries about deliveries.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use crate::postgres::PooledConnection;

use super::lists::Lists;
use crate::deliveries::{
    AttemptSummary, Backlog, DeadLetter, DeadLetterQuery, DeliveryKey, DeliverySummary, FilteredOut,
};
use crate::{Seq, rows};

/// It counts in indexes of pending and of dead-lettered deliveries, never of delivered ones.
const BACKLOGS: &str = "SELECT name,
            (SELECT count(*) FROM deskbell.deliveries WHERE destination_id = destination.id),
            (SELECT count(*) FROM deskbell.settled_deliveries
             WHERE destination_id = destination.id AND state = 'dead_lettered'),
            (SELECT received_at_ms FROM deskbell.events WHERE seq =
                (SELECT min(seq) FROM deskbell.deliveries WHERE destination_id = destination.id))
     FROM deskbell.destinations AS destination ORDER BY name";

/// It stops counting at the limit for each destination.
const PENDING: &str = "SELECT name, (SELECT count(*) FROM
             (SELECT FROM deskbell.deliveries WHERE destination_id = destination.id LIMIT $1)
             AS counted)
     FROM deskbell.destinations AS destination ORDER BY name";

/// Destinations by name, in each the dead letters by `seq`, no more than are asked for.
const DEAD_LETTERS: &str = "SELECT destination.name, dead.*
     FROM deskbell.destinations AS destination
     CROSS JOIN LATERAL (
         SELECT seq, source, message_id, type, subject, settled_at_ms, attempts_total, reason
         FROM deskbell.settled_deliveries
         WHERE destination_id = destination.id AND state = 'dead_lettered'
             AND seq > CASE WHEN destination.name = $3 THEN $4 ELSE 0 END
             AND settled_at_ms >= coalesce($2, settled_at_ms)
         ORDER BY destination_id, seq LIMIT $5
     ) AS dead
     WHERE destination.name = coalesce($1, destination.name)
         AND destination.name >= coalesce($3, '')
     ORDER BY destination.name, dead.seq LIMIT $5";

/// One statement, so that none is seen in both places or in neither.
const DELIVERIES_OF: &str = "SELECT name, $1, 'pending',
            CASE WHEN NOT blocked THEN due_at_ms END, NULL::text
     FROM deskbell.destinations AS destination
     JOIN deskbell.deliveries AS pending
         ON pending.destination_id = destination.id AND pending.seq = $1
     UNION ALL
     SELECT name, $1, state, settled_at_ms, reason
     FROM deskbell.destinations AS destination
     JOIN deskbell.settled_deliveries AS settled
         ON settled.destination_id = destination.id AND settled.seq = $1
     ORDER BY 1";

pub(super) async fn backlogs(
    connection: &mut PooledConnection,
) -> Result<Vec<Backlog>, sqlx::Error> {
    let rows = sqlx::query(BACKLOGS).fetch_all(connection).await?;
    rows.iter().map(rows::backlog).collect()
}

pub(super) async fn pending(
    connection: &mut PooledConnection,
    pending_max: u32,
) -> Result<Vec<(Arc<str>, u64)>, sqlx::Error> {
    let rows = sqlx::query(PENDING).bind(i64::from(pending_max)).fetch_all(connection).await?;
    rows.iter().map(rows::pending).collect()
}

pub(super) async fn dead_letters(
    connection: &mut PooledConnection,
    query: &DeadLetterQuery,
) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let rows = sqlx::query(DEAD_LETTERS)
        .bind(query.destination.as_deref())
        .bind(query.since_ms)
        .bind(query.after.as_ref().map(|after| &*after.destination))
        .bind(query.after.as_ref().map(|after| after.seq.get()))
        .bind(i64::from(query.limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(rows::dead_letter).collect()
}

pub(super) async fn missing(
    connection: &mut PooledConnection,
    deliveries: &[DeliveryKey],
) -> Result<Vec<DeliveryKey>, sqlx::Error> {
    let lists = Lists::of(deliveries.iter().map(|key| (key, None)));
    let rows = sqlx::query("SELECT name, seq FROM deskbell.present_v1($1, $2, $3)")
        .bind(lists.destinations)
        .bind(lists.counts)
        .bind(lists.seqs)
        .fetch_all(connection)
        .await?;
    let present: HashSet<DeliveryKey> =
        rows.iter().map(rows::delivery_key).collect::<Result<_, _>>()?;
    Ok(deliveries.iter().filter(|key| !present.contains(key)).cloned().collect())
}

pub(super) async fn deliveries_of(
    connection: &mut PooledConnection,
    seq: Seq,
) -> Result<Vec<DeliverySummary>, sqlx::Error> {
    let rows = sqlx::query(DELIVERIES_OF).bind(seq.get()).fetch_all(&mut *connection).await?;
    let mut attempts = attempts(connection, seq).await?;
    rows.iter()
        .map(|row| {
            let key = rows::delivery_key(row)?;
            let attempts = attempts.remove(&key.destination).unwrap_or_default();
            Ok(DeliverySummary { key, state: rows::delivery_state(row)?, attempts })
        })
        .collect()
}

async fn attempts(
    connection: &mut PooledConnection,
    seq: Seq,
) -> Result<BTreeMap<Arc<str>, Vec<AttemptSummary>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT name, number, started_at_ms, duration_ms, status, error, reply
         FROM deskbell.destinations AS destination
         JOIN deskbell.attempts AS made
             ON made.destination_id = destination.id AND made.seq = $1
         ORDER BY name, number",
    )
    .bind(seq.get())
    .fetch_all(connection)
    .await?;
    let mut attempts: BTreeMap<Arc<str>, Vec<AttemptSummary>> = BTreeMap::new();
    for row in &rows {
        let (destination, attempt) = rows::attempt(row)?;
        attempts.entry(destination).or_default().push(attempt);
    }
    Ok(attempts)
}

pub(super) async fn filtered_out(
    connection: &mut PooledConnection,
    seq: Seq,
) -> Result<Vec<FilteredOut>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT reason.key, reason.value
         FROM deskbell.unwanted_events, jsonb_each_text(reasons) AS reason
         WHERE seq = $1 ORDER BY reason.key COLLATE \"C\"",
    )
    .bind(seq.get())
    .fetch_all(connection)
    .await?;
    rows.iter().map(rows::filtered_out).collect()
}
