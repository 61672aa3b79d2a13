//! A connection that somebody in between has forgotten: bytes vanish, and nobody says so.

use std::time::Duration;

use deskbell_store::conformance::event;
use deskbell_store::{EventLog, PostgresOptions, PostgresStore, Store, StoreError};
use testkit::{PostgresDatabase, Proxy};
use tokio::time::{Instant, timeout};

/// Far above what giving up takes, far below what TCP itself takes.
const MOMENT: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_was_forgotten_is_given_up_and_another_one_made() {
    let database = PostgresDatabase::new().await;
    let proxy = Proxy::start(&database.server().authority()).await.unwrap();
    let url = database.url_at(proxy.address());
    let store = PostgresStore::open(&PostgresOptions::new(url)).await.unwrap();
    store.append(&[event("before")]).await.unwrap();
    proxy.forget();
    // Each connection that the store has is found out about, and replaced by one that works.
    let until = Instant::now() + MOMENT;
    let mut well = 0;
    for number in 0.. {
        let appended = timeout(MOMENT, store.append(&[event(&number.to_string())])).await.unwrap();
        let head = timeout(MOMENT, store.head()).await.unwrap();
        well = if appended.is_ok() && head.is_ok() { well + 1 } else { 0 };
        for error in [appended.err(), head.err()].into_iter().flatten() {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
        if well == 20 {
            break;
        }
        assert!(Instant::now() < until, "it does not work again");
    }
    timeout(MOMENT, store.close()).await.unwrap();
}
