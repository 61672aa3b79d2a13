//! A reader that goes on from where it stopped misses nothing and gets nothing twice.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Backend, event, event_from, events};
use crate::{NewEvent, ReadLimit, Seq};

pub async fn a_reader_gets_everything_in_order(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 100)).await.unwrap();
    let limit = ReadLimit { events_max: 7, ..ReadLimit::default() };
    let mut checkpoint = Seq::ZERO;
    let mut read = Vec::new();
    loop {
        let batch = store.read(checkpoint, limit).await.unwrap();
        let Some(last) = batch.last() else { break };
        checkpoint = last.seq;
        read.extend(batch.into_iter().map(|event| event.seq.get()));
    }
    assert_eq!(read, (1..=100).collect::<Vec<_>>());
}

pub async fn the_limits_hold(backend: &dyn Backend) {
    let store = backend.create().await;
    let batch: Vec<_> = events("a", 10)
        .into_iter()
        .map(|event| NewEvent { payload: vec![b' '; 1_000].into(), ..event })
        .collect();
    store.append(&batch).await.unwrap();
    let count = async |events_max, bytes_max| {
        store.read(Seq::ZERO, ReadLimit { events_max, bytes_max }).await.unwrap().len()
    };
    assert_eq!(count(3, usize::MAX).await, 3);
    assert_eq!(count(100, usize::MAX).await, 10);
    assert_eq!(count(100, 2_500).await, 3, "the event that reaches the limit is the last");
}

pub async fn a_large_event_is_read_alone(backend: &dyn Backend) {
    let store = backend.create().await;
    let large = NewEvent { payload: vec![b' '; 100_000].into(), ..event("large") };
    store.append(&[large, event("small")]).await.unwrap();
    let limit = ReadLimit { events_max: 10, bytes_max: 1 };
    assert_eq!(store.read(Seq::ZERO, limit).await.unwrap().len(), 1);
    assert_eq!(store.read(Seq::new(1), limit).await.unwrap().len(), 1);
    assert_eq!(store.read(Seq::new(2), limit).await.unwrap().len(), 0);
}

pub async fn the_message_at_a_place(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 2)).await.unwrap();
    assert_eq!(store.message_id_at(Seq::new(2)).await.unwrap().as_deref(), Some("a_1"));
    assert_eq!(store.message_id_at(Seq::ZERO).await.unwrap(), None);
    assert_eq!(store.message_id_at(Seq::new(3)).await.unwrap(), None);
}

pub async fn an_event_is_found_by_its_message(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&[event("a"), event_from("other", "a"), event("b")]).await.unwrap();
    let read = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    assert_eq!(store.find("clerk", "a").await.unwrap().as_ref(), Some(&read[0]));
    assert_eq!(store.find("other", "a").await.unwrap().as_ref(), Some(&read[1]));
    assert_eq!(store.find("other", "b").await.unwrap(), None);
}

pub async fn a_reader_beside_a_writer_sees_no_gap(backend: &dyn Backend) {
    const EVENTS: usize = 600;
    let store = backend.create().await;
    let writers = Arc::clone(&store);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        for batch in events("a", EVENTS).chunks(5) {
            writers.append(batch).await.unwrap();
        }
    });
    let mut head = store.subscribe();
    let mut checkpoint = Seq::ZERO;
    while checkpoint.get() < i64::try_from(EVENTS).unwrap() {
        for event in store.read(checkpoint, ReadLimit::default()).await.unwrap() {
            assert_eq!(event.seq, checkpoint.next(), "no event is skipped");
            checkpoint = event.seq;
        }
        if checkpoint.get() < i64::try_from(EVENTS).unwrap() {
            head.wait_for(|head| *head > checkpoint).await.unwrap();
        }
    }
    tasks.join_all().await;
}
