//! What a unit of work costs is the same however much is settled, or waits behind others.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Row, SqliteConnection};

use super::{
    attempt_counts, attempt_log, claim, dead_letter, pending, query, remove, replay, route, settle,
};
use crate::conformance::work;
use crate::deliveries::{Ordering, ROUTER, Replays, Routed, RoutedBatch, Routing};
use crate::{Leases, Seq, SqliteStore};

/// Every statement whose tables may be large. What may be read whole is the list that comes with
/// the statement, and destinations, which are few.
const STATEMENTS: [&str; 27] = [
    claim::WAITING,
    claim::EVENTS,
    pending::ADD,
    pending::FIRST,
    pending::NEXT_DUE,
    settle::ATTEMPTS,
    settle::RETRIES,
    settle::SETTLED,
    settle::DONE,
    replay::REVIVE,
    replay::FORGET,
    replay::DEAD,
    dead_letter::DEAD_LETTER,
    query::BACKLOGS,
    route::PENDING,
    query::DEAD_LETTERS,
    attempt_log::NEWEST,
    attempt_log::ONE,
    attempt_log::PENDING,
    attempt_log::DEAD_LETTERED,
    attempt_log::STATES,
    attempt_counts::COUNT,
    remove::PENDING,
    remove::SETTLED,
    remove::ATTEMPTS,
    remove::DELETE_PENDING,
    remove::DELETE_SETTLED,
];

async fn plan(connection: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
        .fetch_all(connection)
        .await
        .unwrap();
    rows.iter().map(|row| row.get("detail")).collect()
}

#[tokio::test]
async fn a_claim_reads_the_index_of_what_may_go() {
    let (_directory, store) = store().await;
    let plan = plan(&mut store.connection().await.unwrap(), claim::WAITING).await;
    let index = "SEARCH deliveries USING INDEX deliveries_due (destination_id=?)";
    assert!(plan.iter().any(|step| step == index), "{plan:#?}");
    assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "nothing is sorted: {plan:#?}");
}

#[tokio::test]
async fn no_statement_reads_a_table_whole() {
    let (_directory, store) = store().await;
    for sql in STATEMENTS {
        for step in plan(&mut store.connection().await.unwrap(), sql).await {
            let listed = step.contains(" VIRTUAL TABLE ") || step.contains(" CONSTANT ROW");
            // What a subquery has found; its own steps are in the plan too.
            let found = step.starts_with("SCAN (subquery-");
            let few = listed || found || step.starts_with("SCAN destination ");
            assert!(few || !step.starts_with("SCAN "), "{step} in {sql}");
            assert!(!step.contains("TEMP B-TREE FOR ORDER BY"), "{step} in {sql}");
        }
    }
}

#[tokio::test]
async fn dead_letters_are_found_without_passing_what_was_delivered() {
    let (_directory, store) = store().await;
    for sql in [query::BACKLOGS, query::DEAD_LETTERS] {
        let plan = plan(&mut store.connection().await.unwrap(), sql).await;
        assert!(plan.iter().any(|step| step.contains("settled_deliveries_dead")), "{plan:#?}");
    }
}

#[tokio::test]
async fn the_cost_is_flat() {
    let few = cost(10).await;
    let many = cost(100_000).await;
    for ((work, few), (_, many)) in few.iter().zip(&many) {
        assert!(*many <= few + few / 4, "{work}: {few} steps where few wait, {many} where many do");
    }
}

/// A store with one ordered destination.
async fn store() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
    work::register(&store, "hook", Ordering::Subject).await;
    (directory, store)
}

/// So many settled deliveries, dead letters among them, and as many that wait behind another one.
async fn fill(store: &SqliteStore, rows: i64) {
    let sql = format!(
        "BEGIN;
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2 * {rows})
         INSERT INTO events SELECT n, 'clerk', 'msg_' || n, 'user.updated', 'user_1', 0, 0, NULL,
             x'7b7d', NULL, NULL FROM n;
         INSERT INTO settled_deliveries
             SELECT 1, seq, iif(seq % 2, 'delivered', 'dead_lettered'), 0, 1, 'no use', 'clerk',
                 message_id, type, subject FROM events WHERE seq <= {rows};
         INSERT INTO attempts (destination_id, seq, number, started_at_ms, duration_ms)
             SELECT 1, seq, 1, 0, 0 FROM settled_deliveries;
         INSERT INTO deliveries (destination_id, seq, subject, due_at_ms, blocked)
             SELECT 1, seq, subject, 0, seq > {rows} + 1 FROM events WHERE seq > {rows};
         UPDATE destinations SET routed_seq = 2 * {rows};
         COMMIT"
    );
    let mut connection = store.connection().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.unwrap();
}

/// The steps of SQLite's machine that each kind of work takes on the writing connection.
async fn cost(rows: i64) -> Vec<(&'static str, u64)> {
    let (_directory, store) = store().await;
    fill(&store, rows).await;
    let token = store.next_fencing_token(ROUTER).await.unwrap();
    let steps = count_steps(&store).await;
    let mut costs = Vec::new();
    let mut note = |work| costs.push((work, steps.swap(0, Relaxed)));

    steps.store(0, Relaxed);
    claim::waiting(&mut store.connection().await.unwrap(), "hook", 10).await.unwrap();
    note("claim");
    let claimed = work::claim(&store, "hook", 1).await.deliveries;
    assert_eq!(claimed[0].event.seq, Seq::new(rows + 1));
    work::settle(&store, "hook", &[work::retry(&claimed[0], Duration::ZERO)]).await;
    note("retry");
    let claimed = work::claim(&store, "hook", 1).await.deliveries;
    work::settle(&store, "hook", &[work::delivered(&claimed[0])]).await;
    note("deliver");
    let claimed = work::claim(&store, "hook", 1).await.deliveries;
    assert_eq!(claimed[0].event.seq, Seq::new(rows + 2), "the next of the subject");
    work::settle(&store, "hook", &[work::dead_lettered(&claimed[0], "no use")]).await;
    note("give up");
    assert_eq!(store.revive(&[work::key("hook", 2)]).await.unwrap(), 1);
    note("revive");
    let end = Seq::new(2 * rows);
    let batch = RoutedBatch {
        token,
        from: end,
        to: end,
        destinations: vec!["hook".into()],
        deliveries: vec![work::new_delivery("hook", 2, "user_1")],
        filtered_out: Vec::new(),
    };
    assert_eq!(store.route(&batch).await.unwrap(), Routed::Done);
    note("route");
    costs
}

async fn count_steps(store: &SqliteStore) -> Arc<AtomicU64> {
    let steps = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&steps);
    let mut connection = store.connection().await.unwrap();
    connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
        counted.fetch_add(1, Relaxed);
        true
    });
    steps
}
