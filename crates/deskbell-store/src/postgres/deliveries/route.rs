//! Routing: a batch's deliveries and the checkpoints of its destinations, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::postgres::PooledConnection;

use super::lists::Lists;
use crate::deliveries::{FilteredOut, NewDelivery, Routed, RoutedBatch};
use crate::postgres::append::text;

const ROUTE: &str = "SELECT deskbell.route_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

pub(super) async fn route(
    connection: &mut PooledConnection,
    batch: &RoutedBatch,
    manual_ms: Option<i64>,
) -> Result<Routed, sqlx::Error> {
    let checkpoints: BTreeSet<&str> = batch.destinations.iter().map(|name| &**name).collect();
    let lists = lists(&batch.deliveries);
    let unwanted_seqs: Vec<i64> = batch.filtered_out.iter().map(|(seq, _)| seq.get()).collect();
    let reasons: Vec<String> = batch
        .filtered_out
        .iter()
        .map(|(_, filtered_out)| reasons(filtered_out))
        .collect::<Result<_, _>>()?;
    let done: bool = sqlx::query_scalar(ROUTE)
        .bind(manual_ms)
        .bind(batch.token.get())
        .bind(batch.from.get())
        .bind(batch.to.get())
        .bind(checkpoints.into_iter().collect::<Vec<_>>())
        .bind(lists.destinations)
        .bind(lists.counts)
        .bind(lists.seqs)
        .bind(lists.subjects)
        .bind(unwanted_seqs)
        .bind(reasons)
        .fetch_one(connection)
        .await?;
    Ok(if done { Routed::Done } else { Routed::Superseded })
}

pub(super) async fn enqueue(
    connection: &mut PooledConnection,
    deliveries: &[NewDelivery],
    manual_ms: Option<i64>,
) -> Result<u64, sqlx::Error> {
    let lists = lists(deliveries);
    let added: i64 = sqlx::query_scalar("SELECT deskbell.enqueue_v1($1, $2, $3, $4, $5)")
        .bind(manual_ms)
        .bind(lists.destinations)
        .bind(lists.counts)
        .bind(lists.seqs)
        .bind(lists.subjects)
        .fetch_one(connection)
        .await?;
    Ok(u64::try_from(added).unwrap_or(0))
}

fn lists(deliveries: &[NewDelivery]) -> Lists<'_> {
    Lists::of(deliveries.iter().map(|one| (&one.key, one.subject.as_deref())))
}

/// The reason by destination, as a JSON object.
fn reasons(filtered_out: &[FilteredOut]) -> Result<String, sqlx::Error> {
    let reasons: BTreeMap<&str, _> =
        filtered_out.iter().map(|one| (&*one.destination, text(&one.reason))).collect();
    serde_json::to_string(&reasons).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
