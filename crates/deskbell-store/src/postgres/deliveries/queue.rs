//! The queue of workers: one statement claims what is due and returns the events with it.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::PgRow;
use tokio::sync::Notify;

use super::settle;
use crate::clock::{duration_ms, whole_ms};
use crate::deliveries::{
    Claim, ClaimId, Claimed, ClaimedDelivery, DeliveryQueue, Rescheduled, Settlement,
};
use crate::postgres::PostgresStore;
use crate::rows::{self, Sources};
use crate::{Seq, StoreError};

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

/// There is nothing to claim where there is no such destination.
const CLAIM: &str = "SELECT * FROM deskbell.claim_v3($1,
     (SELECT name FROM deskbell.destinations WHERE name = $2 AND disabled_at_ms IS NULL),
     $3, $4, $5)";

#[async_trait]
impl DeliveryQueue for PostgresStore {
    async fn claim(&self, claim: &Claim) -> Result<Claimed, StoreError> {
        let rows = sqlx::query(CLAIM)
            .bind(self.clock.manual_ms())
            .bind(&claim.destination)
            .bind(i64::from(claim.deliveries_max))
            .bind(i64::try_from(claim.bytes_max).unwrap_or(i64::MAX))
            .bind(whole_ms(claim.lease))
            .fetch_all(&*self.pools)
            .await?;
        Ok(claimed(rows)?)
    }

    async fn settle(
        &self,
        destination: &str,
        settlements: &[Settlement],
    ) -> Result<u64, StoreError> {
        if settlements.is_empty() {
            return Ok(0);
        }
        let manual_ms = self.clock.manual_ms();
        let settled = settle::settle(&self.pools, destination, settlements, manual_ms).await?;
        if settled.wakes {
            self.wake.notify_due(destination);
        }
        Ok(settled.lost)
    }

    async fn release(&self, destination: &str, claims: &[ClaimId]) -> Result<(), StoreError> {
        let mut claims = claims.to_vec();
        claims.sort_unstable_by_key(|claim| claim.seq);
        let seqs: Vec<i64> = claims.iter().map(|claim| claim.seq.get()).collect();
        let numbers: Vec<i64> = claims.iter().map(|claim| claim.number).collect();
        sqlx::query("SELECT deskbell.release_v1($1, $2, $3)")
            .bind(destination)
            .bind(seqs)
            .bind(numbers)
            .execute(&*self.pools)
            .await?;
        self.wake.notify_due(destination);
        Ok(())
    }

    async fn schedule_next_now(
        &self,
        destination: &str,
    ) -> Result<Option<Rescheduled>, StoreError> {
        let rescheduled: Option<(i64, i64)> = sqlx::query_as(SCHEDULE_NEXT_NOW)
            .bind(self.clock.manual_ms())
            .bind(destination)
            .fetch_optional(&*self.pools)
            .await?;
        if rescheduled.is_some() {
            self.wake.notify_due(destination);
        }
        Ok(rescheduled.map(|(seq, due_at_ms)| Rescheduled { seq: Seq::new(seq), due_at_ms }))
    }

    fn due(&self, destination: &str) -> Arc<Notify> {
        self.wake.due(destination)
    }
}

/// The last row says when the next delivery is due.
fn claimed(mut rows: Vec<PgRow>) -> Result<Claimed, sqlx::Error> {
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
