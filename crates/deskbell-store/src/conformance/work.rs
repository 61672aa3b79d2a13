//! How tests come by deliveries, and what they do with them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use super::events;
use crate::deliveries::{
    AttemptRecord, Claim, Claimed, ClaimedDelivery, DeliveryKey, DeliveryState, NewDelivery,
    Ordering, ROUTER, Registration, Routed, RoutedBatch, Settlement, StartFrom, Verdict,
};
use crate::{NewEvent, Seq, Store, StoredEvent};

pub const LEASE: Duration = Duration::from_secs(60);

/// A destination whose checkpoint is the log's end.
pub async fn register(store: &dyn Store, name: &str, ordering: Ordering) {
    let from = StartFrom::Now;
    store.register(&Registration { name: name.to_owned(), from, ordering }).await.unwrap();
}

pub fn key(destination: &str, seq: i64) -> DeliveryKey {
    DeliveryKey { destination: destination.into(), seq: Seq::new(seq) }
}

pub fn new_delivery(destination: &str, seq: i64, subject: &str) -> NewDelivery {
    NewDelivery { key: key(destination, seq), subject: Some(subject.to_owned()) }
}

pub fn about(message_id: &str, subject: &str) -> NewEvent {
    NewEvent { subject: Some(subject.to_owned()), ..super::event(message_id) }
}

/// Appends the events, and routes them to these destinations, whose checkpoints are the log's end.
pub async fn append_and_route(store: &dyn Store, destinations: &[&str], events: &[NewEvent]) {
    let from = store.head().await.unwrap();
    let appended = store.append(events).await.unwrap();
    let deliveries = destinations
        .iter()
        .flat_map(|destination| {
            appended.iter().map(|one| one.seq()).zip(events).map(|(seq, event)| NewDelivery {
                key: key(destination, seq.get()),
                subject: event.subject.clone(),
            })
        })
        .collect();
    let batch = RoutedBatch { deliveries, ..empty_batch(store, destinations, from).await };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Done);
}

/// A batch up to the log's end with nothing in it, by a router that has just taken over.
pub async fn empty_batch(store: &dyn Store, destinations: &[&str], from: Seq) -> RoutedBatch {
    RoutedBatch {
        token: store.next_fencing_token(ROUTER).await.unwrap(),
        from,
        to: store.head().await.unwrap(),
        destinations: destinations.iter().map(|name| (*name).into()).collect(),
        deliveries: Vec::new(),
        filtered_out: Vec::new(),
    }
}

/// An unordered destination with this many pending deliveries.
pub async fn destination_with(store: &dyn Store, name: &str, count: usize) {
    register(store, name, Ordering::None).await;
    append_and_route(store, &[name], &events(name, count)).await;
}

/// A claim without a limit of bytes.
pub fn claim_of(destination: &str, deliveries_max: u32) -> Claim {
    let (destination, bytes_max) = (destination.to_owned(), usize::MAX);
    Claim { destination, deliveries_max, bytes_max, lease: LEASE }
}

pub async fn claim(store: &dyn Store, destination: &str, deliveries_max: u32) -> Claimed {
    store.claim(&claim_of(destination, deliveries_max)).await.unwrap()
}

/// The places of what can be claimed now, and the claims.
pub async fn claim_all(store: &dyn Store, destination: &str) -> (Vec<i64>, Vec<ClaimedDelivery>) {
    let claimed = claim(store, destination, 10_000).await.deliveries;
    (claimed.iter().map(|one| one.claim.seq.get()).collect(), claimed)
}

/// An attempt that has just been made, and took a second.
pub fn attempt(status: Option<u16>, error: Option<&str>) -> AttemptRecord {
    AttemptRecord {
        ago: Duration::from_secs(1),
        duration: Duration::from_secs(1),
        status,
        error: error.map(ToOwned::to_owned),
        reply: bytes::Bytes::new(),
    }
}

pub fn delivered(claimed: &ClaimedDelivery) -> Settlement {
    let attempt = Some(attempt(Some(200), None));
    Settlement { claim: claimed.claim, attempt, verdict: Verdict::Delivered }
}

pub fn retry(claimed: &ClaimedDelivery, after: Duration) -> Settlement {
    let attempt = Some(attempt(Some(500), Some("status 500")));
    Settlement { claim: claimed.claim, attempt, verdict: Verdict::Retry(after) }
}

pub fn dead_lettered(claimed: &ClaimedDelivery, reason: &str) -> Settlement {
    let attempt = Some(attempt(None, Some("no connection")));
    Settlement { claim: claimed.claim, attempt, verdict: Verdict::DeadLetter(reason.to_owned()) }
}

/// Settles, of which none may be lost.
pub async fn settle(store: &dyn Store, destination: &str, settlements: &[Settlement]) {
    assert_eq!(store.settle(destination, settlements).await.unwrap(), 0, "claims were lost");
}

/// Claims what can be claimed, and dead-letters it.
pub async fn dead_letter_all(store: &dyn Store, destination: &str, reason: &str) {
    let (_, claimed) = claim_all(store, destination).await;
    let settlements: Vec<_> = claimed.iter().map(|one| dead_lettered(one, reason)).collect();
    settle(store, destination, &settlements).await;
}

pub async fn state(store: &dyn Store, destination: &str, seq: i64) -> DeliveryState {
    let deliveries = store.deliveries_of(Seq::new(seq)).await.unwrap();
    deliveries.into_iter().find(|one| *one.key.destination == *destination).unwrap().state
}

pub async fn stored(store: &dyn Store, seq: i64) -> StoredEvent {
    let after = Seq::new(seq - 1);
    store.read(after, crate::ReadLimit::default()).await.unwrap().remove(0)
}
