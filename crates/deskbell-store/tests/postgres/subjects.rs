//! The index of subjects: what a search costs, and several replicas that fill it while events go.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use deskbell_store::conformance::events;
use deskbell_store::retention::PruneOptions;
use deskbell_store::{EventLog, Indexed, PostgresStore, ReadLimit, Retention, SubjectIndex};
use sqlx::{AssertSqlSafe, PgConnection};
use testkit::PostgresDatabase;
use tokio::task::JoinSet;

use super::retention::somebody_waits;

/// Every other event is about one subject, and each of the rest about one of five thousand.
const FILL: &str = "
    INSERT INTO deskbell.events
        (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, payload)
    SELECT n, 0, n, 'clerk', 'msg_' || n, 'user.updated',
           CASE n % 2 WHEN 0 THEN 'user_busy' ELSE 'user_' || n % 10000 END, '{}'
    FROM generate_series(1, 50000) AS n";

/// Rows of the index whose event is not there, or is about something else.
const WRONG: &str = "SELECT count(*) FROM deskbell.event_subjects AS known
    LEFT JOIN deskbell.events AS event ON event.seq = known.seq
    WHERE event.subject IS DISTINCT FROM known.subject";
const ROWS: &str = "SELECT count(*) FROM deskbell.event_subjects";

async fn index(store: &PostgresStore, events_max: u32) -> u64 {
    let mut indexed = 0;
    loop {
        let Indexed { events, more } = store.index_subjects(events_max).await.unwrap();
        indexed += events;
        if !more {
            return indexed;
        }
    }
}

/// How many rows of each table and entries of each index this session has read.
async fn reads(connection: &mut PgConnection) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT relname::text, pg_stat_get_xact_tuples_returned(oid) FROM pg_class
         WHERE relnamespace = 'deskbell'::regnamespace AND relkind IN ('r', 'i')",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter().collect()
}

#[tokio::test]
async fn a_search_reads_no_more_than_it_finds() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    let mut connection = database.connection().await;
    let about = |subject: &str, before: &str| {
        format!("SELECT * FROM deskbell.about_v3('{subject}', {before}, 20, 1000000, 10000)")
    };
    // The plan that is made while there is nothing is kept.
    for _ in 0..6 {
        let sql = about("user_busy", "NULL");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    database.run(FILL).await;
    assert_eq!(index(&store, 5_000).await, 50_000);
    database.run("ANALYZE").await;
    for (subject, before, found) in [
        ("user_busy", "NULL", 20),
        ("user_busy", "20000", 20),
        ("user_77", "NULL", 5),
        ("user_77", "20001", 2),
        ("user_none", "NULL", 0),
    ] {
        sqlx::raw_sql("BEGIN").execute(&mut connection).await.unwrap();
        let before_it = reads(&mut connection).await;
        let rows = sqlx::raw_sql(AssertSqlSafe(about(subject, before)));
        rows.execute(&mut connection).await.unwrap();
        let after = reads(&mut connection).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut connection).await.unwrap();
        for (name, entries) in after {
            let entries = entries - before_it[&name];
            assert!(entries <= 2 * found + 3, "{entries} of {name} for {found} about {subject}");
        }
    }
    let limit = ReadLimit { events_max: 20, ..ReadLimit::default() };
    let rare = store.events_by_subject("user_77", None, limit).await.unwrap();
    let seqs: Vec<_> = rare.events.iter().map(|event| event.seq.get()).collect();
    assert_eq!(seqs, [40_077, 30_077, 20_077, 10_077, 77]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_index_each_event_once() {
    const EVENTS: i64 = 1_000;
    let database = PostgresDatabase::new().await;
    let replicas = [database.open().await, database.open().await];
    let mut tasks = JoinSet::new();
    for (number, store) in replicas.iter().enumerate() {
        let (appending, indexing) = (Arc::clone(store), Arc::clone(store));
        tasks.spawn(async move {
            for batch in events(&format!("r{number}"), 500).chunks(9) {
                appending.append(batch).await.unwrap();
            }
            0
        });
        tasks.spawn(async move {
            let mut indexed = 0;
            while indexing.head().await.unwrap().get() < EVENTS {
                indexed += index(&indexing, 7).await;
            }
            indexed + index(&indexing, 7).await
        });
    }
    let indexed: u64 = tasks.join_all().await.into_iter().sum();
    assert_eq!(indexed, 1_000);
    assert_eq!((database.number(ROWS).await, database.number(WRONG).await), (EVENTS, 0));
}

fn everything_old() -> PruneOptions {
    let age = Duration::from_secs(1_000);
    PruneOptions {
        payloads: age,
        events: age,
        attempts: age,
        commands: age,
        one_time_codes: age,
        destinations: Vec::new(),
        external_checkpoint: None,
        rows_max: 100,
    }
}

/// Ten events, the first six of them old.
async fn old_and_new(database: &PostgresDatabase, store: &PostgresStore) {
    store.append(&events("a", 10)).await.unwrap();
    database.run("UPDATE deskbell.events SET received_at_ms = seq WHERE seq <= 6").await;
}

#[tokio::test]
async fn no_row_is_left_of_an_event_that_goes_while_it_is_indexed() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    old_and_new(&database, &store).await;
    let mut indexer = database.connection().await;
    let sql = "BEGIN; SELECT deskbell.index_subjects_v1(100)";
    sqlx::raw_sql(sql).execute(&mut indexer).await.unwrap();
    let pruning = everything_old();
    let (pruned, ()) = tokio::join!(store.prune(&pruning), async {
        somebody_waits(&database).await;
        sqlx::raw_sql("COMMIT").execute(&mut indexer).await.unwrap();
    });
    assert_eq!(pruned.unwrap().events, 6);
    assert_eq!((database.number(ROWS).await, database.number(WRONG).await), (4, 0));
}

#[tokio::test]
async fn what_is_being_pruned_is_not_indexed() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    old_and_new(&database, &store).await;
    let mut pruner = database.connection().await;
    let sql = "BEGIN; SELECT deskbell.prune_v1(
        NULL, '{}', NULL, 1000000, 1000000, 1000000, 1000000, 1000000, 100)";
    sqlx::raw_sql(sql).execute(&mut pruner).await.unwrap();
    let later = Indexed { events: 0, more: true };
    assert_eq!(store.index_subjects(100).await.unwrap(), later, "it does not wait");
    sqlx::raw_sql("COMMIT").execute(&mut pruner).await.unwrap();
    assert_eq!(index(&store, 100).await, 4);
    assert_eq!((database.number(ROWS).await, database.number(WRONG).await), (4, 0));
}
