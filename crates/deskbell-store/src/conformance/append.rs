//! What is appended can be read, unchanged, at its sequence number.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use super::work::{about, append_and_route, claim_all, register};
use super::{Backend, event, events};
use crate::deliveries::Ordering;
use crate::{Appended, ID_BYTES_MAX, NewEvent, Origin, ReadLimit, Seq, StoreError};

pub async fn events_are_numbered_in_order(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.head().await.unwrap(), Seq::ZERO);
    let first = store.append(&events("a", 3)).await.unwrap();
    let second = store.append(&events("b", 2)).await.unwrap();
    let numbers: Vec<_> = first.into_iter().chain(second).collect();
    assert_eq!(numbers, (1..=5).map(|n| Appended::New(Seq::new(n))).collect::<Vec<_>>());
    assert_eq!(store.head().await.unwrap(), Seq::new(5));
}

pub async fn every_field_comes_back(backend: &dyn Backend) {
    let store = backend.create().await;
    let full = event("msg_full");
    let bare = NewEvent { subject: None, instance_id: None, ..event("msg_bare") };
    store.append(&[full.clone(), bare.clone()]).await.unwrap();
    let stored = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    assert_eq!(stored.len(), 2);
    for (stored, sent) in stored.iter().zip([full, bare]) {
        assert_eq!(stored.event, sent);
        assert!(stored.received_at_ms > 1_700_000_000_000, "the store's clock, in milliseconds");
    }
}

pub async fn where_an_event_comes_from_is_kept(backend: &dyn Backend) {
    for store in [backend.create().await, backend.create_indexing_user_refs().await] {
        register(&*store, "hook", Ordering::None).await;
        let of = |id: &str, origin| NewEvent { origin, ..about(id, "user_1") };
        let batch = [
            of("signed", Origin::Webhook),
            of("record", Origin::SenderRecord),
            of("made", Origin::Backfill),
            of("by_hand", Origin::Api),
        ];
        append_and_route(&*store, &["hook"], &batch).await;
        store.append(&[of("signed", Origin::Backfill)]).await.unwrap();
        let expected = [Origin::Webhook, Origin::SenderRecord, Origin::Backfill, Origin::Api];
        let read = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
        assert_eq!(read.iter().map(|event| event.origin).collect::<Vec<_>>(), expected);
        let found = store.find("clerk", "made").await.unwrap().unwrap();
        assert_eq!(found.origin, Origin::Backfill);
        let about = store.events_by_subject("user_1", None, ReadLimit::default()).await.unwrap();
        let about = about.events.iter().rev().map(|event| event.origin);
        assert_eq!(about.collect::<Vec<_>>(), expected, "before they are indexed");
        store.index_subjects(100).await.unwrap();
        let about = store.events_by_subject("user_1", None, ReadLimit::default()).await.unwrap();
        let about = about.events.iter().rev().map(|event| event.origin);
        assert_eq!(about.collect::<Vec<_>>(), expected, "and then");
        let (_, claimed) = claim_all(&*store, "hook").await;
        let claimed = claimed.iter().map(|delivery| delivery.event.origin);
        assert_eq!(claimed.collect::<Vec<_>>(), expected);
    }
}

pub async fn payloads_are_kept_byte_for_byte(backend: &dyn Backend) {
    let store = backend.create().await;
    let bodies: [Vec<u8>; 5] = [
        Vec::new(),
        vec![0],
        (0..=255).collect(),
        br#"{ "a" : "\u0026\u003c" }  "#.to_vec(),
        vec![b'x'; 1 << 20],
    ];
    let batch: Vec<_> = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| NewEvent { payload: body.clone().into(), ..event(&format!("msg_{n}")) })
        .collect();
    store.append(&batch).await.unwrap();
    let stored = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    let stored: Vec<_> = stored.into_iter().map(|event| event.payload.to_vec()).collect();
    assert_eq!(stored, bodies);
}

pub async fn ids_of_the_greatest_length_find_room(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::Subject).await;
    // Without a pattern: an index would pack one.
    let random = |from: u32| -> String {
        let step = |n: &u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let numbers = std::iter::successors(Some(from), step);
        numbers.take(ID_BYTES_MAX).filter_map(|n| char::from_u32(0x30 + (n >> 26))).collect()
    };
    let longest = about(&random(1), &random(2));
    assert_eq!(longest.message_id.len(), ID_BYTES_MAX);
    let batch = std::slice::from_ref(&longest);
    append_and_route(&*store, &["hook"], batch).await;
    let again = store.append(batch).await.unwrap();
    assert_eq!(again, [Appended::Duplicate(Seq::new(1))]);
    assert_eq!(claim_all(&*store, "hook").await.0, [1]);
    let found = store.find(&longest.source, &longest.message_id).await.unwrap().unwrap();
    assert_eq!(found.subject, longest.subject);
}

pub async fn a_batch_larger_than_a_statement(backend: &dyn Backend) {
    let store = backend.create().await;
    let batch = events("big", 1_000);
    let appended = store.append(&batch).await.unwrap();
    assert_eq!(appended.last(), Some(&Appended::New(Seq::new(1_000))));
    let stored = store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    assert!(stored.iter().map(|event| &event.message_id).eq(batch.iter().map(|e| &e.message_id)));
}

pub async fn an_empty_batch_is_nothing(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.append(&[]).await.unwrap(), []);
    assert_eq!(store.head().await.unwrap(), Seq::ZERO);
}

pub async fn a_store_keeps_its_log_and_its_id(backend: &dyn Backend) {
    let store = backend.create().await;
    let id = store.log_id();
    store.append(&events("a", 3)).await.unwrap();
    let store = backend.reopen(store).await;
    assert_eq!(store.log_id(), id);
    assert_eq!(store.append(&[event("b")]).await.unwrap(), [Appended::New(Seq::new(4))]);
    assert_ne!(backend.create().await.log_id(), id, "another store has another id");
}

pub async fn a_closed_store_says_so(backend: &dyn Backend) {
    let store = backend.create().await;
    store.close().await;
    assert!(matches!(store.append(&[event("a")]).await, Err(StoreError::Closed)));
    assert!(matches!(store.read(Seq::ZERO, ReadLimit::default()).await, Err(StoreError::Closed)));
}

pub async fn readers_are_woken(backend: &dyn Backend) {
    let store = backend.create().await;
    let mut head = store.subscribe();
    let appended = store.append(&events("a", 2)).await.unwrap();
    head.wait_for(|head| *head == appended[1].seq()).await.unwrap();
}
