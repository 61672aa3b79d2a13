//! What was settled can be made pending again, by hand or by sending the message again.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{
    append_and_route, claim_all, dead_letter_all, delivered, destination_with, key, register,
    retry, settle, state,
};
use super::{Backend, event, events};
use crate::Seq;
use crate::deliveries::{DeadLetterQuery, DeliveryState, Ordering, ROUTER, Revived};

const NONE: [i64; 0] = [];

pub async fn a_dead_letter_comes_back_with_a_new_schedule(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[retry(&claimed[0], Duration::ZERO)]).await;
    dead_letter_all(&*store, "hook", "no use").await;
    let due = store.due("hook");
    due.notified().await; // what was routed
    let woken = due.notified();
    assert_eq!(store.revive(&[key("hook", 1), key("hook", 9)]).await.unwrap(), 1);
    woken.await;
    let (seqs, again) = claim_all(&*store, "hook").await;
    assert_eq!((seqs, again[0].attempts, again[0].first_attempt_ago), (vec![1], 0, None));
    let query = DeadLetterQuery { limit: 10, ..DeadLetterQuery::default() };
    assert_eq!(store.dead_letters(&query).await.unwrap(), [], "the other one is claimed");
}

pub async fn what_was_delivered_can_be_sent_again(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    assert_eq!(store.revive(&[key("hook", 1), key("hook", 1)]).await.unwrap(), 1);
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn what_is_pending_is_due_at_once(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[retry(&claimed[0], Duration::from_secs(3_600))]).await;
    assert_eq!(store.revive(&[key("hook", 1)]).await.unwrap(), 1);
    let (seqs, again) = claim_all(&*store, "hook").await;
    assert_eq!((seqs, again[0].attempts), (vec![1], 1), "its schedule goes on");
}

pub async fn a_message_sent_again_revives_its_dead_letters(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "crm", Ordering::None).await;
    register(&*store, "hook", Ordering::None).await;
    register(&*store, "slow", Ordering::None).await;
    append_and_route(&*store, &["crm", "hook", "slow"], &events("a", 2)).await;
    dead_letter_all(&*store, "hook", "no use").await;
    let (_, claimed) = claim_all(&*store, "crm").await;
    settle(&*store, "crm", &[delivered(&claimed[0]), delivered(&claimed[1])]).await;
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    store.append(&[event("a_1")]).await.unwrap();
    let revived = store.revive_requested(token, 10).await.unwrap();
    assert_eq!(revived, Revived::Done { requests: 1, deliveries: 1 });
    assert_eq!(claim_all(&*store, "hook").await.0, [2]);
    assert_eq!(claim_all(&*store, "crm").await.0, NONE, "it was delivered");
}

pub async fn only_the_newest_router_acts(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    dead_letter_all(&*store, "hook", "no use").await;
    store.append(&[event("hook_0")]).await.unwrap();
    let older = store.next_fencing_token(ROUTER).await.unwrap();
    let newest = store.next_fencing_token(ROUTER).await.unwrap();
    assert_eq!(store.revive_requested(older, 10).await.unwrap(), Revived::Superseded);
    assert!(matches!(state(&*store, "hook", 1).await, DeliveryState::DeadLettered { .. }));
    let revived = store.revive_requested(newest, 10).await.unwrap();
    assert_eq!(revived, Revived::Done { requests: 1, deliveries: 1 });
}

pub async fn requests_are_acted_on_once_and_in_pieces(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 3).await;
    dead_letter_all(&*store, "hook", "no use").await;
    let sent_again = [event("hook_2"), event("hook_0"), event("hook_0")];
    store.append(&sent_again).await.unwrap();
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    let first = store.revive_requested(token, 2).await.unwrap();
    assert_eq!(first, Revived::Done { requests: 2, deliveries: 2 });
    let store = backend.reopen(store).await;
    dead_letter_all(&*store, "hook", "still no use").await;
    let second = store.revive_requested(token, 2).await.unwrap();
    assert_eq!(second, Revived::Done { requests: 1, deliveries: 1 });
    let third = store.revive_requested(token, 2).await.unwrap();
    assert_eq!(third, Revived::Done { requests: 0, deliveries: 0 });
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn the_first_event_since_a_time(backend: &dyn Backend) {
    let store = backend.create().await;
    let start_ms = store.now_ms().await.unwrap();
    assert_eq!(store.first_received_since(start_ms).await.unwrap(), Seq::new(1));
    for batch in events("a", 10).chunks(2) {
        store.append(batch).await.unwrap();
        backend.advance(Duration::from_secs(1));
    }
    let cases = [(-1, 1), (0, 1), (1, 3), (1_000, 3), (2_500, 7), (4_000, 9), (4_001, 11)];
    for (since_ms, seq) in cases {
        let first = store.first_received_since(start_ms + since_ms).await.unwrap();
        assert_eq!(first, Seq::new(seq), "since {since_ms} ms");
    }
}
