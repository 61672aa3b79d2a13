//! What is claimed is one worker's until its lease ends.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::work::{
    LEASE, append_and_route, claim, claim_all, claim_of, delivered, destination_with, retry, settle,
};
use super::{Backend, event, events};
use crate::deliveries::{Claim, ClaimedDelivery, DestinationHealth, Disabled, Rescheduled};
use crate::{NewEvent, Seq, Store};

const NONE: [i64; 0] = [];

pub async fn nobody_else_gets_what_is_claimed(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 5).await;
    let first = claim(&*store, "hook", 2).await.deliveries;
    let (rest, _) = claim_all(&*store, "hook").await;
    assert_eq!((first.len(), rest), (2, vec![3, 4, 5]));
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
}

pub async fn a_lease_that_ends_lets_others_in(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, first) = claim_all(&*store, "hook").await;
    backend.advance(LEASE - Duration::from_millis(1));
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
    backend.advance(Duration::from_millis(1));
    let (seqs, second) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [1, 2]);
    assert_ne!(first[0].claim.number, second[0].claim.number);
}

pub async fn nothing_is_claimed_for_a_destination_that_is_paused(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let paused = DestinationHealth {
        disabled: Some(Disabled::paused_by("somebody", 1)),
        ..DestinationHealth::default()
    };
    store.set_health("hook", &paused).await.unwrap();
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
    store.set_health("hook", &DestinationHealth::default()).await.unwrap();
    assert_eq!(claim_all(&*store, "hook").await.0, [1, 2]);
}

pub async fn the_limits_of_a_claim(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 0).await;
    let large: Vec<_> = events("a", 5)
        .into_iter()
        .map(|event| NewEvent { payload: vec![b' '; 1_000].into(), ..event })
        .collect();
    append_and_route(&*store, &["hook"], &large).await;
    let limited = Claim { bytes_max: 1_500, ..claim_of("hook", 100) };
    let claimed = store.claim(&limited).await.unwrap();
    assert_eq!(claimed.deliveries.len(), 2, "the one that reaches the limit is the last");
    assert_eq!(claimed.next_due, Some(Duration::ZERO));
    let one = store.claim(&Claim { bytes_max: 1, ..limited.clone() }).await.unwrap();
    assert_eq!(one.deliveries.len(), 1, "at least one");
    let none = store.claim(&Claim { deliveries_max: 0, ..limited }).await.unwrap();
    assert_eq!((none.deliveries.len(), none.next_due), (0, Some(Duration::ZERO)));
}

pub async fn the_longest_due_comes_first(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 3).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let seconds = [30, 10, 20].map(Duration::from_secs);
    let retries: Vec<_> =
        claimed.iter().zip(seconds).map(|(claimed, after)| retry(claimed, after)).collect();
    settle(&*store, "hook", &retries).await;
    append_and_route(&*store, &["hook"], &[event("later")]).await;
    backend.advance(Duration::from_secs(60));
    assert_eq!(claim_all(&*store, "hook").await.0, [4, 2, 3, 1]);
}

pub async fn the_next_due_time(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 3).await;
    let one = claim(&*store, "hook", 1).await;
    assert_eq!(one.now_ms, store.now_ms().await.unwrap());
    assert_eq!(one.next_due, Some(Duration::ZERO), "two more are due");
    let two = claim(&*store, "hook", 2).await;
    assert_eq!(two.next_due, None, "all are claimed");
    settle(&*store, "hook", &[retry(&one.deliveries[0], Duration::from_secs(5))]).await;
    settle(&*store, "hook", &[retry(&two.deliveries[0], Duration::from_secs(9))]).await;
    backend.advance(Duration::from_secs(1));
    assert_eq!(claim(&*store, "hook", 2).await.next_due, Some(Duration::from_secs(4)));
    backend.advance(Duration::from_secs(4));
    let third = claim(&*store, "hook", 2).await;
    assert_eq!((third.deliveries.len(), third.next_due), (1, Some(Duration::from_secs(4))));
}

