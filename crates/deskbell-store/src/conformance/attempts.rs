//! Attempts are listed and counted, the newest first, and events are found by their deliveries' state.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{
    append_and_route, attempt, claim, claim_all, dead_letter_all, dead_lettered, delivered,
    destination_with, key, register, retry, settle,
};
use super::{Backend, event, events};
use crate::deliveries::{
    AttemptCountQuery, AttemptCounts, AttemptRange, LoggedAttempt, Ordering, Settlement,
    StateCounts, StateFilter,
};
use crate::{HeadFilter, Seq, SeqRange, Store};

const SECOND: Duration = Duration::from_secs(1);

fn query() -> AttemptRange {
    AttemptRange { attempts_max: 100, scanned_max: 1_000, ..AttemptRange::default() }
}

/// What an attempt was of, and its number.
fn named(attempts: &[LoggedAttempt]) -> Vec<(&str, i64, u32)> {
    let name = |one: &LoggedAttempt| one.key.seq.get();
    attempts.iter().map(|one| (&*one.key.destination, name(one), one.attempt.number)).collect()
}

/// Each page of a list, until there is no next one.
async fn pages(store: &dyn Store, query: &AttemptRange) -> Vec<Vec<LoggedAttempt>> {
    let mut pages = Vec::new();
    let mut query = query.clone();
    loop {
        let page = store.newest_attempts(&query).await.unwrap();
        pages.push(page.attempts);
        assert!(pages.len() < 1_000, "the list has an end");
        let Some(older) = page.older else { return pages };
        query.before = Some(older);
    }
}

/// Two destinations, at each of which an attempt at each of these events failed, and the next one
/// delivered it, a second later each.
async fn two_destinations(backend: &dyn Backend, store: &dyn Store, count: usize) {
    register(store, "app", Ordering::None).await;
    register(store, "hook", Ordering::None).await;
    append_and_route(store, &["app", "hook"], &events("a", count)).await;
    for is_last in [false, true] {
        for name in ["app", "hook"] {
            for one in claim_all(store, name).await.1 {
                let settlement =
                    if is_last { delivered(&one) } else { retry(&one, Duration::ZERO) };
                settle(store, name, &[settlement]).await;
                backend.advance(SECOND);
            }
        }
    }
}

pub async fn the_newest_come_first_with_their_event(backend: &dyn Backend) {
    let store = backend.create().await;
    let none = store.newest_attempts(&query()).await.unwrap();
    assert_eq!((none.attempts, none.older), (vec![], None));
    two_destinations(backend, &*store, 2).await;
    let page = store.newest_attempts(&query()).await.unwrap();
    let expected = [
        ("hook", 2, 2),
        ("hook", 1, 2),
        ("app", 2, 2),
        ("app", 1, 2),
        ("hook", 2, 1),
        ("hook", 1, 1),
        ("app", 2, 1),
        ("app", 1, 1),
    ];
    assert_eq!((&named(&page.attempts)[..], page.older), (&expected[..], None));
    let range = SeqRange { after: Seq::ZERO, up_to: Seq::new(2) };
    let heads = store.heads(range, &HeadFilter::default(), 2).await.unwrap();
    for logged in &page.attempts {
        let head = heads.iter().find(|head| head.seq == logged.key.seq);
        assert_eq!(Some(&logged.event), head);
        let deliveries = store.deliveries_of(logged.key.seq).await.unwrap();
        let delivery = deliveries.iter().find(|one| one.key == logged.key).unwrap();
        assert!(delivery.attempts.contains(&logged.attempt));
        let found = store.logged_attempt(&logged.key, logged.attempt.number).await.unwrap();
        assert_eq!(found.as_ref(), Some(logged));
    }
}

