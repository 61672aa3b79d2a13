//! Queries about deliveries, read on the pool of readers.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use sqlx::SqlitePool;

use super::json;
use crate::deliveries::{
    AttemptSummary, Backlog, DeadLetter, DeadLetterQuery, DeliveryKey, DeliverySummary, FilteredOut,
};
use crate::{Seq, rows};

/// It counts in indexes of pending and of dead-lettered deliveries, never of delivered ones.
pub(super) const BACKLOGS: &str = "SELECT name,
            (SELECT count(*) FROM deliveries WHERE destination_id = destination.id),
            (SELECT count(*) FROM settled_deliveries INDEXED BY settled_deliveries_dead
             WHERE destination_id = destination.id AND state = 'dead_lettered'),
            (SELECT received_at_ms FROM events WHERE seq =
                (SELECT min(seq) FROM deliveries WHERE destination_id = destination.id))
     FROM destinations AS destination ORDER BY name";

/// It stops counting at the limit for each destination.
pub(super) const PENDING: &str = "SELECT name, (SELECT count(*) FROM
             (SELECT 1 FROM deliveries WHERE destination_id = destination.id LIMIT ?1))
     FROM destinations AS destination ORDER BY name";

/// Destinations by name, in each the dead letters by `seq`: nothing is sorted, and what comes
/// before `after` is passed over.
pub(super) const DEAD_LETTERS: &str =
    "SELECT destination.name, dead.seq, source, message_id, type, subject,
            settled_at_ms, attempts_total, reason
     FROM destinations AS destination
     CROSS JOIN settled_deliveries AS dead INDEXED BY settled_deliveries_dead
     WHERE dead.state = 'dead_lettered' AND dead.destination_id = destination.id
         AND destination.name BETWEEN coalesce(?1, ?3, '') AND coalesce(?1, destination.name)
         AND destination.name >= coalesce(?3, '')
         AND dead.seq > iif(destination.name = ?3, ?4, 0)
         AND dead.settled_at_ms >= coalesce(?2, dead.settled_at_ms)
     ORDER BY destination.name, dead.seq LIMIT ?5";

pub(super) async fn backlogs(readers: &SqlitePool) -> Result<Vec<Backlog>, sqlx::Error> {
    let rows = sqlx::query(BACKLOGS).fetch_all(readers).await?;
    rows.iter().map(rows::backlog).collect()
}

pub(super) async fn pending(
    readers: &SqlitePool,
    pending_max: u32,
) -> Result<Vec<(Arc<str>, u64)>, sqlx::Error> {
    let rows = sqlx::query(PENDING).bind(pending_max).fetch_all(readers).await?;
    rows.iter().map(rows::pending).collect()
}

pub(super) async fn dead_letters(
    readers: &SqlitePool,
    query: &DeadLetterQuery,
) -> Result<Vec<DeadLetter>, sqlx::Error> {
    let rows = sqlx::query(DEAD_LETTERS)
        .bind(query.destination.as_deref())
        .bind(query.since_ms)
        .bind(query.after.as_ref().map(|after| &*after.destination))
        .bind(query.after.as_ref().map(|after| after.seq.get()))
        .bind(query.limit)
        .fetch_all(readers)
        .await?;
    rows.iter().map(rows::dead_letter).collect()
}

pub(super) async fn missing(
    readers: &SqlitePool,
    deliveries: &[DeliveryKey],
) -> Result<Vec<DeliveryKey>, sqlx::Error> {
    let keys: Vec<(&str, i64)> =
        deliveries.iter().map(|key| (&*key.destination, key.seq.get())).collect();
    let rows = sqlx::query(
        "SELECT wanted.value ->> 0, wanted.value ->> 1 FROM json_each(?1) AS wanted
         CROSS JOIN destinations AS destination ON destination.name = wanted.value ->> 0
         WHERE EXISTS (SELECT 1 FROM deliveries WHERE destination_id = destination.id
                       AND seq = wanted.value ->> 1)
             OR EXISTS (SELECT 1 FROM settled_deliveries WHERE destination_id = destination.id
                        AND seq = wanted.value ->> 1)",
    )
    .bind(json(&keys)?)
    .fetch_all(readers)
    .await?;
    let present: HashSet<DeliveryKey> =
        rows.iter().map(rows::delivery_key).collect::<Result<_, _>>()?;
    Ok(deliveries.iter().filter(|key| !present.contains(key)).cloned().collect())
}

pub(super) async fn deliveries_of(
    readers: &SqlitePool,
    seq: Seq,
) -> Result<Vec<DeliverySummary>, sqlx::Error> {
    // One statement, so that none is seen in both places or in neither.
    let rows = sqlx::query(
        "SELECT name, ?1, 'pending', iif(blocked, NULL, due_at_ms), NULL
         FROM destinations AS destination
         JOIN deliveries ON destination_id = destination.id AND seq = ?1
         UNION ALL
         SELECT name, ?1, state, settled_at_ms, reason
         FROM destinations AS destination
         JOIN settled_deliveries ON destination_id = destination.id AND seq = ?1
         ORDER BY 1",
    )
    .bind(seq.get())
    .fetch_all(readers)
    .await?;
    let mut attempts = attempts(readers, seq).await?;
    rows.iter()
        .map(|row| {
            let key = rows::delivery_key(row)?;
            let attempts = attempts.remove(&key.destination).unwrap_or_default();
            Ok(DeliverySummary { key, state: rows::delivery_state(row)?, attempts })
        })
        .collect()
}

async fn attempts(
    readers: &SqlitePool,
    seq: Seq,
) -> Result<BTreeMap<Arc<str>, Vec<AttemptSummary>>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT name, number, started_at_ms, duration_ms, status, error, reply FROM attempts
         JOIN destinations AS destination ON destination.id = destination_id
         WHERE seq = ?1 ORDER BY name, number",
    )
    .bind(seq.get())
    .fetch_all(readers)
    .await?;
    let mut attempts: BTreeMap<Arc<str>, Vec<AttemptSummary>> = BTreeMap::new();
    for row in &rows {
        let (destination, attempt) = rows::attempt(row)?;
        attempts.entry(destination).or_default().push(attempt);
    }
    Ok(attempts)
}

pub(super) async fn filtered_out(
    readers: &SqlitePool,
    seq: Seq,
) -> Result<Vec<FilteredOut>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT reason.key, reason.value FROM unwanted_events, json_each(reasons) AS reason
         WHERE seq = ?1 ORDER BY reason.key",
    )
    .bind(seq.get())
    .fetch_all(readers)
    .await?;
    rows.iter().map(rows::filtered_out).collect()
}