pub async fn what_is_released_is_due_again(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    store.release("hook", &[claimed[1].claim]).await.unwrap();
    let (seqs, again) = claim_all(&*store, "hook").await;
    assert_eq!((seqs, again[0].attempts), (vec![2], 0));
    store.release("hook", &[claimed[1].claim]).await.unwrap();
    assert_eq!(claim_all(&*store, "hook").await.0, NONE, "that claim is somebody else's now");
}

pub async fn the_next_one_is_scheduled_now_where_none_is_due(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    assert_eq!(store.schedule_next_now("nobody").await.unwrap(), None);
    assert_eq!(store.schedule_next_now("hook").await.unwrap(), None, "they are due");
    let (_, claimed) = claim_all(&*store, "hook").await;
    assert_eq!(store.schedule_next_now("hook").await.unwrap(), None, "they are being attempted");
    let waits = [40, 20].map(Duration::from_secs);
    let retries: Vec<_> =
        claimed.iter().zip(waits).map(|(claimed, after)| retry(claimed, after)).collect();
    settle(&*store, "hook", &retries).await;
    let due_at_ms = store.now_ms().await.unwrap() + 20_000;
    let rescheduled = store.schedule_next_now("hook").await.unwrap();
    assert_eq!(rescheduled, Some(Rescheduled { seq: Seq::new(2), due_at_ms }));
    assert_eq!(store.schedule_next_now("hook").await.unwrap(), None, "one is due");
    let (seqs, claimed) = claim_all(&*store, "hook").await;
    assert_eq!((seqs, claimed[0].attempts), (vec![2], 1));
}

pub async fn destinations_have_claims_of_their_own(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "crm", 0).await;
    destination_with(&*store, "hook", 0).await;
    append_and_route(&*store, &["crm", "hook"], &events("a", 2)).await;
    let (_, crm) = claim_all(&*store, "crm").await;
    let (seqs, hook) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [1, 2]);
    settle(&*store, "hook", &[delivered(&hook[0]), delivered(&hook[1])]).await;
    settle(&*store, "crm", &[delivered(&crm[0])]).await;
    store.release("crm", &[crm[1].claim]).await.unwrap();
    assert_eq!(claim_all(&*store, "crm").await.0, [2]);
}

pub async fn a_restart_gives_everything_back(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 3).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    let store = backend.reopen(store).await;
    backend.advance(LEASE);
    assert_eq!(claim_all(&*store, "hook").await.0, [2, 3]);
}

/// Two that claim and one that settles, all at once: each delivery is handed out once.
pub async fn nothing_is_handed_out_twice(backend: &dyn Backend) {
    const DELIVERIES: usize = 2_000;
    let store = backend.create().await;
    destination_with(&*store, "hook", DELIVERIES).await;
    let (to_settle, claimed) = mpsc::unbounded_channel();
    let seen = Arc::new(Mutex::new(HashSet::new()));
    let mut tasks = JoinSet::new();
    for _ in 0..2 {
        let (store, to_settle, seen) = (Arc::clone(&store), to_settle.clone(), Arc::clone(&seen));
        tasks.spawn(async move {
            loop {
                let claimed = claim(&*store, "hook", 7).await.deliveries;
                if claimed.is_empty() {
                    break;
                }
                for one in &claimed {
                    let new = seen.lock().unwrap().insert(one.claim.seq);
                    assert!(new, "{} was handed out twice", one.claim.seq);
                }
                to_settle.send(claimed).unwrap();
            }
        });
    }
    drop(to_settle);
    tasks.spawn(settle_all(Arc::clone(&store), claimed));
    tasks.join_all().await;
    assert_eq!(seen.lock().unwrap().len(), DELIVERIES);
    assert_eq!(store.backlogs().await.unwrap()[0].pending, 0);
}

async fn settle_all(
    store: Arc<dyn Store>,
    mut claimed: mpsc::UnboundedReceiver<Vec<ClaimedDelivery>>,
) {
    while let Some(claimed) = claimed.recv().await {
        let settlements: Vec<_> = claimed.iter().map(delivered).collect();
        settle(&*store, "hook", &settlements).await;
    }
}