pub async fn one_attempt_is_found(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "hook", 1).await;
    let (_, claimed) = claim_all(&*store, "hook").await;
    let mut made = attempt(Some(500), Some("status 500"));
    made.reply = b"\0no".as_slice().into();
    let settlement = Settlement { attempt: Some(made), ..delivered(&claimed[0]) };
    settle(&*store, "hook", &[settlement]).await;
    let found = store.logged_attempt(&key("hook", 1), 1).await.unwrap().unwrap();
    assert_eq!((found.attempt.status, &found.attempt.reply[..]), (Some(500), &b"\0no"[..]));
    assert_eq!(found.event.message_id, "hook_0");
    for (key, number) in [(key("hook", 1), 2), (key("hook", 2), 1), (key("nobody", 1), 1)] {
        assert_eq!(store.logged_attempt(&key, number).await.unwrap(), None, "{key:?}");
    }
}

pub async fn pages_have_each_attempt_once(backend: &dyn Backend) {
    let store = backend.create().await;
    two_destinations(backend, &*store, 5).await;
    // Many at one time.
    append_and_route(&*store, &["app", "hook"], &events("b", 6)).await;
    for name in ["app", "hook"] {
        let (_, claimed) = claim_all(&*store, name).await;
        settle(&*store, name, &claimed.iter().map(delivered).collect::<Vec<_>>()).await;
    }
    for destination in [None, Some("hook".to_owned()), Some("nobody".to_owned())] {
        let all = AttemptRange { destination: destination.clone(), ..query() };
        let all = store.newest_attempts(&all).await.unwrap().attempts;
        let expected = match destination.as_deref() {
            None => 32,
            Some("hook") => 16,
            _ => 0,
        };
        assert_eq!(all.len(), expected);
        for (attempts_max, scanned_max) in [(100, 1), (1, 100), (3, 100), (3, 4), (7, 7), (100, 5)]
        {
            let destination = destination.clone();
            let query = AttemptRange { destination, before: None, attempts_max, scanned_max };
            let pages = pages(&*store, &query).await;
            assert!(pages.iter().all(|page| page.len() <= attempts_max as usize));
            assert!(pages.iter().all(|page| page.len() <= scanned_max as usize));
            assert_eq!(pages.concat(), all, "{query:?}");
        }
    }
    let strange = AttemptRange { before: Some("nonsense".to_owned()), ..query() };
    assert_eq!(store.newest_attempts(&strange).await.unwrap().attempts.len(), 32, "as none");
}

pub async fn attempts_are_counted_over_time(backend: &dyn Backend) {
    let store = backend.create().await;
    let start_ms = store.now_ms().await.unwrap();
    destination_with(&*store, "other", 1).await;
    register(&*store, "hook", Ordering::None).await;
    append_and_route(&*store, &["hook"], &events("a", 8)).await;
    // One a second, each of which began a second before.
    for n in 0..8 {
        backend.advance(SECOND);
        let [one] = &claim(&*store, "hook", 1).await.deliveries[..] else { panic!("one is due") };
        let settlement = if n % 4 == 3 { dead_lettered(one, "no use") } else { delivered(one) };
        settle(&*store, "hook", &[settlement]).await;
    }
    dead_letter_all(&*store, "other", "no use").await;
    let query = |since_ms, until_ms, buckets, scanned_max| {
        let (since_ms, until_ms) = (start_ms + since_ms, start_ms + until_ms);
        let destination = "hook".to_owned();
        AttemptCountQuery { destination, since_ms, until_ms, buckets, scanned_max }
    };
    for (query, buckets) in [
        (query(0, 8_000, 2, 100), vec![(3, 1), (3, 1)]),
        (query(0, 8_000, 1, 100), vec![(6, 2)]),
        (query(0, 8_000, 4, 100), vec![(2, 0), (1, 1), (2, 0), (1, 1)]),
        (query(-4_000, 8_000, 3, 100), vec![(0, 0), (3, 1), (3, 1)]),
        (query(1_000, 3_000, 1, 100), vec![(2, 0)]),
        (query(8_000, 9_000, 2, 100), vec![(0, 0), (0, 0)]),
        (query(5_000, 5_000, 2, 100), vec![(0, 0), (0, 0)]),
    ] {
        let counted = store.count_attempts(&query).await.unwrap();
        assert_eq!(counted, AttemptCounts { buckets, complete: true }, "{query:?}");
    }
    let nobody = AttemptCountQuery { destination: "nobody".to_owned(), ..query(0, 8_000, 1, 100) };
    assert_eq!(store.count_attempts(&nobody).await.unwrap().buckets, [(0, 0)]);
}

