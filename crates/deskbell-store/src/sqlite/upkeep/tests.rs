//! What a batch of pruning costs those who wait for the writer.

use sqlx::{AssertSqlSafe, Row};

use super::prune;
use crate::SqliteStore;

/// Every statement whose tables may be large. Destinations are few, and what a subquery has found
/// has a limit.
const STATEMENTS: [&str; 10] = [
    prune::SETTLED,
    prune::REQUESTS,
    prune::ATTEMPTS_OF_EVENTS,
    prune::UNWANTED,
    prune::EVENTS,
    prune::PEOPLE,
    prune::ERASURES,
    prune::PAYLOADS,
    prune::ATTEMPTS,
    prune::CODES,
];

#[tokio::test]
async fn no_statement_reads_a_table_whole() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap();
    for sql in STATEMENTS {
        let mut connection = store.connection().await.unwrap();
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")))
            .fetch_all(&mut *connection)
            .await
            .unwrap();
        for row in rows {
            let step: String = row.get("detail");
            let few = step.starts_with("SCAN destination")
                || step == "SCAN router"
                || step.contains(" VIRTUAL TABLE ")
                || step.starts_with("SCAN (subquery-")
                || step == "SCAN attempts" && sql == prune::ATTEMPTS
                || step.contains("USING INDEX events_one_time_codes");
            assert!(few || !step.starts_with("SCAN "), "{step} in {sql}");
            assert!(!step.contains("TEMP B-TREE FOR ORDER BY"), "{step} in {sql}");
        }
    }
}
