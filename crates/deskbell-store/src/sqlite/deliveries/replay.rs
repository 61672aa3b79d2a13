//! Replay: what was settled becomes pending again, on somebody's word or at the sender's request.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use sqlx::{Connection, Row, SqliteConnection, SqlitePool};

use super::targets::{self, Target};
use super::{json, pending};
use crate::deliveries::{DeliveryKey, NewDelivery, ROUTER, Replays};
use crate::sqlite::{SqliteStore, leases};
use crate::{FencingToken, StoreError, rows};

/// One whose event has left the log, or has lost its payload, cannot be sent again.
pub(super) const REVIVE: &str = "INSERT INTO deliveries
         (destination_id, seq, subject, attempts_total, due_at_ms, blocked)
     SELECT ?1, settled.seq, iif(?4, event.subject, NULL), attempts_total, ?3,
            ?4 AND event.subject IS NOT NULL
     FROM json_each(?2) AS wanted
     CROSS JOIN settled_deliveries AS settled
         ON settled.destination_id = ?1 AND settled.seq = wanted.value
     CROSS JOIN events AS event ON event.seq = settled.seq AND length(event.payload) > 0
     WHERE true
     ON CONFLICT DO NOTHING";

/// Those that have become pending are settled no more.
pub(super) const FORGET: &str = "DELETE FROM settled_deliveries WHERE destination_id = ?1
     AND seq IN (SELECT value FROM json_each(?2))
     AND EXISTS (SELECT 1 FROM deliveries AS pending
                 WHERE pending.destination_id = ?1 AND pending.seq = settled_deliveries.seq)";

/// The dead-lettered deliveries of events.
pub(super) const DEAD: &str = "SELECT DISTINCT destination.name, dead.seq
     FROM json_each(?1) AS wanted
     CROSS JOIN destinations AS destination
     CROSS JOIN settled_deliveries AS dead
         ON dead.destination_id = destination.id AND dead.seq = wanted.value
     WHERE dead.state = 'dead_lettered'";

#[async_trait]
impl Replays for SqliteStore {
    async fn revive(&self, deliveries: &[DeliveryKey]) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let revived = revive(&mut connection, deliveries, self.clock.now_ms()).await?;
        drop(connection);
        self.queues.wake(deliveries.iter().map(|key| &*key.destination));
        Ok(revived)
    }

    async fn enqueue(&self, deliveries: &[NewDelivery]) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let added = pending::add(&mut transaction, deliveries, self.clock.now_ms()).await?;
        transaction.commit().await?;
        drop(connection);
        self.queues.wake(deliveries.iter().map(|delivery| &*delivery.key.destination));
        Ok(added)
    }

    async fn missing(&self, deliveries: &[DeliveryKey]) -> Result<Vec<DeliveryKey>, StoreError> {
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
        .fetch_all(&self.readers)
        .await?;
        Ok(rows::missing(deliveries, &rows)?)
    }
}

/// What was done about replay requests.
#[derive(Default)]
pub(super) struct Acted {
    pub(super) requests: u32,
    pub(super) deliveries: u64,
    /// Those that have deliveries to make again.
    pub(super) destinations: Vec<String>,
}

async fn revive(
    connection: &mut SqliteConnection,
    deliveries: &[DeliveryKey],
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let mut wanted: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for key in deliveries {
        wanted.entry(key.destination.to_string()).or_default().insert(key.seq.get());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let revived = revive_all(&mut transaction, &wanted, now_ms).await?;
    transaction.commit().await?;
    Ok(revived)
}

/// Whether there are replay requests that nobody has acted on.
pub(super) async fn is_requested(readers: &SqlitePool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT coalesce((SELECT max(number) FROM replay_requests), 0)
             > (SELECT replayed_number FROM router)",
    )
    .fetch_one(readers)
    .await
}

