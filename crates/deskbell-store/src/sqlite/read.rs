//! Reading: short snapshots on the pool of readers, so that none keeps the write-ahead log long.

use futures_util::TryStreamExt;
use sqlx::{SqliteExecutor, SqlitePool};

use crate::rows::{self, Sources, event};
use crate::{ReadLimit, ReplayRequest, Seq, StoredEvent};

pub(super) async fn events(
    readers: &SqlitePool,
    after: Seq,
    limit: ReadLimit,
) -> Result<Vec<StoredEvent>, sqlx::Error> {
    let mut rows = sqlx::query(
        "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
                instance_id, payload
         FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2",
    )
    .bind(after.get())
    .bind(limit.events_max.max(1))
    .fetch(readers);
    let mut events = Vec::new();
    let mut sources = Sources::default();
    let mut bytes = 0;
    while let Some(row) = rows.try_next().await? {
        let event = event(&row, &mut sources)?;
        bytes += event.payload.len();
        events.push(event);
        if bytes >= limit.bytes_max {
            break;
        }
    }
    Ok(events)
}

/// The last number that was given out, also where its event has been pruned.
pub(super) async fn head(executor: impl SqliteExecutor<'_>) -> Result<Seq, sqlx::Error> {
    let head: Option<i64> =
        sqlx::query_scalar("SELECT seq FROM sqlite_sequence WHERE name = 'events'")
            .fetch_optional(executor)
            .await?;
    Ok(head.map_or(Seq::ZERO, Seq::new))
}

/// A binary search: times of receipt grow with the sequence numbers, as far as the clock does, and
/// have no index.
pub(super) async fn first_received_since(
    readers: &SqlitePool,
    at_ms: i64,
) -> Result<Seq, sqlx::Error> {
    let mut reader = readers.acquire().await?;
    let mut past = head(&mut *reader).await?.next();
    let mut first = Seq::new(1);
    while first < past {
        let middle = Seq::new(first.get() + (past.get() - first.get()) / 2);
        // The next one that is there: some may have been pruned.
        let found: Option<(i64, i64)> = sqlx::query_as(
            "SELECT seq, received_at_ms FROM events WHERE seq >= ?1 ORDER BY seq LIMIT 1",
        )
        .bind(middle.get())
        .fetch_optional(&mut *reader)
        .await?;
        match found {
            Some((seq, received_at_ms)) if received_at_ms < at_ms => first = Seq::new(seq).next(),
            _ => past = middle,
        }
    }
    Ok(first)
}

pub(super) async fn message_id_at(
    readers: &SqlitePool,
    seq: Seq,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("SELECT message_id FROM events WHERE seq = ?1")
        .bind(seq.get())
        .fetch_optional(readers)
        .await
}

pub(super) async fn find(
    readers: &SqlitePool,
    source: &str,
    message_id: &str,
) -> Result<Option<StoredEvent>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
                instance_id, payload
         FROM events WHERE source = ?1 AND message_id = ?2",
    )
    .bind(source)
    .bind(message_id)
    .fetch_optional(readers)
    .await?;
    row.map(|row| event(&row, &mut Sources::default())).transpose()
}

pub(super) async fn replay_requests(
    readers: &SqlitePool,
    after: i64,
    requests_max: u32,
) -> Result<Vec<ReplayRequest>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT number, seq, requested_at_ms FROM replay_requests
         WHERE number > ?1 ORDER BY number LIMIT ?2",
    )
    .bind(after)
    .bind(requests_max)
    .fetch_all(readers)
    .await?;
    rows.iter().map(rows::replay_request).collect()
}
