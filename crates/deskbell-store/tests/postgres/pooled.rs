//! Behind a PgBouncer in transaction mode: found out, and nothing is left on its connections.

use std::sync::Arc;
use std::time::Duration;

use deskbell_store::conformance::{event, events};
use deskbell_store::{EventLog, PostgresStore, Seq};
use testkit::PostgresDatabase;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::pooler::Pooler;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_prepared_or_listened_to() {
    let database = PostgresDatabase::new().await;
    let pooler = Pooler::start(database.server()).await;
    let store = Arc::new(PostgresStore::open(&pooler.options(&database)).await.unwrap());
    let mut appenders = JoinSet::new();
    for appender in 0..6 {
        let store = Arc::clone(&store);
        appenders.spawn(async move {
            for batch in events(&format!("{appender}"), 60).chunks(3) {
                store.append(batch).await.unwrap();
                store.head().await.unwrap();
            }
        });
    }
    appenders.join_all().await;
    assert_eq!(store.head().await.unwrap(), Seq::new(360));
    let listening = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND query ILIKE 'LISTEN%'";
    assert_eq!(database.number(listening).await, 0);
    assert!(format!("{store:?}").contains("Pooled"), "{store:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_append_is_found() {
    let database = PostgresDatabase::new().await;
    let pooler = Pooler::start(database.server()).await;
    let pooled = PostgresStore::open(&pooler.options(&database)).await.unwrap();
    let direct = database.open().await;
    assert!(format!("{direct:?}").contains("Direct"), "{direct:?}");
    for (one, other, id) in [(&pooled, &*direct, "a"), (&direct, &pooled, "b")] {
        let mut head = other.subscribe();
        let appended = one.append(&[event(id)]).await.unwrap()[0].seq();
        let woken = timeout(Duration::from_secs(5), head.wait_for(|head| *head >= appended));
        woken.await.unwrap().unwrap();
    }
}