/// Acts on the next replay requests; `None` where another router has taken over.
pub(super) async fn act(
    connection: &mut SqliteConnection,
    token: FencingToken,
    requests_max: u32,
    now_ms: i64,
) -> Result<Option<Acted>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if !leases::is_newest(&mut transaction, ROUTER, token).await? {
        transaction.rollback().await?;
        return Ok(None);
    }
    let requests = requested(&mut transaction, requests_max).await?;
    let Some((last, _)) = requests.last() else {
        transaction.rollback().await?;
        return Ok(Some(Acted::default()));
    };
    sqlx::query("UPDATE router SET replayed_number = ?1")
        .bind(last)
        .execute(&mut *transaction)
        .await?;
    let seqs: BTreeSet<i64> = requests.iter().map(|(_, seq)| *seq).collect();
    let dead = dead_letters(&mut transaction, &seqs).await?;
    let deliveries = revive_all(&mut transaction, &dead, now_ms).await?;
    transaction.commit().await?;
    Ok(Some(Acted {
        requests: u32::try_from(requests.len()).unwrap_or(u32::MAX),
        deliveries,
        destinations: dead.into_keys().collect(),
    }))
}

/// The number and the event of each request that is next.
async fn requested(
    connection: &mut SqliteConnection,
    requests_max: u32,
) -> Result<Vec<(i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "SELECT number, seq FROM replay_requests
         WHERE number > (SELECT replayed_number FROM router) ORDER BY number LIMIT ?1",
    )
    .bind(requests_max)
    .fetch_all(connection)
    .await
}

async fn dead_letters(
    connection: &mut SqliteConnection,
    seqs: &BTreeSet<i64>,
) -> Result<BTreeMap<String, BTreeSet<i64>>, sqlx::Error> {
    let rows = sqlx::query(DEAD).bind(json(seqs)?).fetch_all(connection).await?;
    let mut dead: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
    for row in rows {
        dead.entry(row.try_get(0)?).or_default().insert(row.try_get(1)?);
    }
    Ok(dead)
}

async fn revive_all(
    connection: &mut SqliteConnection,
    wanted: &BTreeMap<String, BTreeSet<i64>>,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let targets = targets::targets(connection).await?;
    let mut revived = 0;
    for (name, seqs) in wanted {
        if let Some(target) = targets.get(name) {
            revived += revive_for(connection, *target, seqs, now_ms).await?;
        }
    }
    Ok(revived)
}

async fn revive_for(
    connection: &mut SqliteConnection,
    target: Target,
    seqs: &BTreeSet<i64>,
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let wanted = json(seqs)?;
    let hurried = sqlx::query(
        "UPDATE deliveries SET due_at_ms = min(due_at_ms, ?3)
         WHERE destination_id = ?1 AND seq IN (SELECT value FROM json_each(?2))",
    )
    .bind(target.id)
    .bind(&wanted)
    .bind(now_ms)
    .execute(&mut *connection)
    .await?
    .rows_affected();
    let subjects = subjects(connection, target, &wanted).await?;
    pending::block_first(connection, target, &subjects).await?;
    let revived = sqlx::query(REVIVE)
        .bind(target.id)
        .bind(&wanted)
        .bind(now_ms)
        .bind(target.ordered)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    sqlx::query(FORGET).bind(target.id).bind(&wanted).execute(&mut *connection).await?;
    pending::unblock_first(connection, target, &subjects).await?;
    Ok(hurried + revived)
}

/// What those events are about, where that matters.
async fn subjects(
    connection: &mut SqliteConnection,
    target: Target,
    wanted: &str,
) -> Result<BTreeSet<String>, sqlx::Error> {
    if !target.ordered {
        return Ok(BTreeSet::new());
    }
    let subjects: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT event.subject FROM json_each(?1) AS wanted
         CROSS JOIN events AS event ON event.seq = wanted.value
         WHERE event.subject IS NOT NULL",
    )
    .bind(wanted)
    .fetch_all(connection)
    .await?;
    Ok(subjects.into_iter().collect())
}
