//! Opening: many at once, and what is not ours or not of this version is left alone.

use std::collections::BTreeSet;

use deskbell_store::{EventLog, PostgresOpenError, PostgresOptions, PostgresStore, Seq, Store};
use testkit::PostgresDatabase;
use tokio::task::JoinSet;

use super::tls::chain;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_replicas_open_an_empty_database_at_once() {
    let database = PostgresDatabase::new().await;
    let mut opening = JoinSet::new();
    for _ in 0..8 {
        let options = PostgresOptions { connections_max: 4, ..database.options() };
        opening.spawn(async move { PostgresStore::open(&options).await.unwrap() });
    }
    let stores = opening.join_all().await;
    let ids: BTreeSet<_> = stores.iter().map(|store| store.log_id().to_string()).collect();
    assert_eq!(ids.len(), 1, "one log: {ids:?}");
    for store in stores {
        assert_eq!(store.head().await.unwrap(), Seq::ZERO);
    }
}

#[tokio::test]
async fn a_schema_of_somebody_else_is_left_alone() {
    let database = PostgresDatabase::new().await;
    database.run("CREATE SCHEMA deskbell; CREATE TABLE deskbell.log (id bigint)").await;
    let refused = PostgresStore::open(&database.options()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::NotAStore { .. }), "{refused}");
    let refused = PostgresStore::open_to_read(&database.options()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::NotAStore { .. }), "{refused}");
    assert_eq!(database.number(RELATIONS).await, 1);
}

#[tokio::test]
async fn a_schema_that_was_made_for_it_is_taken() {
    let database = PostgresDatabase::new().await;
    database.run("CREATE SCHEMA deskbell").await;
    database.open().await.check_writable().await.unwrap();
}

#[tokio::test]
async fn a_newer_store_is_left_alone() {
    let database = PostgresDatabase::new().await;
    database.open().await.close().await;
    database.run("INSERT INTO deskbell.migrations (version) VALUES (999)").await;
    let refused = PostgresStore::open(&database.options()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Newer { found: 999, .. }), "{refused}");
    let refused = PostgresStore::open_to_read(&database.options()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Newer { found: 999, .. }), "{refused}");
}

#[tokio::test]
async fn reading_makes_and_migrates_nothing() {
    let database = PostgresDatabase::new().await;
    let refused = PostgresStore::open_to_read(&database.options()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Missing { .. }), "{refused}");
    assert!(refused.to_string().contains("deskbell serve"), "{refused}");
    assert_eq!(database.number(RELATIONS).await, 0);

    let id = database.open().await.log_id();
    assert_eq!(PostgresStore::open_to_read(&database.options()).await.unwrap().log_id(), id);
    database.run("DELETE FROM deskbell.migrations").await;
    let refused = PostgresStore::open_to_read(&database.options()).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Older { found: 0, .. }), "{refused}");
    assert!(refused.to_string().contains("deskbell serve"), "{refused}");
}

#[tokio::test]
async fn what_makes_no_sense_is_said() {
    let database = PostgresDatabase::new().await;
    let few = PostgresOptions { connections_max: 3, ..database.options() };
    let refused = PostgresStore::open(&few).await.unwrap_err();
    assert!(refused.to_string().contains("at least 4"), "{refused}");

    let nowhere = PostgresOptions::new("postgres://deskbell:hunter2@127.0.0.1:1/nothing");
    let refused = PostgresStore::open(&nowhere).await.unwrap_err();
    assert!(matches!(refused, PostgresOpenError::Database { .. }), "{refused}");
    assert!(refused.to_string().contains("127.0.0.1:1/nothing"), "{refused}");
    for text in [format!("{refused:?}"), format!("{nowhere:?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn what_the_server_answers_is_shown_as_it_is() {
    let database = PostgresDatabase::new().await;
    let absent = PostgresOptions::new(database.url().replace(database.name(), "deskbell_absent"));
    let refused = chain(&PostgresStore::open(&absent).await.unwrap_err());
    assert!(refused.ends_with("database \"deskbell_absent\" does not exist (3D000)"), "{refused}");
}

#[tokio::test]
async fn the_database_must_hold_any_text() {
    let database = PostgresDatabase::new().await;
    let name = format!("{}_ascii", database.name());
    database
        .run(&format!("CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"))
        .await;
    let options = PostgresOptions::new(database.url().replace(database.name(), &name));
    let refused = PostgresStore::open(&options).await.unwrap_err();
    database.run(&format!("DROP DATABASE {name} WITH (FORCE)")).await;
    assert!(refused.to_string().contains("SQL_ASCII"), "{refused}");
}

const RELATIONS: &str = "SELECT count(*) FROM pg_class c JOIN pg_namespace n
    ON n.oid = c.relnamespace WHERE n.nspname = 'deskbell'";
