//! A claim: one statement claims what is due and returns the events with it.

use crate::postgres::PooledConnection;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Seq;
use crate::clock::{duration_ms, whole_ms};
use crate::deliveries::{Claim, ClaimId, Claimed, ClaimedDelivery, Rescheduled};
use crate::rows::{self, Sources};

/// A claimed delivery was due, so that it counts; a locked one is being claimed.
const SCHEDULE_NEXT_NOW: &str = "WITH next AS MATERIALIZED (
         SELECT seq, destination_id, due_at_ms FROM deskbell.deliveries
         WHERE destination_id = (SELECT id FROM deskbell.destinations WHERE name = $2)
             AND NOT blocked
         ORDER BY due_at_ms, seq LIMIT 1 FOR UPDATE SKIP LOCKED
     )
     UPDATE deskbell.deliveries AS pending SET due_at_ms = coalesce($1, deskbell.now_ms())
     FROM next
     WHERE pending.destination_id = next.destination_id AND pending.seq = next.seq
         AND next.due_at_ms > coalesce($1, deskbell.now_ms())
     RETURNING next.seq, next.due_at_ms";

const CLAIM: &str = "SELECT * FROM deskbell.claim_v1($1, $2, $3, $4, $5)";

pub(super) async fn claim(
    connection: &mut PooledConnection,
    claim: &Claim,
    manual_ms: Option<i64>,
) -> Result<Claimed, sqlx::Error> {
    let mut rows = sqlx::query(CLAIM)
        .bind(manual_ms)
        .bind(&claim.destination)
        .bind(i64::from(claim.deliveries_max))
        .bind(i64::try_from(claim.bytes_max).unwrap_or(i64::MAX))
        .bind(whole_ms(claim.lease))
        .fetch_all(connection)
        .await?;
    let next = rows.pop().ok_or(sqlx::Error::RowNotFound)?;
    let now_ms: i64 = next.try_get("now_ms")?;
    let next_due_ms: Option<i64> = next.try_get("due_at_ms")?;
    let mut sources = Sources::default();
    let mut deliveries = rows
        .iter()
        .map(|row| Ok((row.try_get("due_at_ms")?, delivery(row, &mut sources, now_ms)?)))
        .collect::<Result<Vec<(i64, ClaimedDelivery)>, sqlx::Error>>()?;
    deliveries.sort_unstable_by_key(|(due_at_ms, delivery)| (*due_at_ms, delivery.claim.seq));
    Ok(Claimed {
        deliveries: deliveries.into_iter().map(|(_, delivery)| delivery).collect(),
        next_due: next_due_ms.map(|due_at_ms| duration_ms(due_at_ms.saturating_sub(now_ms))),
        now_ms,
    })
}

/// Makes the delivery that is due next due now, where it is not yet.
pub(super) async fn schedule_next_now(
    connection: &mut PooledConnection,
    destination: &str,
    manual_ms: Option<i64>,
) -> Result<Option<Rescheduled>, sqlx::Error> {
    let rescheduled: Option<(i64, i64)> = sqlx::query_as(SCHEDULE_NEXT_NOW)
        .bind(manual_ms)
        .bind(destination)
        .fetch_optional(connection)
        .await?;
    Ok(rescheduled.map(|(seq, due_at_ms)| Rescheduled { seq: Seq::new(seq), due_at_ms }))
}

fn delivery(
    row: &PgRow,
    sources: &mut Sources,
    now_ms: i64,
) -> Result<ClaimedDelivery, sqlx::Error> {
    if row.try_get::<Option<&str>, _>("source")?.is_none() {
        // Pruning keeps events with pending deliveries; somebody has changed the table.
        return Err(sqlx::Error::Protocol("a pending delivery's event is not in the log".into()));
    }
    let first_attempt_at_ms: Option<i64> = row.try_get("first_attempt_at_ms")?;
    let claim = ClaimId { seq: Seq::new(row.try_get("seq")?), number: row.try_get("number")? };
    Ok(ClaimedDelivery {
        claim,
        event: rows::event(row, sources)?,
        attempts: u32::try_from(row.try_get::<i32, _>("attempts")?).unwrap_or(0),
        first_attempt_ago: first_attempt_at_ms.map(|at_ms| duration_ms(now_ms - at_ms)),
    })
}

pub(super) async fn release(
    connection: &mut PooledConnection,
    destination: &str,
    claims: &[ClaimId],
) -> Result<(), sqlx::Error> {
    let mut claims = claims.to_vec();
    claims.sort_unstable_by_key(|claim| claim.seq);
    let seqs: Vec<i64> = claims.iter().map(|claim| claim.seq.get()).collect();
    let numbers: Vec<i64> = claims.iter().map(|claim| claim.number).collect();
    sqlx::query("SELECT deskbell.release_v1($1, $2, $3)")
        .bind(destination)
        .bind(seqs)
        .bind(numbers)
        .execute(connection)
        .await?;
    Ok(())
}
