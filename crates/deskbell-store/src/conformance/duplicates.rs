//! A message that is sent again is one event.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Backend, event, event_from, events};
use crate::{Appended, EventLog, NewEvent, ReadLimit, Seq};

async fn stored_ids(store: &dyn EventLog) -> Vec<String> {
    let stored = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    stored.into_iter().map(|event| event.event.message_id).collect()
}

pub async fn a_message_is_stored_once(backend: &dyn Backend) {
    let store = backend.create().await;
    let first = event("msg_1");
    let again = NewEvent { payload: "{}".into(), ..event("msg_1") };
    assert_eq!(
        store.append(std::slice::from_ref(&first)).await.unwrap(),
        [Appended::New(Seq::new(1))]
    );
    assert_eq!(store.append(&[again]).await.unwrap(), [Appended::Duplicate(Seq::new(1))]);
    let stored = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].payload, first.payload, "the first delivery stays");
}

pub async fn a_message_twice_in_a_batch_is_stored_once(backend: &dyn Backend) {
    let store = backend.create().await;
    let batch = [event("msg_1"), event("msg_2"), event("msg_1")];
    let one = Seq::new(1);
    let two = Seq::new(2);
    assert_eq!(
        store.append(&batch).await.unwrap(),
        [Appended::New(one), Appended::New(two), Appended::Duplicate(one)]
    );
    assert_eq!(stored_ids(&*store).await, ["msg_1", "msg_2"]);
}

pub async fn duplicates_do_not_consume_numbers(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&[event("msg_1")]).await.unwrap();
    store.append(&[event("msg_1"), event("msg_2"), event("msg_1"), event("msg_3")]).await.unwrap();
    assert_eq!(store.head().await.unwrap(), Seq::new(3));
}

pub async fn each_duplicate_leaves_a_replay_request(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 2)).await.unwrap();
    assert_eq!(store.replay_requests(0, 10).await.unwrap(), []);
    store.append(&[event("a_1"), event("a_0"), event("a_1")]).await.unwrap();
    let requests = store.replay_requests(0, 10).await.unwrap();
    let seqs: Vec<_> = requests.iter().map(|request| request.seq.get()).collect();
    assert_eq!(seqs, [2, 1, 2]);
    let rest = store.replay_requests(requests[0].number, 1).await.unwrap();
    assert_eq!(rest, requests[1..2]);
}

pub async fn the_same_id_from_two_sources_is_two_events(backend: &dyn Backend) {
    let store = backend.create().await;
    let batch = [event_from("eu", "msg_1"), event_from("us", "msg_1")];
    let appended = store.append(&batch).await.unwrap();
    assert_eq!(appended, [Appended::New(Seq::new(1)), Appended::New(Seq::new(2))]);
    let again = store.append(&[event_from("us", "msg_1")]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate(Seq::new(2))]);
}

pub async fn duplicates_are_known_after_a_restart(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 5)).await.unwrap();
    let store = backend.reopen(store).await;
    let again = store.append(&[event("a_3")]).await.unwrap();
    assert_eq!(again, [Appended::Duplicate(Seq::new(4))]);
}

pub async fn concurrent_appends_store_each_message_once(backend: &dyn Backend) {
    const APPENDERS: usize = 8;
    let store = backend.create().await;
    let mut appenders = JoinSet::new();
    for _ in 0..APPENDERS {
        let store = Arc::clone(&store);
        appenders.spawn(async move {
            let mut new = 0;
            for batch in events("shared", 200).chunks(7) {
                let appended = store.append(batch).await.unwrap();
                new += appended.iter().filter(|one| one.duplicate_of().is_none()).count();
            }
            new
        });
    }
    let new: usize = appenders.join_all().await.into_iter().sum();
    assert_eq!(new, 200, "each message was new to exactly one appender");
    let ids: BTreeSet<_> = stored_ids(&*store).await.into_iter().collect();
    assert_eq!(ids.len(), 200);
    assert_eq!(store.head().await.unwrap(), Seq::new(200));
}
