//! A claim: due deliveries are read from their index, claims are kept in memory.

use futures_util::TryStreamExt;
use serde::Deserialize;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::json;
use crate::clock::{Clock, duration_ms};
use crate::deliveries::{Claim, Claimed, ClaimedDelivery};
use crate::rows::{self, Sources};
use crate::sqlite::queues::{Queue, Taken};
use crate::{Seq, StoredEvent};

/// What is not blocked, the longest due first, as one JSON text: every row of its own would be
/// handed from the database's thread to ours by itself, and a wake-up costs more than a row.
pub(super) const WAITING: &str = "SELECT json_group_array(json_array(seq, due_at_ms, subject))
     FROM (SELECT seq, due_at_ms, subject FROM deliveries
           WHERE destination_id = (SELECT id FROM destinations
                                   WHERE name = ?1 AND disabled_at_ms IS NULL)
               AND blocked = 0
           ORDER BY due_at_ms, seq LIMIT ?2)";

/// Events with their payloads, in the order in which they were asked for: `CROSS JOIN` keeps
/// SQLite from another one.
pub(super) const EVENTS: &str =
    "SELECT event.seq, received_at_ms, source, message_id, event.type, event.subject,
            occurred_at_ms, instance_id, payload, origin, payload_bytes, attempts,
            first_attempt_at_ms
     FROM json_each(?2) AS wanted
     CROSS JOIN deliveries AS pending
         ON pending.destination_id = (SELECT id FROM destinations WHERE name = ?1)
         AND pending.seq = wanted.value
     CROSS JOIN events AS event ON event.seq = pending.seq";

/// A delivery that is not blocked, in the order of [`WAITING`]'s columns.
#[derive(Debug, Deserialize)]
pub(super) struct Waiting {
    seq: i64,
    due_at_ms: i64,
    subject: Option<String>,
}

/// A delivery's event, and what was tried.
struct Loaded {
    event: StoredEvent,
    attempts: u32,
    first_attempt_at_ms: Option<i64>,
}

pub(super) async fn claim(
    readers: &SqlitePool,
    queue: &Queue,
    claim: &Claim,
    clock: &Clock,
) -> Result<Claimed, sqlx::Error> {
    let _serialized = queue.claiming.lock().await;
    let now_ms = clock.now_ms();
    let taken = queue.taken(now_ms);
    let mut reader = readers.acquire().await?;
    let free = free(&mut reader, claim, &taken).await?;
    let wanted: Vec<i64> = free
        .iter()
        .take_while(|waiting| waiting.due_at_ms <= now_ms)
        .take(claim.deliveries_max as usize)
        .map(|waiting| waiting.seq)
        .collect();
    let loaded = load(&mut reader, claim, &wanted).await?;
    let next_due_ms = free.get(loaded.len()).map(|next| next.due_at_ms.saturating_sub(now_ms));
    // From here on nothing is waited for: a caller that goes away leaves no claim behind.
    let deliveries = loaded
        .into_iter()
        .zip(free)
        .map(|(loaded, waiting)| ClaimedDelivery {
            claim: queue.take(loaded.event.seq, waiting.subject, now_ms, claim.lease),
            event: loaded.event,
            attempts: loaded.attempts,
            first_attempt_ago: loaded.first_attempt_at_ms.map(|at_ms| duration_ms(now_ms - at_ms)),
        })
        .collect();
    Ok(Claimed { deliveries, next_due: next_due_ms.map(duration_ms), now_ms })
}

/// Deliveries that nobody has, due or not, one more than are asked for where there are as many.
async fn free(
    reader: &mut SqliteConnection,
    claim: &Claim,
    taken: &Taken,
) -> Result<Vec<Waiting>, sqlx::Error> {
    // One that is held hides itself, and at most one more of its subject.
    let rows_max = (claim.deliveries_max as usize).saturating_add(2 * taken.len() + 1);
    let mut free = waiting(reader, &claim.destination, rows_max).await?;
    free.retain(|waiting| !taken.has(waiting.seq, waiting.subject.as_deref()));
    Ok(free)
}

pub(super) async fn waiting(
    reader: &mut SqliteConnection,
    destination: &str,
    rows_max: usize,
) -> Result<Vec<Waiting>, sqlx::Error> {
    let rows: String = sqlx::query_scalar(WAITING)
        .bind(destination)
        .bind(i64::try_from(rows_max).unwrap_or(i64::MAX))
        .fetch_one(reader)
        .await?;
    let mut waiting: Vec<Waiting> =
        serde_json::from_str(&rows).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    // SQLite keeps the order, but does not promise to.
    waiting.sort_by_key(|waiting| (waiting.due_at_ms, waiting.seq));
    Ok(waiting)
}

/// The first of the wanted ones, until their payloads reach the claim's limit.
async fn load(
    reader: &mut SqliteConnection,
    claim: &Claim,
    wanted: &[i64],
) -> Result<Vec<Loaded>, sqlx::Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows = sqlx::query(EVENTS).bind(&claim.destination).bind(json(wanted)?).fetch(reader);
    let mut loaded: Vec<Loaded> = Vec::with_capacity(wanted.len());
    let mut sources = Sources::default();
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        let event = rows::event(&row, &mut sources)?;
        if wanted.get(loaded.len()).copied().map(Seq::new) != Some(event.seq) {
            // Pruning keeps events with pending deliveries; somebody has changed the file.
            return Err(sqlx::Error::Protocol(
                "a pending delivery's event is not in the log".into(),
            ));
        }
        bytes += event.payload.len();
        loaded.push(Loaded {
            event,
            attempts: row.try_get(11)?,
            first_attempt_at_ms: row.try_get(12)?,
        });
        if bytes >= claim.bytes_max {
            break;
        }
    }
    Ok(loaded)
}
