//! Endpoints are changed by whoever knows their last version, and each change is noticed.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Backend;
use crate::{Store, StoredEndpoint};

fn endpoint(id: &str, settings: &str, version: i64) -> StoredEndpoint {
    StoredEndpoint {
        id: id.to_owned(),
        settings: settings.to_owned(),
        sealed: vec![0, 1, 0xff],
        created_at_ms: 0,
        updated_at_ms: 0,
        version,
    }
}

async fn put(store: &dyn Store, id: &str, settings: &str, version: i64) -> bool {
    store.put_endpoint(&endpoint(id, settings, version)).await.unwrap()
}

async fn found(store: &dyn Store, id: &str) -> StoredEndpoint {
    let (_, endpoints) = store.stored_endpoints().await.unwrap();
    endpoints.into_iter().find(|endpoint| endpoint.id == id).unwrap()
}

pub async fn endpoints_are_listed_by_id(backend: &dyn Backend) {
    let store = backend.create().await;
    let (revision, none) = store.stored_endpoints().await.unwrap();
    assert_eq!((revision, none), (store.endpoints_revision().await.unwrap(), vec![]));
    let start_ms = store.now_ms().await.unwrap();
    for id in ["ep_b", "ep_a"] {
        assert!(put(&*store, id, r#"{"url":"https://example.com"}"#, 0).await);
    }
    let store = backend.reopen(store).await;
    let (revision, all) = store.stored_endpoints().await.unwrap();
    assert_eq!(revision, store.endpoints_revision().await.unwrap());
    assert_eq!(all.iter().map(|one| &*one.id).collect::<Vec<_>>(), ["ep_a", "ep_b"]);
    for one in &all {
        assert_eq!(
            (&*one.settings, &one.sealed[..]),
            (r#"{"url":"https://example.com"}"#, &[0, 1, 0xff][..])
        );
        assert_eq!((one.created_at_ms, one.updated_at_ms), (start_ms, start_ms));
        assert!(one.version > 0);
    }
}

pub async fn who_knows_the_last_version_changes_it(backend: &dyn Backend) {
    let store = backend.create().await;
    assert!(!put(&*store, "ep", "none", 1).await, "there is none of this version");
    assert!(put(&*store, "ep", "first", 0).await);
    assert!(!put(&*store, "ep", "again", 0).await, "there is one");
    let first = found(&*store, "ep").await;
    backend.advance(Duration::from_secs(1));
    assert!(put(&*store, "ep", "second", first.version).await);
    assert!(!put(&*store, "ep", "late", first.version).await);
    let second = found(&*store, "ep").await;
    assert_eq!((&*first.settings, &*second.settings), ("first", "second"));
    assert!(second.version > first.version);
    assert_eq!(second.created_at_ms, first.created_at_ms);
    assert_eq!(second.updated_at_ms, first.updated_at_ms + 1_000);
}

pub async fn of_many_who_change_one_a_single_one_does(backend: &dyn Backend) {
    let store = backend.create().await;
    assert!(put(&*store, "ep", "first", 0).await);
    let version = found(&*store, "ep").await.version;
    let mut tasks = JoinSet::new();
    for n in 0..4 {
        let store = Arc::clone(&store);
        tasks.spawn(async move {
            let settings = n.to_string();
            put(&*store, "ep", &settings, version).await.then_some(settings)
        });
    }
    let done: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(done, [found(&*store, "ep").await.settings]);
}

pub async fn the_revision_grows_with_each_change(backend: &dyn Backend) {
    let store = backend.create().await;
    let mut last = store.endpoints_revision().await.unwrap();
    let mut has_grown = async |store: &dyn Store| {
        let former = std::mem::replace(&mut last, store.endpoints_revision().await.unwrap());
        last > former
    };
    assert!(put(&*store, "ep", "first", 0).await && has_grown(&*store).await);
    assert!(!put(&*store, "ep", "again", 0).await && !has_grown(&*store).await);
    let first = found(&*store, "ep").await;
    assert!(put(&*store, "ep", "second", first.version).await && has_grown(&*store).await);
    assert!(!put(&*store, "ep", "late", first.version).await && !has_grown(&*store).await);
    let second = found(&*store, "ep").await;
    assert!(store.delete_endpoint("ep").await.unwrap() && has_grown(&*store).await);
    assert!(!store.delete_endpoint("ep").await.unwrap() && !has_grown(&*store).await);
    assert_eq!(store.stored_endpoints().await.unwrap().1, []);
    assert!(put(&*store, "ep", "anew", 0).await && has_grown(&*store).await);
    for known in [first.version, second.version] {
        assert!(!put(&*store, "ep", "late", known).await, "it is another one");
    }
    assert_eq!(found(&*store, "ep").await.settings, "anew");
}
