//! Reading the log.

use super::append::text;
use super::pools::Pools;
use crate::rows::{self, Sources, event};
use crate::{ReadLimit, ReplayRequest, Seq, StoreError, StoredEvent};

/// The limit of bytes is the database's to keep: it knows how long a payload is without fetching
/// it, and what it has begun to send cannot be stopped.
const EVENTS: &str = "
    SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms, instance_id,
           payload
    FROM (
        SELECT page.*,
               sum(bytes) OVER (ORDER BY seq ROWS UNBOUNDED PRECEDING) - bytes AS bytes_before
        FROM (
            SELECT e.*, coalesce(octet_length(payload), 0) AS bytes
            FROM deskbell.events e WHERE seq > $1 ORDER BY seq LIMIT $2
        ) AS page
    ) AS counted
    WHERE bytes_before < $3 ORDER BY seq";

pub(super) async fn events(
    pools: &Pools,
    after: Seq,
    limit: ReadLimit,
) -> Result<Vec<StoredEvent>, StoreError> {
    let mut work = pools.statement().await?;
    let rows = sqlx::query(EVENTS)
        .bind(after.get())
        .bind(i64::from(limit.events_max.max(1)))
        .bind(i64::try_from(limit.bytes_max.max(1)).unwrap_or(i64::MAX))
        .fetch_all(work.connection())
        .await;
    let mut sources = Sources::default();
    let events = rows.and_then(|rows| rows.iter().map(|row| event(row, &mut sources)).collect());
    work.finish(events).await
}

/// The last number that was given out, also where its event has been pruned.
pub(super) async fn head(pools: &Pools) -> Result<Seq, StoreError> {
    let mut work = pools.statement().await?;
    let head = sqlx::query_scalar("SELECT deskbell.head_v1()").fetch_one(work.connection()).await;
    work.finish(head.map(Seq::new)).await
}

pub(super) async fn first_received_since(pools: &Pools, at_ms: i64) -> Result<Seq, StoreError> {
    let mut work = pools.statement().await?;
    let first = sqlx::query_scalar("SELECT deskbell.first_received_since_v1($1)")
        .bind(at_ms)
        .fetch_one(work.connection())
        .await;
    work.finish(first.map(Seq::new)).await
}

pub(super) async fn message_id_at(pools: &Pools, seq: Seq) -> Result<Option<String>, StoreError> {
    let mut work = pools.statement().await?;
    let message_id = sqlx::query_scalar("SELECT message_id FROM deskbell.events WHERE seq = $1")
        .bind(seq.get())
        .fetch_optional(work.connection())
        .await;
    work.finish(message_id).await
}

pub(super) async fn find(
    pools: &Pools,
    source: &str,
    message_id: &str,
) -> Result<Option<StoredEvent>, StoreError> {
    let mut work = pools.statement().await?;
    let row = sqlx::query(
        "SELECT seq, received_at_ms, source, message_id, type, subject, occurred_at_ms,
                instance_id, payload
         FROM deskbell.events WHERE source = $1 AND message_id = $2",
    )
    .bind(text(source))
    .bind(text(message_id))
    .fetch_optional(work.connection())
    .await;
    let found =
        row.and_then(|row| row.as_ref().map(|row| event(row, &mut Sources::default())).transpose());
    work.finish(found).await
}

pub(super) async fn replay_requests(
    pools: &Pools,
    after: i64,
    requests_max: u32,
) -> Result<Vec<ReplayRequest>, StoreError> {
    let mut work = pools.statement().await?;
    let rows = sqlx::query(
        "SELECT number, seq, requested_at_ms FROM deskbell.replay_requests
         WHERE number > $1 ORDER BY number LIMIT $2",
    )
    .bind(after)
    .bind(i64::from(requests_max))
    .fetch_all(work.connection())
    .await;
    let requests = rows.and_then(|rows| rows.iter().map(rows::replay_request).collect());
    work.finish(requests).await
}
