//! The newest events about a subject are found, whether they have been indexed or not.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::retention::pruning;
use super::work::about;
use super::{Backend, events};
use crate::subject_index::UNINDEXED_MAX;
use crate::{Indexed, NewEvent, ReadLimit, Seq, Store, SubjectEvents};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

/// So many events, about `user_0`, `user_1`, … in turn, in batches.
async fn append_about(store: &dyn Store, prefix: &str, count: usize, subjects: usize) {
    let events: Vec<_> = (0..count)
        .map(|n| about(&format!("{prefix}_{n}"), &format!("user_{}", n % subjects)))
        .collect();
    for batch in events.chunks(1_000) {
        store.append(batch).await.unwrap();
    }
}

/// Indexes until there is no more; how many events those were.
async fn index(store: &dyn Store, events_max: u32) -> u64 {
    let mut indexed = 0;
    loop {
        let Indexed { events, more } = store.index_subjects(events_max).await.unwrap();
        assert!(events <= u64::from(events_max));
        indexed += events;
        if !more {
            return indexed;
        }
    }
}

fn at_most(events_max: u32) -> ReadLimit {
    ReadLimit { events_max, ..ReadLimit::default() }
}

async fn page(
    store: &dyn Store,
    subject: &str,
    before: Option<i64>,
    limit: ReadLimit,
) -> (Vec<i64>, Option<i64>) {
    let SubjectEvents { events, older } =
        store.events_by_subject(subject, before.map(Seq::new), limit).await.unwrap();
    assert!(events.iter().all(|event| event.subject.as_deref() == Some(subject)));
    (events.iter().map(|event| event.seq.get()).collect(), older.map(Seq::get))
}

/// The places of all of them, in pages of so many.
async fn all(store: &dyn Store, subject: &str, events_max: u32) -> Vec<i64> {
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let (seqs, older) = page(store, subject, before, at_most(events_max)).await;
        found.extend(seqs);
        match older {
            None => return found,
            older => before = older,
        }
    }
}

pub async fn the_newest_come_first(backend: &dyn Backend) {
    let store = backend.create().await;
    append_about(&*store, "a", 12, 3).await;
    assert_eq!(page(&*store, "user_1", None, at_most(10)).await, (vec![11, 8, 5, 2], None));
    assert_eq!(index(&*store, 5).await, 12);
    assert_eq!(page(&*store, "user_1", None, at_most(10)).await, (vec![11, 8, 5, 2], None));
    let read = store.read(Seq::new(10), at_most(1)).await.unwrap();
    let found = store.events_by_subject("user_1", None, at_most(1)).await.unwrap();
    assert_eq!(found.events, read, "whole");
    assert_eq!(page(&*store, "user_9", None, at_most(10)).await, (vec![], None));
    assert_eq!(page(&*store, "user_", None, at_most(10)).await, (vec![], None));
}

pub async fn what_is_not_indexed_yet_is_found(backend: &dyn Backend) {
    let store = backend.create().await;
    append_about(&*store, "a", 9, 3).await;
    for indexed in 1..=9 {
        assert_eq!(store.index_subjects(1).await.unwrap(), Indexed { events: 1, more: true });
        assert_eq!(all(&*store, "user_0", 10).await, [7, 4, 1], "{indexed} are indexed");
        assert_eq!(all(&*store, "user_0", 1).await, [7, 4, 1], "{indexed} are indexed");
    }
    assert_eq!(store.index_subjects(1).await.unwrap(), Indexed { events: 0, more: false });
    store.append(&[about("new", "user_0")]).await.unwrap();
    assert_eq!(all(&*store, "user_0", 10).await, [10, 7, 4, 1]);
}

pub async fn pages_go_on_before_a_place(backend: &dyn Backend) {
    let store = backend.create().await;
    append_about(&*store, "a", 20, 2).await;
    store.index_subjects(11).await.unwrap();
    let limit = at_most(3);
    assert_eq!(page(&*store, "user_0", None, limit).await, (vec![19, 17, 15], Some(15)));
    assert_eq!(page(&*store, "user_0", Some(15), limit).await, (vec![13, 11, 9], Some(9)));
    assert_eq!(page(&*store, "user_0", Some(4), limit).await, (vec![3, 1], None));
    assert_eq!(page(&*store, "user_0", Some(1), limit).await, (vec![], None));
    assert_eq!(page(&*store, "user_0", Some(0), limit).await, (vec![], None));
    assert_eq!(page(&*store, "user_0", Some(i64::MAX), limit).await, (vec![19, 17, 15], Some(15)));
}