pub async fn counting_has_an_end(backend: &dyn Backend) {
    let store = backend.create().await;
    let since_ms = store.now_ms().await.unwrap();
    destination_with(&*store, "hook", 20).await;
    for one in claim_all(&*store, "hook").await.1 {
        backend.advance(SECOND);
        settle(&*store, "hook", &[delivered(&one)]).await;
    }
    let until_ms = store.now_ms().await.unwrap();
    let query = |scanned_max| {
        let destination = "hook".to_owned();
        AttemptCountQuery { destination, since_ms, until_ms, buckets: 2, scanned_max }
    };
    let counted = store.count_attempts(&query(5)).await.unwrap();
    assert_eq!(counted, AttemptCounts { buckets: vec![(0, 0), (5, 0)], complete: false });
    let counted = store.count_attempts(&query(21)).await.unwrap();
    assert_eq!(counted, AttemptCounts { buckets: vec![(10, 0), (10, 0)], complete: true });
}

pub async fn events_are_found_by_state(backend: &dyn Backend) {
    let store = backend.create().await;
    destination_with(&*store, "app", 0).await;
    destination_with(&*store, "hook", 0).await;
    append_and_route(&*store, &["app", "hook"], &events("a", 6)).await;
    let app = claim(&*store, "app", 4).await.deliveries;
    settle(&*store, "app", &[delivered(&app[0]), dead_lettered(&app[1], "no use")]).await;
    settle(&*store, "app", &[dead_lettered(&app[3], "no use")]).await;
    dead_letter_all(&*store, "hook", "no use").await;
    let find = async |state, destination, before: Option<i64>, events_max| {
        let before = before.map(Seq::new);
        let found = store.events_in_state(state, destination, before, events_max).await.unwrap();
        found.into_iter().map(Seq::get).collect::<Vec<_>>()
    };
    let (pending, dead) = (StateFilter::Pending, StateFilter::DeadLettered);
    assert_eq!(find(pending, None, None, 10).await, [6, 5, 3], "one that is claimed is pending");
    assert_eq!(find(pending, Some("hook"), None, 10).await, [0; 0]);
    assert_eq!(find(pending, None, Some(6), 1).await, [5]);
    assert_eq!(find(dead, Some("app"), None, 10).await, [4, 2]);
    assert_eq!(find(dead, Some("app"), Some(4), 10).await, [2]);
    assert_eq!(find(dead, None, None, 10).await, [6, 5, 4, 3, 2, 1], "each once");
    assert_eq!(find(dead, None, None, 4).await, [6, 5, 4, 3]);
    assert_eq!(find(dead, None, Some(3), 4).await, [2, 1]);
    assert_eq!(find(dead, Some("nobody"), None, 10).await, [0; 0]);
}

pub async fn deliveries_are_counted_by_state(backend: &dyn Backend) {
    let store = backend.create().await;
    for name in ["app", "crm", "hook"] {
        destination_with(&*store, name, 0).await;
    }
    append_and_route(&*store, &["app", "crm", "hook"], &events("a", 3)).await;
    store.append(&[event("wanted by nobody")]).await.unwrap();
    let app = claim(&*store, "app", 2).await.deliveries;
    settle(&*store, "app", &[delivered(&app[0]), delivered(&app[1])]).await;
    let crm = claim(&*store, "crm", 1).await.deliveries;
    settle(&*store, "crm", &[dead_lettered(&crm[0], "no use")]).await;
    let seqs = [3, 1, 4, 2, 1, 9].map(Seq::new);
    let counts =
        |pending, delivered, dead_lettered| StateCounts { pending, delivered, dead_lettered };
    let expected = [
        (Seq::new(1), counts(1, 1, 1)),
        (Seq::new(2), counts(2, 1, 0)),
        (Seq::new(3), counts(3, 0, 0)),
    ];
    assert_eq!(store.count_deliveries(&seqs).await.unwrap(), expected);
    assert_eq!(store.count_deliveries(&[]).await.unwrap(), []);
}
