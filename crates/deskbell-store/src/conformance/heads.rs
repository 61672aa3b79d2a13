//! Events without their payloads are listed the newest first, and found by their filters.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::retention::pruning;
use super::work::stored;
use super::{Backend, event, event_from, events};
use crate::{EventHead, HeadFilter, NewEvent, Origin, Seq, SeqRange, Store};

fn range(after: i64, up_to: i64) -> SeqRange {
    SeqRange { after: Seq::new(after), up_to: Seq::new(up_to) }
}

fn numbers(heads: &[EventHead]) -> Vec<i64> {
    heads.iter().map(|head| head.seq.get()).collect()
}

/// Which of the first events the filter takes.
async fn taken(store: &dyn Store, filter: &HeadFilter) -> Vec<i64> {
    numbers(&store.heads(range(0, 1_000), filter, 1_000).await.unwrap())
}

pub async fn every_field_comes_back_but_the_payload(backend: &dyn Backend) {
    let store = backend.create().await;
    let bare = NewEvent { subject: None, instance_id: None, ..event_from("other", "bare") };
    let large = NewEvent {
        payload: vec![0xff; 100_000].into(),
        origin: Origin::Api,
        event_type: "user.created".to_owned(),
        ..event("large")
    };
    store.append(&[bare, large]).await.unwrap();
    let heads = store.heads(range(0, 2), &HeadFilter::default(), 10).await.unwrap();
    assert_eq!(numbers(&heads), [2, 1]);
    for head in &heads {
        let event = stored(&*store, head.seq.get()).await;
        let expected = EventHead {
            seq: event.seq,
            received_at_ms: event.received_at_ms,
            source: event.source.clone(),
            message_id: event.message_id.clone(),
            event_type: event.event_type.clone(),
            subject: event.subject.clone(),
            occurred_at_ms: event.occurred_at_ms,
            instance_id: event.instance_id.clone(),
            origin: event.origin,
            payload_bytes: event.payload.len() as u64,
        };
        assert_eq!(head, &expected);
    }
    assert_eq!(heads[0].payload_bytes, 100_000);
}

pub async fn pages_have_each_event_once(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 10)).await.unwrap();
    let filter = HeadFilter::default();
    let mut read = Vec::new();
    let mut up_to = 9;
    while up_to > 2 {
        let page = numbers(&store.heads(range(2, up_to), &filter, 3).await.unwrap());
        assert!(page.len() <= 3);
        up_to = page.last().map_or(0, |last| last - 1);
        read.extend(page);
    }
    assert_eq!(read, (3..=9).rev().collect::<Vec<_>>(), "after 2, up to and including 9");
    for (after, up_to) in [(10, 20), (5, 5), (7, 3)] {
        assert_eq!(store.heads(range(after, up_to), &filter, 3).await.unwrap(), [], "{after}");
    }
}

pub async fn sources_and_types_are_filtered(backend: &dyn Backend) {
    let store = backend.create().await;
    let types =
        ["user.created", "user.updated", "users.created", "user", "USER.created", "a%b", "axb"];
    let of = |(n, name): (usize, &&str)| {
        let source = if n == 1 { "other" } else { "clerk" };
        NewEvent { event_type: (*name).to_owned(), ..event_from(source, &format!("msg_{n}")) }
    };
    let batch: Vec<_> = types.iter().enumerate().map(of).collect();
    store.append(&batch).await.unwrap();
    let none: &[i64] = &[];
    for (types, expected) in [
        (&[][..], &[7, 6, 5, 4, 3, 2, 1][..]),
        (&["user.created"], &[1]),
        (&["user.*"], &[2, 1]),
        (&["user*"], &[4, 3, 2, 1]),
        (&["*"], &[7, 6, 5, 4, 3, 2, 1]),
        (&["user.*", "axb", "user.created", "nothing"], &[7, 2, 1]),
        (&["a%b"], &[6]),
        (&["a%*"], &[6]),
        (&["user.deleted", "session.*"], none),
    ] {
        let types: Vec<_> = types.iter().map(|name| (*name).to_owned()).collect();
        let filter = HeadFilter { source: None, types };
        assert_eq!(taken(&*store, &filter).await, expected, "{filter:?}");
    }
    let source = Some("other".to_owned());
    assert_eq!(
        taken(&*store, &HeadFilter { source: source.clone(), types: Vec::new() }).await,
        [2]
    );
    let types = vec!["user.created".to_owned()];
    assert_eq!(taken(&*store, &HeadFilter { source, types }).await, none, "both must hold");
}

pub async fn what_was_pruned_has_no_payload(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&[event("old")]).await.unwrap();
    backend.advance(Duration::from_secs(11 * 24 * 3_600));
    store.append(&[event("new")]).await.unwrap();
    assert_eq!(store.prune(&pruning(&[])).await.unwrap().payloads, 1);
    let heads = store.heads(range(0, 2), &HeadFilter::default(), 10).await.unwrap();
    assert!(heads[0].payload_bytes > 0);
    assert_eq!((&*heads[1].message_id, heads[1].payload_bytes), ("old", 0));
}

pub async fn chosen_events_are_found(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 600)).await.unwrap();
    let seqs = [3, 700, 5, 3, 0, 600].map(Seq::new);
    assert_eq!(numbers(&store.heads_at(&seqs).await.unwrap()), [600, 5, 3], "each once");
    assert_eq!(store.heads_at(&[]).await.unwrap(), []);
    let many: Vec<_> = (1..=500).map(Seq::new).collect();
    let expected: Vec<_> = (1..=500).rev().collect();
    assert_eq!(numbers(&store.heads_at(&many).await.unwrap()), expected);
}

pub async fn duplicates_are_counted_also_when_they_are_gone(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.duplicates().await.unwrap(), 0);
    store.append(&events("a", 3)).await.unwrap();
    assert_eq!(store.duplicates().await.unwrap(), 0);
    store.append(&events("a", 2)).await.unwrap();
    store.append(&[event("a_0"), event("new")]).await.unwrap();
    assert_eq!(store.duplicates().await.unwrap(), 3);
    let token = store.next_fencing_token(crate::deliveries::ROUTER).await.unwrap();
    store.revive_requested(token, 100).await.unwrap();
    backend.advance(Duration::from_secs(101 * 24 * 3_600));
    assert_eq!(store.prune(&pruning(&[])).await.unwrap().events, 4);
    assert_eq!(store.replay_requests(0, 10).await.unwrap(), []);
    let store = backend.reopen(store).await;
    assert_eq!(store.duplicates().await.unwrap(), 3);
}
