//! A consumer's newest holder has the greatest token.
#![expect(clippy::unwrap_used, reason = "requirements, named for what they require")]

use std::time::Duration;

use super::Backend;
use crate::{ConsumerReport, Seq, SourceInstance};

pub async fn tokens_grow_also_over_a_restart(backend: &dyn Backend) {
    let store = backend.create().await;
    let first = store.next_fencing_token("mirror").await.unwrap();
    let second = store.next_fencing_token("mirror").await.unwrap();
    let store = backend.reopen(store).await;
    let third = store.next_fencing_token("mirror").await.unwrap();
    assert!(first < second && second < third, "{first:?} {second:?} {third:?}");
}

pub async fn consumers_have_tokens_of_their_own(backend: &dyn Backend) {
    let store = backend.create().await;
    let mirror = store.next_fencing_token("mirror").await.unwrap();
    store.next_fencing_token("router").await.unwrap();
    let again = store.next_fencing_token("mirror").await.unwrap();
    assert_eq!(again.get(), mirror.get() + 1);
}

pub async fn a_store_that_works_is_writable(backend: &dyn Backend) {
    let store = backend.create().await;
    store.check_writable().await.unwrap();
    store.close().await;
    store.check_writable().await.unwrap_err();
}

pub async fn a_lease_is_renewed(backend: &dyn Backend) {
    const LEASE: Duration = Duration::from_secs(3);
    let store = backend.create().await;
    assert!(store.renew_lease("mirror", LEASE).await.unwrap());
    let first = store.next_fencing_token("mirror").await.unwrap();
    assert!(store.renew_lease("mirror", LEASE).await.unwrap(), "by the one that holds it");
    backend.advance(2 * LEASE);
    assert!(store.renew_lease("mirror", LEASE).await.unwrap(), "also after the lease's end");
    store.release_lease("mirror").await.unwrap();
    assert!(store.next_fencing_token("mirror").await.unwrap() > first, "a release keeps the token");
    store.release_lease("mirror").await.unwrap();
}

pub async fn what_a_consumer_says_of_itself_is_read_back(backend: &dyn Backend) {
    let store = backend.create().await;
    assert_eq!(store.latest_report("mirror").await.unwrap(), None);
    assert!(store.publish_report("mirror", "\"first\"").await.unwrap());
    backend.advance(Duration::from_secs(1));
    let at_ms = store.now_ms().await.unwrap();
    assert!(store.publish_report("mirror", "\"é\"").await.unwrap(), "in place of the first");
    store.publish_report("router", "{}").await.unwrap();
    backend.advance(Duration::from_secs(1));
    let store = backend.reopen(store).await;
    let report = store.latest_report("mirror").await.unwrap();
    assert_eq!(report, Some(ConsumerReport { body: "\"é\"".to_owned(), at_ms }));
}

pub async fn the_first_instance_of_a_source_is_kept(backend: &dyn Backend) {
    let store = backend.create().await;
    let found = |instance_id: &str, seq| SourceInstance {
        instance_id: instance_id.to_owned(),
        since: Seq::new(seq),
    };
    assert_eq!(store.source_instance("clerk").await.unwrap(), None);
    let first = found("ins_1", 7);
    assert_eq!(store.pin_source_instance("clerk", &first).await.unwrap(), first);
    let second = found("ins_2", 3);
    assert_eq!(store.pin_source_instance("clerk", &second).await.unwrap(), first);
    assert_eq!(store.pin_source_instance("other", &second).await.unwrap(), second);
    let store = backend.reopen(store).await;
    assert_eq!(store.source_instance("clerk").await.unwrap(), Some(first));
}
