//! What a batch of pruning costs those who wait for the writer, and a search who made it; and what the
//! file has of deleted users.

use sqlx::{AssertSqlSafe, Row};

use super::prune;
use crate::conformance::event;
use crate::sqlite::{subject_events, subject_index};
use crate::{EventLog, NewEvent, Retention, SqliteStore};

/// Every statement whose tables may be large. Destinations are few, and what a subquery has found
/// has a limit.
const STATEMENTS: [&str; 15] = [
    prune::SETTLED,
    prune::REQUESTS,
    prune::ATTEMPTS_OF_EVENTS,
    prune::UNWANTED,
    prune::SUBJECTS,
    prune::EVENTS,
    prune::USER_REFS,
    prune::ERASURES,
    prune::PAYLOADS,
    prune::ATTEMPTS,
    prune::CODES,
    subject_index::NEXT,
    subject_index::INDEX,
    subject_events::UNINDEXED,
    subject_events::INDEXED,
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
                || step == "SCAN subject_index"
                || step.contains(" VIRTUAL TABLE ")
                || step.starts_with("SCAN (subquery-")
                || step == "SCAN attempts" && sql == prune::ATTEMPTS
                || step.contains("USING INDEX events_one_time_codes");
            assert!(few || !step.starts_with("SCAN "), "{step} in {sql}");
            let sorts = step.contains("TEMP B-TREE FOR ORDER BY") && sql != subject_index::INDEX;
            assert!(!sorts, "{step} in {sql}");
        }
    }
}

fn created(number: u32) -> (String, NewEvent) {
    // Spread over the index, as people's addresses are.
    let address = format!("{:08x}@example.com", number.wrapping_mul(2_654_435_761));
    let payload = format!(r#"{{"data":{{"id":"user_{number}","email":"{address}"}}}}"#);
    let event = event(&format!("msg_{number}"));
    let event =
        NewEvent { subject: Some(format!("user_{number}")), payload: payload.into(), ..event };
    (address, event)
}

/// Pages of an index that are split keep copies of rows, which nobody overwrites.
#[tokio::test]
async fn an_address_stands_in_its_payload_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deskbell.db");
    let store = SqliteStore::open(&path).await.unwrap().index_user_refs().await.unwrap();
    let (addresses, events): (Vec<_>, Vec<_>) = (0..500).map(created).unzip();
    for some in events.chunks(20) {
        store.append(some).await.unwrap();
    }
    assert!(store.scrub().await.unwrap(), "the write-ahead log is empty");
    let bytes = std::fs::read(&path).unwrap();
    let file = String::from_utf8_lossy(&bytes);
    for address in addresses {
        assert_eq!(file.matches(&address).count(), 1, "{address}");
    }
}
