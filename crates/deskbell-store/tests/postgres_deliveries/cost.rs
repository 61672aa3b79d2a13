//! What a claim touches: pending work alone, however much lies behind it.

use std::collections::BTreeMap;

use deskbell_store::Store;
use deskbell_store::deliveries::DeliveryQueue;
use sqlx::{AssertSqlSafe, PgConnection};

use super::database::Database;
use super::{Ordering, claim, register, seqs};

/// So much is settled, and so much waits behind it.
const SETTLED: i64 = 200_000;
const PENDING: i64 = 1_000;

/// Dead letters among the settled ones, and of the pending ones each is about a subject of its own.
async fn fill(connection: &mut PgConnection) {
    let sql = format!(
        "INSERT INTO deskbell.events
             (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, payload)
         SELECT n, 0, 0, 'clerk', 'msg_' || n, 'user.updated', 'user_' || n, '{{}}'
         FROM generate_series(1, {SETTLED} + {PENDING}) AS n;
         INSERT INTO deskbell.settled_deliveries
             (destination_id, seq, settled_at_ms, attempts_total, state, reason)
         SELECT 1, n, 0, 1, CASE n % 2 WHEN 0 THEN 'delivered' ELSE 'dead_lettered' END, 'no use'
         FROM generate_series(1, {SETTLED}) AS n;
         INSERT INTO deskbell.deliveries (destination_id, seq, subject, due_at_ms, blocked)
         SELECT 1, {SETTLED} + n, 'user_' || n, 0, false FROM generate_series(1, {PENDING}) AS n;
         ANALYZE"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

/// An attempt at each that is settled, ten a millisecond.
const ATTEMPTS: &str = "INSERT INTO deskbell.attempts
         (destination_id, seq, number, started_at_ms, duration_ms)
     SELECT destination_id, seq, 1, seq / 10, 0 FROM deskbell.settled_deliveries; ANALYZE";

/// How often this session has scanned each table and index, and the rows that it read in tables
/// from their beginning.
async fn scans(connection: &mut PgConnection) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT relname::text, pg_stat_get_xact_numscans(oid) FROM pg_class
         WHERE relnamespace = 'deskbell'::regnamespace AND relkind IN ('r', 'i')",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter().collect()
}

/// Which tables were read whole, and which indexes were used, by this statement.
async fn touched(connection: &mut PgConnection, sql: &str) -> BTreeMap<String, i64> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
    let before = scans(connection).await;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *connection).await.unwrap();
    let after = scans(connection).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.unwrap();
    let grown = after.into_iter().map(|(name, count)| {
        let before = before.get(&name).copied().unwrap_or(0);
        (name, count - before)
    });
    grown.filter(|(_, count)| *count > 0).collect()
}

/// How many entries of this index the statement reads.
async fn entries_read(connection: &mut PgConnection, index: &str, sql: &str) -> i64 {
    const READ: &str = "SELECT pg_stat_get_xact_tuples_returned(('deskbell.' || $1)::regclass)";
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
    let mut counts: Vec<i64> = Vec::new();
    for sql in ["", sql] {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *connection).await.unwrap();
        let count = sqlx::query_scalar(READ).bind(index).fetch_one(&mut *connection);
        counts.push(count.await.unwrap());
    }
    sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.unwrap();
    counts[1] - counts[0]
}

#[tokio::test]
async fn a_list_reads_no_more_than_it_shows() {
    let database = Database::new().await;
    let store = database.open().await;
    register(&store, Ordering::None).await;
    let mut connection = database.connect().await;
    fill(&mut connection).await;
    sqlx::raw_sql(ATTEMPTS).execute(&mut connection).await.unwrap();
    let all = i64::MAX;
    for (index, read_max, sql) in [
        ("events_pkey", 11, format!("heads_v1(0, {all}, NULL, NULL, NULL, 10)")),
        ("events_pkey", 500, format!("heads_v1({SETTLED}, {SETTLED} + 500, '', NULL, NULL, 10)")),
        (
            "attempts_started",
            100,
            format!("newest_attempts_v1(NULL, {all}, {all}, {all}, {all}, 10, 1000)"),
        ),
        (
            "attempts_started",
            100,
            "newest_attempts_v1('hook', 10000, 1, 100001, 1, 10, 1000)".to_owned(),
        ),
        ("attempts_started", 101, format!("count_attempts_v1('hook', 0, {all} / 100, 10, 100)")),
        ("deliveries_pkey", 11, format!("events_in_state_v1(true, NULL, {all}, 10)")),
        ("settled_deliveries_dead", 11, format!("events_in_state_v1(false, 'hook', {all}, 10)")),
        ("settled_deliveries_pkey", 4, "count_deliveries_v1('{1, 2, 3}')".to_owned()),
    ] {
        let sql = format!("SELECT * FROM deskbell.{sql}");
        let read = entries_read(&mut connection, index, &sql).await;
        assert!((1..=read_max).contains(&read), "{read} entries of {index} for {sql}");
        let touched = touched(&mut connection, &sql).await;
        for table in ["events", "attempts", "deliveries", "settled_deliveries"] {
            assert!(!touched.contains_key(table), "{table} is read whole for {sql}");
        }
    }
}

#[tokio::test]
async fn a_claim_touches_pending_work_alone() {
    let database = Database::new().await;
    let store = database.open().await;
    for ordering in [Ordering::None, Ordering::Subject] {
        register(&store, ordering).await;
    }
    let mut connection = database.connect().await;
    fill(&mut connection).await;
    let claim = "SELECT * FROM deskbell.claim_v3(NULL, 'hook', 100, 1000000, 60000)";
    for round in ["the first time", "from a plan that was kept"] {
        let touched = touched(&mut connection, claim).await;
        let names: Vec<_> = touched.keys().map(String::as_str).collect();
        let expected = ["deliveries_due", "destinations_name_key", "events_pkey"];
        assert_eq!(names, expected, "{round}");
        assert_eq!(touched["deliveries_due"], 2, "what is due, and what is next");
        assert_eq!(touched["events_pkey"], 100, "{round}");
    }
    let first: Vec<i64> = (SETTLED + 1..=SETTLED + 5).collect();
    assert_eq!(seqs(&super::claim(&store, 5).await), first);
}

#[tokio::test]
async fn a_claim_writes_to_no_index() {
    const DELIVERIES: usize = 5_000;
    let database = Database::new().await;
    let store = database.open().await;
    register(&store, Ordering::None).await;
    super::append_and_route(&store, DELIVERIES, 1).await;
    let mut claimed = 0;
    loop {
        let some = claim(&store, 100).await;
        if some.is_empty() {
            break;
        }
        claimed += some.len();
        store.settle("hook", &super::delivered(&some)).await.unwrap();
    }
    assert_eq!(claimed, DELIVERIES);
    store.close().await;
    let mut connection = database.connect().await;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    // A connection reports what it did at its end, which `close` does not wait for.
    let (updates, hot) = loop {
        let (updates, hot): (i64, i64) = sqlx::query_as(
            "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
             WHERE relid = 'deskbell.deliveries'::regclass",
        )
        .fetch_one(&mut connection)
        .await
        .unwrap();
        if usize::try_from(updates).unwrap() >= DELIVERIES {
            break (updates, hot);
        }
        assert!(tokio::time::Instant::now() < deadline, "{updates} updates were reported");
        tokio::task::yield_now().await;
    };
    assert!(hot * 100 >= updates * 80, "{hot} of {updates} left the indexes alone");
}
