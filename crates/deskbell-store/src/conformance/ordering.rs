//! An ordered destination gets what is about one subject in the order of the log, one at a time.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{
    about, append_and_route, claim_all, dead_letter_all, dead_lettered, delivered, key,
    new_delivery, register, retry, settle, state,
};
use super::{Backend, event};
use crate::deliveries::{DeliveryState, Ordering};
use crate::{NewEvent, Store};

const NONE: [i64; 0] = [];

/// An ordered destination, with pending deliveries of these subjects.
async fn ordered(store: &dyn Store, subjects: &[&str]) {
    register(store, "hook", Ordering::Subject).await;
    let events: Vec<_> =
        (0..).zip(subjects).map(|(n, subject)| about(&format!("{n}_{subject}"), subject)).collect();
    append_and_route(store, &["hook"], &events).await;
}

pub async fn one_of_a_subject_at_a_time(backend: &dyn Backend) {
    let store = backend.create().await;
    ordered(&*store, &["a", "b", "a", "a", "b"]).await;
    let (seqs, first) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [1, 2]);
    assert_eq!(state(&*store, "hook", 3).await, DeliveryState::Pending { due_at_ms: None });
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
    let due = store.due("hook");
    due.notified().await; // what was routed
    let woken = due.notified();
    settle(&*store, "hook", &[delivered(&first[0])]).await;
    woken.await;
    let (seqs, second) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [3]);
    append_and_route(&*store, &["hook"], &[about("more", "a"), about("other", "c")]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [7]);
    settle(&*store, "hook", &[delivered(&first[1]), delivered(&second[0])]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [4, 5]);
}

pub async fn a_retry_holds_up_its_subject(backend: &dyn Backend) {
    let store = backend.create().await;
    ordered(&*store, &["a", "a"]).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[retry(&claimed[0], Duration::from_secs(5))]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, NONE);
    backend.advance(Duration::from_secs(5));
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn a_dead_letter_lets_the_next_go(backend: &dyn Backend) {
    let store = backend.create().await;
    ordered(&*store, &["a", "a"]).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[dead_lettered(&claimed[0], "no use")]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [2]);
}

pub async fn events_without_a_subject_go_in_any_order(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::Subject).await;
    let bare = |id: &str| NewEvent { subject: None, ..event(id) };
    append_and_route(&*store, &["hook"], &[bare("a"), bare("b")]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [1, 2]);
}

pub async fn the_order_can_be_changed(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    let events = [about("1", "a"), about("2", "b"), about("3", "a"), about("4", "a")];
    append_and_route(&*store, &["hook"], &events).await;
    register(&*store, "hook", Ordering::Subject).await;
    let (seqs, claimed) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [1, 2]);
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    let (seqs, claimed) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [3]);
    settle(&*store, "hook", &[retry(&claimed[0], Duration::from_secs(5))]).await;
    register(&*store, "hook", Ordering::None).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [4]);
    backend.advance(Duration::from_secs(5));
    assert_eq!(claim_all(&*store, "hook").await.0, [3]);
}

pub async fn an_earlier_one_that_comes_back_goes_first(backend: &dyn Backend) {
    let store = backend.create().await;
    ordered(&*store, &["a", "b", "a", "a"]).await;
    dead_letter_all(&*store, "hook", "no use").await;
    store.revive(&[key("hook", 1)]).await.unwrap();
    let (seqs, claimed) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [1], "before the one that was first until now");
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [3]);

    let store = backend.create().await;
    register(&*store, "hook", Ordering::Subject).await;
    store.append(&[about("1", "a"), about("2", "a"), about("3", "a")]).await.unwrap();
    for seq in [2, 1, 3] {
        assert_eq!(store.enqueue(&[new_delivery("hook", seq, "a")]).await.unwrap(), 1);
    }
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn a_revived_one_waits_for_what_is_under_way(backend: &dyn Backend) {
    let store = backend.create().await;
    ordered(&*store, &["a", "a"]).await;
    dead_letter_all(&*store, "hook", "no use").await;
    let (seqs, second) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, [2]);
    store.revive(&[key("hook", 1)]).await.unwrap();
    let claimed = super::work::claim(&*store, "hook", 10).await;
    assert_eq!((claimed.deliveries.len(), claimed.next_due), (0, None), "one at a time");
    settle(&*store, "hook", &[retry(&second[0], Duration::ZERO)]).await;
    assert_eq!(claim_all(&*store, "hook").await.0, [1], "the first in the order of the log");
}
