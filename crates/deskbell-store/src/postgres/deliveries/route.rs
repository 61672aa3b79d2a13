//! Routing: a batch's deliveries and the checkpoints of its destinations, or nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;

use super::lists::Lists;
use crate::deliveries::{FilteredOut, Revived, Routed, RoutedBatch, Routing};
use crate::postgres::PostgresStore;
use crate::postgres::append::text;
use crate::{FencingToken, ReplayRequest, StoreError, rows};

const ROUTE: &str = "SELECT deskbell.route_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

const REVIVE_REQUESTED: &str = "SELECT requests, deliveries, destinations
     FROM deskbell.revive_requested_v1($1, $2, $3)";

const IS_REQUESTED: &str = "SELECT coalesce((SELECT max(number) FROM deskbell.replay_requests), 0)
     > (SELECT replayed_number FROM deskbell.router)";

const REPLAY_REQUESTS: &str = "SELECT number, seq, requested_at_ms FROM deskbell.replay_requests
     WHERE number > $1 ORDER BY number LIMIT $2";

/// It stops counting at the limit for each destination.
const PENDING: &str = "SELECT name, (SELECT count(*) FROM
             (SELECT FROM deskbell.deliveries WHERE destination_id = destination.id LIMIT $1)
             AS counted)
     FROM deskbell.destinations AS destination ORDER BY name";

#[async_trait]
impl Routing for PostgresStore {
    async fn route(&self, batch: &RoutedBatch) -> Result<Routed, StoreError> {
        let checkpoints: BTreeSet<&str> = batch.destinations.iter().map(|name| &**name).collect();
        let lists = Lists::of(&batch.deliveries);
        let unwanted_seqs: Vec<i64> = batch.filtered_out.iter().map(|(seq, _)| seq.get()).collect();
        let reasons: Vec<String> = batch
            .filtered_out
            .iter()
            .map(|(_, filtered_out)| reasons(filtered_out))
            .collect::<Result<_, _>>()?;
        let done: bool = sqlx::query_scalar(ROUTE)
            .bind(self.clock.manual_ms())
            .bind(batch.token.get())
            .bind(batch.from.get())
            .bind(batch.to.get())
            .bind(checkpoints.into_iter().collect::<Vec<_>>())
            .bind(&lists.destinations)
            .bind(lists.counts)
            .bind(lists.seqs)
            .bind(lists.subjects)
            .bind(unwanted_seqs)
            .bind(reasons)
            .fetch_one(&*self.pools)
            .await?;
        if !done {
            return Ok(Routed::Superseded);
        }
        self.wake(lists.destinations);
        Ok(Routed::Done)
    }

    async fn revive_requested(
        &self,
        token: FencingToken,
        requests_max: u32,
    ) -> Result<Revived, StoreError> {
        // Nearly always there is none: the function locks a row, and its commit would wait for the disk.
        let is_requested: bool = sqlx::query_scalar(IS_REQUESTED).fetch_one(&*self.pools).await?;
        if !is_requested {
            return Ok(Revived::Done { requests: 0, deliveries: 0 });
        }
        let revived: Option<(i64, i64, Vec<String>)> = sqlx::query_as(REVIVE_REQUESTED)
            .bind(self.clock.manual_ms())
            .bind(token.get())
            .bind(i64::from(requests_max))
            .fetch_optional(&*self.pools)
            .await?;
        let Some((requests, deliveries, destinations)) = revived else {
            return Ok(Revived::Superseded);
        };
        self.wake(destinations.iter().map(String::as_str));
        Ok(Revived::Done {
            requests: u32::try_from(requests).unwrap_or(u32::MAX),
            deliveries: u64::try_from(deliveries).unwrap_or(0),
        })
    }

    async fn replay_requests(
        &self,
        after: i64,
        requests_max: u32,
    ) -> Result<Vec<ReplayRequest>, StoreError> {
        let requests = sqlx::query(REPLAY_REQUESTS).bind(after).bind(i64::from(requests_max));
        rows::each(&requests.fetch_all(&*self.pools).await?, rows::replay_request)
    }

    async fn pending(&self, pending_max: u32) -> Result<Vec<(Arc<str>, u64)>, StoreError> {
        let pending = sqlx::query(PENDING).bind(i64::from(pending_max));
        rows::each(&pending.fetch_all(&*self.pools).await?, rows::pending)
    }
}

/// The reason by destination, as a JSON object.
fn reasons(filtered_out: &[FilteredOut]) -> Result<String, sqlx::Error> {
    let reasons: BTreeMap<&str, _> =
        filtered_out.iter().map(|one| (&*one.destination, text(&one.reason))).collect();
    serde_json::to_string(&reasons).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
