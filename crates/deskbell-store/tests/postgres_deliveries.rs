//! Deliveries that several processes share: what is claimed, ordered and settled by two stores on
//! one database, and what a claim costs.

mod cost;
mod database;
mod order;
mod releases;
mod replicas;

use std::time::Duration;

use deskbell_store::conformance::events;
use deskbell_store::deliveries::{
    AttemptRecord, Claim, ClaimedDelivery, DeliveryKey, DeliveryQueries, DeliveryQueue,
    Destinations, NewDelivery, Ordering, Registration, Replays, Settlement, StartFrom, Verdict,
};
use deskbell_store::{EventLog, NewEvent, PostgresStore, Seq};

const LEASE: Duration = Duration::from_secs(60);

async fn register(store: &PostgresStore, ordering: Ordering) {
    let (name, from) = ("hook".to_owned(), StartFrom::Beginning);
    store.register(&Registration { name, from, ordering }).await.unwrap();
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
    DeliveryKey { destination: "hook".into(), seq: Seq::new(seq) }
}

async fn claim(store: &PostgresStore, deliveries_max: u32) -> Vec<ClaimedDelivery> {
    let destination = "hook".to_owned();
    let claim = Claim { destination, deliveries_max, bytes_max: usize::MAX, lease: LEASE };
    store.claim(&claim).await.unwrap().deliveries
}

fn seqs(claimed: &[ClaimedDelivery]) -> Vec<i64> {
    claimed.iter().map(|one| one.claim.seq.get()).collect()
}

fn settlement(claimed: &ClaimedDelivery, verdict: Verdict) -> Settlement {
    let attempt = AttemptRecord {
        ago: Duration::ZERO,
        duration: Duration::ZERO,
        status: Some(200),
        error: None,
        reply: "ok".into(),
    };
    Settlement { claim: claimed.claim, attempt: Some(attempt), verdict }
}

fn delivered(claimed: &[ClaimedDelivery]) -> Vec<Settlement> {
    claimed.iter().map(|one| settlement(one, Verdict::Delivered)).collect()
}

async fn pending(store: &PostgresStore) -> u64 {
    store.backlogs().await.unwrap()[0].pending
}
