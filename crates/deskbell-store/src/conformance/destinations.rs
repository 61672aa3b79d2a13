//! Destinations are registered once, and keep what is known of them.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::work::{append_and_route, claim, dead_letter_all, destination_with, key, register};
use super::{Backend, events};
use crate::Seq;
use crate::deliveries::{
    Backlog, DestinationHealth, Disabled, Ordering, Registration, Settlement, StartFrom,
};

fn registration(name: &str, from: StartFrom) -> Registration {
    Registration { name: name.to_owned(), from, ordering: Ordering::None }
}

pub async fn a_new_one_starts_where_it_is_told(backend: &dyn Backend) {
    let store = backend.create().await;
    store.append(&events("a", 3)).await.unwrap();
    let beginning = store.register(&registration("all", StartFrom::Beginning)).await.unwrap();
    assert_eq!(beginning.routed, Seq::ZERO);
    assert_eq!(beginning.health, DestinationHealth::default());
    let now = store.register(&registration("new", StartFrom::Now)).await.unwrap();
    assert_eq!(now.routed, Seq::new(3));
    assert_eq!(store.destinations().await.unwrap(), [beginning, now], "by name");
}

pub async fn a_known_one_keeps_its_state(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    append_and_route(&*store, &["hook"], &events("a", 2)).await;
    store.append(&events("b", 2)).await.unwrap();
    let store = backend.reopen(store).await;
    let again = store.register(&registration("hook", StartFrom::Now)).await.unwrap();
    assert_eq!(again.routed, Seq::new(2));
    assert_eq!(claim(&*store, "hook", 10).await.deliveries.len(), 2);
}

pub async fn health_comes_back(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    register(&*store, "other", Ordering::None).await;
    let disabled = Some(Disabled { at_ms: 3, reason: "410 DeletedUser".to_owned() });
    let health = DestinationHealth {
        first_failure_at_ms: Some(1),
        failed_attempts: 4,
        last_failure_at_ms: Some(2),
        disabled,
    };
    store.set_health("hook", &health).await.unwrap();
    let store = backend.reopen(store).await;
    let known = store.destinations().await.unwrap();
    assert_eq!(known[0].health, health);
    assert_eq!(known[1].health, DestinationHealth::default());
    store.set_health("hook", &DestinationHealth::default()).await.unwrap();
    assert_eq!(store.destinations().await.unwrap()[0].health, DestinationHealth::default());
}

pub async fn health_is_changed_where_it_is_still_known(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    let failed = |failed_attempts, last_failure_at_ms| DestinationHealth {
        first_failure_at_ms: Some(1),
        failed_attempts,
        last_failure_at_ms: Some(last_failure_at_ms),
        disabled: None,
    };
    let disabled = DestinationHealth {
        disabled: Some(Disabled { at_ms: 3, reason: "410 DeletedUser".to_owned() }),
        ..failed(1, 1)
    };
    let none = DestinationHealth::default();
    for (from, to, changes) in [
        (&none, &failed(1, 1), true),
        (&none, &failed(1, 2), false),
        (&failed(2, 1), &none, false),
        (&failed(1, 2), &none, false),
        (&failed(1, 1), &disabled, true),
        (&failed(1, 1), &none, false),
        (&disabled, &none, true),
    ] {
        let before = store.destinations().await.unwrap()[0].health.clone();
        let changed = store.change_health("hook", from, to).await.unwrap();
        assert_eq!(changed, changes, "{before:?} from {from:?} to {to:?}");
        let after = store.destinations().await.unwrap()[0].health.clone();
        assert_eq!(&after, if changes { to } else { &before });
    }
    assert!(!store.change_health("nobody", &none, &none).await.unwrap());
}

pub async fn dead_letters_are_added_up(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "hook", Ordering::None).await;
    register(&*store, "other", Ordering::None).await;
    assert_eq!(store.destinations().await.unwrap()[0].dead_letters_total, 0);
    for count in [1, 9_999] {
        store.add_dead_letters("hook", count).await.unwrap();
    }
    store.add_dead_letters("nobody", 1).await.unwrap();
    store.set_health("hook", &DestinationHealth::default()).await.unwrap();
    let store = backend.reopen(store).await;
    let totals: Vec<_> =
        store.destinations().await.unwrap().iter().map(|one| one.dead_letters_total).collect();
    assert_eq!(totals, [10_000, 0]);
}

pub async fn backlogs_are_counted(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "idle", Ordering::None).await;
    destination_with(&*store, "hook", 2).await;
    dead_letter_all(&*store, "hook", "no use").await;
    backend.advance(Duration::from_secs(1));
    let received_at_ms = store.now_ms().await.unwrap();
    append_and_route(&*store, &["hook"], &events("a", 3)).await;
    backend.advance(Duration::from_secs(1));
    append_and_route(&*store, &["hook"], &events("b", 1)).await;
    let backlog = |name: &str, pending, dead_lettered, oldest_received_at_ms| Backlog {
        destination: name.into(),
        pending,
        dead_lettered,
        oldest_received_at_ms,
    };
    let expected = [backlog("hook", 4, 2, Some(received_at_ms)), backlog("idle", 0, 0, None)];
    assert_eq!(store.backlogs().await.unwrap(), expected);
}

pub async fn what_is_pending_is_counted_so_far(backend: &dyn Backend) {
    let store = backend.create().await;
    register(&*store, "idle", Ordering::None).await;
    destination_with(&*store, "given_up", 2).await;
    dead_letter_all(&*store, "given_up", "no use").await;
    destination_with(&*store, "hook", 5).await;
    // One that is being attempted is pending too.
    assert_eq!(claim(&*store, "hook", 1).await.deliveries.len(), 1);
    for (pending_max, counted) in [(10, 5), (5, 5), (3, 3)] {
        let pending = store.pending(pending_max).await.unwrap();
        let expected = [("given_up".into(), 0), ("hook".into(), counted), ("idle".into(), 0)];
        assert_eq!(pending, expected, "at most {pending_max}");
    }
}

pub async fn an_unknown_one_has_no_work(backend: &dyn Backend) {
    let store = backend.create().await;
    let claimed = claim(&*store, "nobody", 10).await;
    assert_eq!((claimed.deliveries.len(), claimed.next_due), (0, None));
    let settlements: [Settlement; 0] = [];
    assert_eq!(store.settle("nobody", &settlements).await.unwrap(), 0);
    assert_eq!(store.revive(&[key("nobody", 1)]).await.unwrap(), 0);
    assert_eq!(store.deliveries_of(Seq::new(1)).await.unwrap(), []);
}
