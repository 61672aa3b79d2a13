//! Routing: a batch's deliveries and the checkpoints of its destinations, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};

use super::{json, pending, replay};
use crate::deliveries::{FilteredOut, ROUTER, Revived, Routed, RoutedBatch, Routing};
use crate::sqlite::SqliteStore;
use crate::{FencingToken, ReplayRequest, Seq, StoreError, rows};

const REPLAY_REQUESTS: &str = "SELECT number, seq, requested_at_ms FROM replay_requests
     WHERE number > ?1 ORDER BY number LIMIT ?2";

/// It stops counting at the limit for each destination.
pub(super) const PENDING: &str = "SELECT name, (SELECT count(*) FROM
             (SELECT 1 FROM deliveries WHERE destination_id = destination.id LIMIT ?1))
     FROM destinations AS destination ORDER BY name";

#[async_trait]
impl Routing for SqliteStore {
    async fn route(&self, batch: &RoutedBatch) -> Result<Routed, StoreError> {
        let mut connection = self.connection().await?;
        let routed = route(&mut connection, batch, self.clock.now_ms()).await?;
        drop(connection);
        if routed == Routed::Done {
            self.queues.wake(batch.deliveries.iter().map(|delivery| &*delivery.key.destination));
        }
        Ok(routed)
    }

    async fn revive_requested(
        &self,
        token: FencingToken,
        requests_max: u32,
    ) -> Result<Revived, StoreError> {
        // Nearly always there is none, and the one connection that writes is not kept for it.
        if !replay::is_requested(&self.readers).await? {
            return Ok(Revived::Done { requests: 0, deliveries: 0 });
        }
        let mut connection = self.connection().await?;
        let now_ms = self.clock.now_ms();
        let acted = replay::act(&mut connection, token, requests_max, now_ms).await?;
        drop(connection);
        let Some(acted) = acted else { return Ok(Revived::Superseded) };
        self.queues.wake(acted.destinations.iter().map(String::as_str));
        Ok(Revived::Done { requests: acted.requests, deliveries: acted.deliveries })
    }

    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError> {
        let requests = sqlx::query(REPLAY_REQUESTS).bind(after).bind(requests_max);
        rows::each(&requests.fetch_all(&self.readers).await?, rows::replay_request)
    }

    async fn pending(&self, pending_max: u32) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        let pending = sqlx::query(PENDING).bind(pending_max);
        rows::each(&pending.fetch_all(&self.readers).await?, rows::pending)
    }
}

async fn route(
    connection: &mut SqliteConnection,
    batch: &RoutedBatch,
    now_ms: i64,
) -> Result<Routed, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if !move_checkpoints(&mut transaction, batch).await? {
        transaction.rollback().await?;
        return Ok(Routed::Superseded);
    }
    pending::add(&mut transaction, &batch.deliveries, now_ms).await?;
    set_aside(&mut transaction, &batch.filtered_out).await?;
    transaction.commit().await?;
    Ok(Routed::Done)
}

/// Moves all of the batch's checkpoints; `false` if one of them is not where the batch begins, or another
/// router has taken over.
async fn move_checkpoints(
    connection: &mut SqliteConnection,
    batch: &RoutedBatch,
) -> Result<bool, sqlx::Error> {
    let names: BTreeSet<&str> = batch.destinations.iter().map(|name| &**name).collect();
    let moved = sqlx::query(
        "UPDATE destinations SET routed_seq = ?3
         WHERE routed_seq = ?2 AND name IN (SELECT value FROM json_each(?1))
             AND (SELECT token FROM consumers WHERE name = ?4) = ?5",
    )
    .bind(json(&names)?)
    .bind(batch.from.get())
    .bind(batch.to.get())
    .bind(ROUTER)
    .bind(batch.token.get())
    .execute(connection)
    .await?
    .rows_affected();
    Ok(moved == names.len() as u64)
}

/// Stores why these were filtered out, beside the reasons of other destinations.
async fn set_aside(
    connection: &mut SqliteConnection,
    filtered_out: &[(Seq, Vec<FilteredOut>)],
) -> Result<(), sqlx::Error> {
    if filtered_out.is_empty() {
        return Ok(());
    }
    let rows: Vec<(i64, BTreeMap<&str, &str>)> = filtered_out
        .iter()
        .map(|(seq, reasons)| {
            let reasons = reasons.iter().map(|one| (&*one.destination, one.reason.as_str()));
            (seq.get(), reasons.collect())
        })
        .collect();
    sqlx::query(
        "INSERT INTO unwanted_events (seq, reasons)
         SELECT value ->> 0, value -> 1 FROM json_each(?1) WHERE true
         ON CONFLICT (seq) DO UPDATE SET reasons = json_patch(reasons, excluded.reasons)",
    )
    .bind(json(&rows)?)
    .execute(connection)
    .await?;
    Ok(())
}