pub async fn the_bytes_of_a_page_are_limited(backend: &dyn Backend) {
    let store = backend.create().await;
    let large = |event| NewEvent { payload: vec![b' '; 1_000].into(), ..event };
    let batch: Vec<_> = events("a", 6).into_iter().map(large).collect();
    store.append(&batch).await.unwrap();
    let limit = |bytes_max| ReadLimit { events_max: 10, bytes_max };
    for indexed in [0, 3, 6] {
        let few = page(&*store, "user_1", None, limit(2_500)).await;
        assert_eq!(few, (vec![6, 5, 4], Some(4)), "the event that reaches it is the last");
        assert_eq!(
            page(&*store, "user_1", Some(4), limit(1)).await,
            (vec![3], Some(3)),
            "{indexed}"
        );
        store.index_subjects(3).await.unwrap();
    }
}

pub async fn events_about_nothing_are_passed_over(backend: &dyn Backend) {
    let store = backend.create().await;
    let bare = |id: &str| NewEvent { subject: None, ..super::event(id) };
    let strange = about("strange", &"é\u{1F514}".repeat(2_000));
    let longer = about("longer", &format!("{}x", "é\u{1F514}".repeat(2_000)));
    store.append(&[bare("a"), about("b", ""), bare("c"), strange, longer]).await.unwrap();
    assert_eq!(index(&*store, 10).await, 5);
    assert_eq!(all(&*store, "", 10).await, [2]);
    assert_eq!(all(&*store, &"é\u{1F514}".repeat(2_000), 10).await, [4], "however long it is");
}

pub async fn a_log_from_before_the_index_is_searched_in_stretches(backend: &dyn Backend) {
    let store = backend.create().await;
    let unindexed = usize::try_from(UNINDEXED_MAX).unwrap();
    store.append(&[about("first", "user_first")]).await.unwrap();
    append_about(&*store, "a", unindexed + 5, 7).await;
    let last = UNINDEXED_MAX + 6;
    let (found, older) = page(&*store, "user_first", None, at_most(5)).await;
    assert_eq!((found, older), (vec![], Some(last - UNINDEXED_MAX + 1)));
    assert_eq!(page(&*store, "user_first", older, at_most(5)).await, (vec![1], None));
    store.index_subjects(6).await.unwrap();
    assert_eq!(page(&*store, "user_first", None, at_most(5)).await, (vec![1], None));
}

pub async fn an_event_that_is_pruned_is_not_found(backend: &dyn Backend) {
    let store = backend.create().await;
    append_about(&*store, "old", 6, 2).await;
    store.index_subjects(4).await.unwrap();
    backend.advance(YEAR);
    append_about(&*store, "new", 2, 2).await;
    let few = crate::retention::PruneOptions { rows_max: 3, ..pruning(&[]) };
    assert_eq!(store.prune(&few).await.unwrap().events, 3);
    assert_eq!(all(&*store, "user_0", 10).await, [7, 5]);
    assert_eq!(all(&*store, "user_1", 10).await, [8, 6, 4]);
    assert_eq!(store.prune(&few).await.unwrap().events, 3);
    assert_eq!(all(&*store, "user_0", 10).await, [7]);
    assert_eq!(index(&*store, 10).await, 2, "what has gone is not indexed");
    assert_eq!(all(&*store, "user_0", 10).await, [7]);
}

pub async fn the_index_survives_a_restart(backend: &dyn Backend) {
    let store = backend.create().await;
    append_about(&*store, "a", 10, 2).await;
    store.index_subjects(6).await.unwrap();
    let store = backend.reopen(store).await;
    assert_eq!(all(&*store, "user_1", 3).await, [10, 8, 6, 4, 2]);
    assert_eq!(index(&*store, 3).await, 4);
    assert_eq!(all(&*store, "user_1", 3).await, [10, 8, 6, 4, 2]);
}

pub async fn many_index_at_once_and_each_event_once(backend: &dyn Backend) {
    const EVENTS: usize = 600;
    let store = backend.create().await;
    let mut tasks = JoinSet::new();
    let appending = Arc::clone(&store);
    tasks.spawn(async move {
        for n in 0..EVENTS / 20 {
            append_about(&*appending, &format!("a{n}"), 20, 4).await;
        }
        0
    });
    for _ in 0..3 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let mut indexed = 0;
            while store.head().await.unwrap().get() < i64::try_from(EVENTS).unwrap() {
                indexed += index(&*store, 7).await;
                let head = store.head().await.unwrap().get();
                let found = all(&*store, "user_3", 50).await;
                let seen = found.first().copied().unwrap_or(0) / 4;
                assert!(seen >= head / 4, "{seen} of {head} events");
                let expected: Vec<_> = (1..=seen).rev().map(|n| n * 4).collect();
                assert_eq!(found, expected);
            }
            indexed + index(&*store, 7).await
        });
    }
    let indexed: u64 = tasks.join_all().await.into_iter().sum();
    assert_eq!(indexed, EVENTS as u64);
    let expected: Vec<_> = (1..=i64::try_from(EVENTS / 4).unwrap()).rev().map(|n| n * 4).collect();
    assert_eq!(all(&*store, "user_3", 50).await, expected);
}
