//! Replay: what was settled becomes pending again, on somebody's word or at the sender's request.

use crate::postgres::PooledConnection;
use sqlx::Row;

use super::lists::Lists;
use crate::FencingToken;
use crate::deliveries::DeliveryKey;

/// What was done about replay requests.
pub(super) struct Acted {
    pub(super) requests: u32,
    pub(super) deliveries: u64,
    /// Those that have deliveries to make again.
    pub(super) destinations: Vec<String>,
}

pub(super) async fn revive(
    connection: &mut PooledConnection,
    deliveries: &[DeliveryKey],
    manual_ms: Option<i64>,
) -> Result<u64, sqlx::Error> {
    let lists = Lists::of(deliveries.iter().map(|key| (key, None)));
    let revived: i64 = sqlx::query_scalar("SELECT deskbell.revive_v1($1, $2, $3, $4)")
        .bind(manual_ms)
        .bind(lists.destinations)
        .bind(lists.counts)
        .bind(lists.seqs)
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(revived).unwrap_or(0))
}

/// Acts on the next replay requests; `None` where another router has taken over.
pub(super) async fn act(
    connection: &mut PooledConnection,
    token: FencingToken,
    requests_max: u32,
    manual_ms: Option<i64>,
) -> Result<Option<Acted>, sqlx::Error> {
    let row = sqlx::query("SELECT * FROM deskbell.revive_requested_v1($1, $2, $3)")
        .bind(manual_ms)
        .bind(token.get())
        .bind(i64::from(requests_max))
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Acted {
        requests: u32::try_from(row.try_get::<i64, _>("requests")?).unwrap_or(u32::MAX),
        deliveries: u64::try_from(row.try_get::<i64, _>("deliveries")?).unwrap_or(0),
        destinations: row.try_get("destinations")?,
    }))
}
