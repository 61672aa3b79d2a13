//! A batch of the router takes effect once and as a whole, or not at all.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use super::work::{
    append_and_route, claim_all, delivered, destination_with, empty_batch, key, new_delivery,
    register, settle, stored,
};
use super::{Backend, events};
use crate::Seq;
use crate::deliveries::{FilteredOut, Ordering, ROUTER, Routed, RoutedBatch};

pub async fn what_is_routed_can_be_claimed(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 300).await;
    let (seqs, claimed) = claim_all(&*store, "hook").await;
    assert_eq!(seqs, (1..=300).collect::<Vec<_>>());
    assert_eq!(claimed[7].event, stored(&*store, 8).await);
    assert_eq!((claimed[7].attempts, claimed[7].first_attempt_ago), (0, None));
    assert_eq!(store.destinations().await.unwrap()[0].routed, Seq::new(300));
}

pub async fn a_checkpoint_elsewhere_stops_the_batch(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "behind", Ordering::None).await;
    destination_with(&*store, "ahead", 2).await;
    let names = ["ahead", "behind"];
    let batch = RoutedBatch {
        deliveries: vec![new_delivery("behind", 1, "user_1")],
        filtered_out: vec![(Seq::new(2), vec![filtered_out("behind", "not asked for")])],
        ..empty_batch(&*store, &names, Seq::ZERO).await
    };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Superseded);
    assert_eq!(claim_all(&*store, "behind").await.0, [] as [i64; 0]);
    assert_eq!(store.filtered_out(Seq::new(2)).await.unwrap(), []);
    let known = store.destinations().await.unwrap();
    assert_eq!((known[0].routed, known[1].routed), (Seq::new(2), Seq::ZERO));
    let unknown = empty_batch(&*store, &["nobody"], Seq::ZERO).await;
    assert_eq!(store.route(&unknown).await.unwrap(), Routed::Superseded);
}

pub async fn an_older_router_is_told_off(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    store.append(&events("a", 1)).await.unwrap();
    let batch = RoutedBatch {
        deliveries: vec![new_delivery("hook", 1, "user_1")],
        ..empty_batch(&*store, &["hook"], Seq::ZERO).await
    };
    let newer = store.next_fencing_token(ROUTER).await.unwrap();
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Superseded);
    assert_eq!(claim_all(&*store, "hook").await.0, [] as [i64; 0]);
    let batch = RoutedBatch { token: newer, ..batch };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Done);
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn a_batch_routed_twice_changes_nothing(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    store.append(&events("a", 3)).await.unwrap();
    let enqueued = [new_delivery("hook", 1, "user_1"), new_delivery("hook", 2, "user_1")];
    assert_eq!(store.enqueue(&enqueued).await.unwrap(), 2);
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    let batch = RoutedBatch {
        deliveries: (1..=3).map(|seq| new_delivery("hook", seq, "user_1")).collect(),
        ..empty_batch(&*store, &["hook"], Seq::ZERO).await
    };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Done);
    assert_eq!(claim_all(&*store, "hook").await.0, [3], "one is done, the other claimed");
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Superseded);
    assert_eq!(store.backlogs().await.unwrap()[0].pending, 2);
}

pub async fn destinations_at_one_place_share_a_batch(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "crm", Ordering::None).await;
    register(&*store, "hook", Ordering::Subject).await;
    register(&*store, "late", Ordering::None).await;
    append_and_route(&*store, &["crm", "hook"], &events("a", 2)).await;
    assert_eq!(claim_all(&*store, "crm").await.0, [1, 2]);
    assert_eq!(claim_all(&*store, "hook").await.0, [1], "one subject, in order");
    assert_eq!(claim_all(&*store, "late").await.0, [] as [i64; 0]);
    let routed: Vec<_> =
        store.destinations().await.unwrap().iter().map(|known| known.routed.get()).collect();
    assert_eq!(routed, [2, 2, 0]);
}

fn filtered_out(destination: &str, reason: &str) -> FilteredOut {
    FilteredOut { destination: destination.into(), reason: reason.to_owned() }
}

pub async fn unwanted_events_say_why(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "crm", Ordering::None).await;
    register(&*store, "hook", Ordering::None).await;
    store.append(&events("a", 2)).await.unwrap();
    for (name, reason) in [("hook", "type is \"x\"\nnot 'y'"), ("crm", "plan ≠ pro")] {
        let batch = RoutedBatch {
            filtered_out: vec![(Seq::new(2), vec![filtered_out(name, reason)])],
            ..empty_batch(&*store, &[name], Seq::ZERO).await
        };
        assert_eq!(store.route(&batch).await.unwrap(), Routed::Done);
    }
    let reasons =
        [filtered_out("crm", "plan ≠ pro"), filtered_out("hook", "type is \"x\"\nnot 'y'")];
    assert_eq!(store.filtered_out(Seq::new(2)).await.unwrap(), reasons);
    assert_eq!(store.filtered_out(Seq::new(1)).await.unwrap(), []);
}

pub async fn who_waits_is_woken(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    let due = store.due("hook");
    due.notified().await; // being registered may bring work with it
    let woken = due.notified();
    append_and_route(&*store, &["hook"], &events("a", 1)).await;
    woken.await;
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
}

pub async fn what_is_enqueued_is_added_once(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    store.append(&events("a", 2)).await.unwrap();
    let wanted = [
        new_delivery("hook", 1, "user_1"),
        new_delivery("hook", 3, "user_1"),
        new_delivery("nobody", 2, "user_1"),
        new_delivery("hook", 99, "user_1"),
    ];
    assert_eq!(store.enqueue(&wanted).await.unwrap(), 1, "one is there, two cannot be");
    assert_eq!(store.enqueue(&wanted).await.unwrap(), 0);
    assert_eq!(claim_all(&*store, "hook").await.0, [1, 3]);
    assert_eq!(store.destinations().await.unwrap()[0].routed, Seq::new(1));
}

pub async fn what_is_absent(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 2).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    settle(&*store, "hook", &[delivered(&claimed[0])]).await;
    let keys = [key("nobody", 1), key("hook", 3), key("hook", 2), key("hook", 1)];
    assert_eq!(store.missing(&keys).await.unwrap(), keys[..2]);
}
