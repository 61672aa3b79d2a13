//! A destination that is no longer declared is removed, and others are left as they are.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use super::work::{
    about, append_and_route, claim, claim_all, dead_lettered, delivered, register, retry, settle,
};
use super::{Backend, events};
use crate::deliveries::{AttemptRange, Ordering};
use crate::{Seq, Store};

const EVENTS: usize = 6;

/// Two destinations, each with two deliveries of each state, and one attempt at each but the last.
async fn two_destinations(store: &dyn Store) {
    for name in ["gone", "kept"] {
        register(store, name, Ordering::Subject).await;
    }
    let batch: Vec<_> =
        (0..EVENTS).map(|n| about(&format!("a_{n}"), &format!("user_{n}"))).collect();
    append_and_route(store, &["gone", "kept"], &batch).await;
    for name in ["gone", "kept"] {
        let (_, claimed) = claim_all(store, name).await;
        let settlements: Vec<_> = claimed[..EVENTS - 1]
            .iter()
            .enumerate()
            .map(|(n, one)| match n {
                0 | 1 => delivered(one),
                2 | 3 => dead_lettered(one, "no use"),
                _ => retry(one, std::time::Duration::from_secs(60)),
            })
            .collect();
        settle(store, name, &settlements).await;
    }
}

/// All that is kept of a destination.
async fn known(store: &dyn Store, name: &str) -> String {
    let mut known = String::new();
    for seq in 1..=EVENTS {
        let deliveries = store.deliveries_of(Seq::new(i64::try_from(seq).unwrap())).await.unwrap();
        let own = deliveries.iter().filter(|one| &*one.key.destination == name);
        own.for_each(|one| known += &format!("{one:?}\n"));
    }
    let destination = Some(name.to_owned());
    let (attempts_max, scanned_max) = (100, 100);
    let attempts = AttemptRange { destination, before: None, attempts_max, scanned_max };
    for one in store.newest_attempts(&attempts).await.unwrap().attempts {
        known += &format!("{one:?}\n");
    }
    let states = store.destinations().await.unwrap();
    let states = states.iter().filter(|state| &*state.name == name);
    states.for_each(|state| known += &format!("{state:?}\n"));
    known
}

pub async fn it_goes_with_all_that_belongs_to_it(backend: &dyn Backend) {
    for rows_max in [1, 2, 5, 1_000] {
        let store = backend.create().await;
        two_destinations(&*store).await;
        let (gone, kept) = (known(&*store, "gone").await, known(&*store, "kept").await);
        assert_eq!(gone.lines().count(), kept.lines().count());
        assert_eq!(gone.lines().count(), EVENTS + (EVENTS - 1) + 1);
        let mut pieces = 1;
        while store.remove_destination("gone", rows_max).await.unwrap() {
            pieces += 1;
        }
        // Deliveries and attempts, and the destination in the last piece.
        let rows = EVENTS + (EVENTS - 1);
        assert_eq!(pieces, rows / rows_max as usize + 1, "{rows_max} at a time");
        assert_eq!(known(&*store, "gone").await, "");
        assert_eq!(known(&*store, "kept").await, kept);
        assert!(!store.remove_destination("gone", rows_max).await.unwrap(), "it is done");
        assert!(!store.remove_destination("nobody", rows_max).await.unwrap());
    }
}

pub async fn one_of_its_name_begins_anew(backend: &dyn Backend) {
    let store = backend.create().await;
    two_destinations(&*store).await;
    assert!(!store.remove_destination("gone", 1_000).await.unwrap());
    let store = backend.reopen(store).await;
    register(&*store, "gone", Ordering::None).await;
    let state = store.destinations().await.unwrap().remove(0);
    assert_eq!((&*state.name, state.routed), ("gone", store.head().await.unwrap()));
    assert_eq!(claim_all(&*store, "gone").await.0, [0; 0]);
    append_and_route(&*store, &["gone"], &events("b", 1)).await;
    assert_eq!(claim_all(&*store, "gone").await.0, [7]);
}

pub async fn what_is_claimed_is_lost_with_it(backend: &dyn Backend) {
    let store = backend.create().await;
    two_destinations(&*store).await;
    let late = [about("b_1", "user_8"), about("b_2", "user_9")];
    append_and_route(&*store, &["gone"], &late).await;
    let claimed = claim(&*store, "gone", 2).await.deliveries;
    assert!(!store.remove_destination("gone", 1_000).await.unwrap());
    assert_eq!(claimed.len(), 2);
    let settlements: Vec<_> = claimed.iter().map(delivered).collect();
    assert_eq!(store.settle("gone", &settlements).await.unwrap(), 2);
    assert_eq!(known(&*store, "gone").await, "");
    assert_eq!(claim(&*store, "gone", 2).await.deliveries.len(), 0);
}
