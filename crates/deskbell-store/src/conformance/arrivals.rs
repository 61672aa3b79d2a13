//! When events arrived, by source, is read once from the log and in order.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::collections::BTreeMap;
use std::time::Duration;

use deskbell_config::NOTICE_SOURCE;

use super::{Backend, event, event_from, events};
use crate::{Arrival, NewEvent, Origin, Seq, Store};

/// The time of the newest event of each source, from pages of so many events.
async fn newest(store: &dyn Store, page: u32) -> BTreeMap<String, i64> {
    let mut newest = BTreeMap::new();
    let mut after = Seq::ZERO;
    loop {
        let found = store.arrivals(after, page).await.unwrap();
        newest.extend(found.arrivals.iter().map(|one| (one.source.to_string(), one.at_ms)));
        if found.last == after {
            return newest;
        }
        after = found.last;
    }
}

pub async fn the_newest_of_each_source(backend: &dyn Backend) {
    let store = backend.create().await;
    let start_ms = store.now_ms().await.unwrap();
    store.append(&[event("a"), event_from("other", "a"), event("b")]).await.unwrap();
    backend.advance(Duration::from_secs(5));
    store.append(&[event("c"), event("a")]).await.unwrap();
    backend.advance(Duration::from_secs(5));
    let made = [Origin::Backfill, Origin::Api].map(|origin| {
        assert!(!origin.is_message());
        NewEvent { origin, ..event(origin.as_str()) }
    });
    store.append(&[event_from(NOTICE_SOURCE, "alert"), event("a")]).await.unwrap();
    store.append(&made).await.unwrap();
    let expected =
        BTreeMap::from([("clerk".to_owned(), start_ms + 5_000), ("other".to_owned(), start_ms)]);
    for page in [1, 2, 100] {
        assert_eq!(
            newest(&*store, page).await,
            expected,
            "nor notices, duplicates, and what nobody sent: {page}"
        );
    }
}

pub async fn a_page_goes_on_where_the_last_one_ended(backend: &dyn Backend) {
    let store = backend.create().await;
    let empty = store.arrivals(Seq::ZERO, 10).await.unwrap();
    assert_eq!((empty.arrivals.len(), empty.last), (0, Seq::ZERO));
    store.append(&events("a", 5)).await.unwrap();
    store.append(&[event_from(NOTICE_SOURCE, "alert")]).await.unwrap();
    let at_ms = store.now_ms().await.unwrap();
    let arrival = Arrival { source: "clerk".into(), is_sent: true, at_ms };
    let page = store.arrivals(Seq::new(1), 2).await.unwrap();
    assert_eq!((page.arrivals, page.last), (vec![arrival.clone(), arrival], Seq::new(3)));
    let page = store.arrivals(Seq::new(5), 2).await.unwrap();
    assert_eq!((page.arrivals.len(), page.last), (0, Seq::new(6)), "a notice is passed over");
}
