//! Deliveries that several processes share: what is claimed, ordered and settled by two stores on
//! one database, and what a claim costs.

mod cost;
mod database;
mod order;
mod releases;
mod replicas;

use deskbell_store::conformance::{events, work};
use deskbell_store::deliveries::{
    ClaimedDelivery, DeliveryKey, DeliveryQueries, NewDelivery, Ordering, Replays, Settlement,
    Verdict,
};
use deskbell_store::{EventLog, NewEvent, PostgresStore};

pub(crate) use work::LEASE;

async fn register(store: &PostgresStore, ordering: Ordering) {
    work::register(store, "hook", ordering).await;
}

/// This many events that are pending for the destination, about so many subjects in turn.
async fn append_and_route(store: &PostgresStore, count: usize, subjects: usize) {
    let about = |n: usize, event| NewEvent { subject: Some(subject(n + 1, subjects)), ..event };
    let pending: Vec<_> = events("pending", count)
        .into_iter()
        .enumerate()
        .map(|(n, event)| about(n, event))
        .collect();
    for batch in pending.chunks(500) {
        store.append(batch).await.unwrap();
    }
    let pending: Vec<_> = (1..)
        .zip(pending)
        .map(|(seq, event)| NewDelivery { key: key(seq), subject: event.subject })
        .collect();
    for batch in pending.chunks(500) {
        assert_eq!(store.enqueue(batch).await.unwrap(), batch.len() as u64);
    }
}

fn subject(seq: usize, subjects: usize) -> String {
    format!("user_{}", seq % subjects)
}

fn key(seq: i64) -> DeliveryKey {
    work::key("hook", seq)
}

async fn claim(store: &PostgresStore, deliveries_max: u32) -> Vec<ClaimedDelivery> {
    work::claim(store, "hook", deliveries_max).await.deliveries
}

fn seqs(claimed: &[ClaimedDelivery]) -> Vec<i64> {
    claimed.iter().map(|one| one.claim.seq.get()).collect()
}

fn settlement(claimed: &ClaimedDelivery, verdict: Verdict) -> Settlement {
    Settlement { verdict, ..work::delivered(claimed) }
}

fn delivered(claimed: &[ClaimedDelivery]) -> Vec<Settlement> {
    claimed.iter().map(work::delivered).collect()
}

async fn pending(store: &PostgresStore) -> u64 {
    store.backlogs().await.unwrap()[0].pending
}
