//! Dead letters are kept, and can be listed.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{append_and_route, dead_letter_all, destination_with, key};
use super::{Backend, events};
use crate::Store;
use crate::deliveries::{DeadLetter, DeadLetterQuery, DeliveryKey};

fn query() -> DeadLetterQuery {
    DeadLetterQuery { limit: 100, ..DeadLetterQuery::default() }
}

async fn keys(store: &dyn Store, query: &DeadLetterQuery) -> Vec<DeliveryKey> {
    store.dead_letters(query).await.unwrap().into_iter().map(|letter| letter.key).collect()
}

pub async fn they_are_listed_with_their_event(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    backend.advance(Duration::from_secs(1));
    dead_letter_all(&*store, "hook", "the \"last\" attempt failed").await;
    let letter = DeadLetter {
        key: key("hook", 1),
        source: "clerk".to_owned(),
        message_id: "hook_0".to_owned(),
        event_type: "user.updated".to_owned(),
        subject: Some("user_1".to_owned()),
        settled_at_ms: store.now_ms().await.unwrap(),
        attempts: 1,
        reason: "the \"last\" attempt failed".to_owned(),
    };
    assert_eq!(store.dead_letters(&query()).await.unwrap(), [letter]);
}

pub async fn they_are_listed_in_pages(backend: &dyn Backend) {
    let store = backend.create().await;
    for name in ["zoo", "app", "mid"] {
        destination_with(&*store, name, 0).await;
    }
    append_and_route(&*store, &["app", "mid", "zoo"], &events("a", 3)).await;
    for name in ["mid", "zoo", "app"] {
        dead_letter_all(&*store, name, "no use").await;
    }
    let mut listed = Vec::new();
    loop {
        let page = DeadLetterQuery { after: listed.last().cloned(), limit: 2, ..query() };
        let page = keys(&*store, &page).await;
        if page.is_empty() {
            break;
        }
        listed.extend(page);
    }
    let expected: Vec<_> =
        ["app", "mid", "zoo"].iter().flat_map(|name| (1..=3).map(|seq| key(name, seq))).collect();
    assert_eq!(listed, expected);
}

pub async fn they_are_listed_by_destination_and_time(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "app", 1).await;
    destination_with(&*store, "hook", 0).await;
    append_and_route(&*store, &["hook"], &[]).await;
    dead_letter_all(&*store, "app", "no use").await;
    backend.advance(Duration::from_secs(1));
    let since_ms = Some(store.now_ms().await.unwrap());
    for name in ["app", "hook"] {
        let events = events(&format!("{name}_late"), 1);
        let appended = store.append(&events).await.unwrap();
        let seq = appended[0].seq().get();
        store.enqueue(&[super::work::new_delivery(name, seq, "user_1")]).await.unwrap();
        dead_letter_all(&*store, name, "no use").await;
    }
    let destination = Some("app".to_owned());
    let app = DeadLetterQuery { destination: destination.clone(), ..query() };
    assert_eq!(keys(&*store, &app).await, [key("app", 1), key("app", 2)]);
    let late = DeadLetterQuery { since_ms, ..query() };
    assert_eq!(keys(&*store, &late).await, [key("app", 2), key("hook", 3)]);
    let after = Some(key("app", 1));
    let rest = DeadLetterQuery { after, ..app };
    assert_eq!(keys(&*store, &rest).await, [key("app", 2)]);
    let elsewhere = DeadLetterQuery { destination, after: Some(key("hook", 1)), ..query() };
    assert_eq!(keys(&*store, &elsewhere).await, []);
}
