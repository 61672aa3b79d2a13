//! What a batch of pruning costs those who use the store meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use deskbell_store::conformance::{event, events};
use deskbell_store::deliveries::{
    DeliveryKey, DeliveryQueries, Ordering, Registration, Replays, StartFrom,
};
use deskbell_store::retention::PruneOptions;
use deskbell_store::{EventLog, Retention, Seq, Store};
use sqlx::{AssertSqlSafe, PgConnection};
use testkit::PostgresDatabase;
use tokio::time::{Instant, timeout};

/// So many rows a batch may take away, of the thousands that there are of each kind.
const ROWS_MAX: i64 = 100;

/// Events with all that there can be of each.
const FILL: &str = "
    INSERT INTO deskbell.destinations (name, routed_seq, ordered)
    VALUES ('hook', 20000, false), ('former', 20000, true);
    INSERT INTO deskbell.events
        (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, payload)
    SELECT n, 0, n, 'clerk', 'msg_' || n,
           CASE n % 10 WHEN 0 THEN 'email.created' ELSE 'user.updated' END, 'user_' || n, '{}'
    FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.settled_deliveries
        (destination_id, seq, settled_at_ms, attempts_total, state, reason)
    SELECT 1, n, 0, 1, 'dead_lettered', 'no use' FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.deliveries (destination_id, seq, subject, due_at_ms, blocked)
    SELECT 2, n, 'user_' || n, 0, false FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.attempts
        (destination_id, seq, number, started_at_ms, duration_ms, error)
    SELECT 1, n, 1, n, 0, 'no use' FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.replay_requests (seq, requested_at_ms)
    SELECT n, 0 FROM generate_series(1, 20000) AS n;
    UPDATE deskbell.router SET replayed_number = 20000;
    INSERT INTO deskbell.unwanted_events
    SELECT n, '{\"former\":\"no use\"}' FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.event_people
    SELECT 'user_' || n, n FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.erasures SELECT n, 'user_' || n FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.orders (body, placed_at_ms, outcome, finished_at_ms)
    SELECT '', 0, 'done', 0 FROM generate_series(1, 20000) AS n;
    INSERT INTO deskbell.event_subjects
    SELECT 'user_' || n, n FROM generate_series(1, 19950) AS n;
    UPDATE deskbell.subject_index SET indexed_seq = 19950;
    ANALYZE";

/// Prunes what is older than these ages at a time that is later than all of it.
fn prune(payloads: i64, events: i64, codes: i64, attempts: i64, orders: i64) -> String {
    format!(
        "SELECT * FROM deskbell.prune_v1(
             30000, '{{hook}}', NULL, {payloads}, {events}, {codes}, {attempts}, {orders}, {ROWS_MAX})"
    )
}

/// How often this session has read each table from its beginning, and how many entries of each
/// index.
async fn reads(connection: &mut PgConnection) -> BTreeMap<String, (i64, i64)> {
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT relname::text, pg_stat_get_xact_numscans(oid), pg_stat_get_xact_tuples_returned(oid)
         FROM pg_class
         WHERE relnamespace = 'deskbell'::regnamespace AND relkind IN ('r', 'i')
             AND relname NOT IN ('log', 'router', 'upkeep', 'destinations', 'subject_index')",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    rows.into_iter().map(|(name, scans, entries)| (name, (scans, entries))).collect()
}

async fn tables(connection: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT relname::text FROM pg_class
         WHERE relnamespace = 'deskbell'::regnamespace AND relkind = 'r'",
    )
    .fetch_all(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn no_statement_reads_a_table_whole() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    let mut connection = database.connection().await;
    let never = 1_000_000;
    let statements = [
        prune(1, 1, 1, 1, 1),
        prune(1, never, never, never, never),
        prune(never, never, 1, never, never),
        prune(never, never, never, 1, never),
        prune(never, never, never, never, 1),
        "SELECT * FROM deskbell.naming_v2('user_7', '{hook}')".to_owned(),
        "SELECT * FROM deskbell.inviting_v1('{user_7,user_10}', '{hook}')".to_owned(),
        "SELECT deskbell.erase_v1(NULL, '{hook}', 'user_7', '{7,10}', 100)".to_owned(),
        "SELECT deskbell.enqueue_v1(NULL, '{hook}', '{2}', '{7,10}', '{user_7,user_10}')"
            .to_owned(),
        "SELECT deskbell.revive_v1(NULL, '{hook}', '{2}', '{7,10}')".to_owned(),
        "SELECT * FROM deskbell.index_subjects_v1(100)".to_owned(),
        "SELECT * FROM deskbell.about_v3('user_7', NULL, 20, 1000000, 100)".to_owned(),
        "SELECT * FROM deskbell.about_v3('user_7', 10000, 20, 1000000, 100)".to_owned(),
    ];
    // Plans that were made when the tables were empty are kept.
    for sql in &statements {
        sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut connection).await.unwrap();
    }
    sqlx::raw_sql(FILL).execute(&mut connection).await.unwrap();
    let tables = tables(&mut connection).await;
    let mut fresh = database.connection().await;
    for connection in [&mut connection, &mut fresh] {
        for sql in &statements {
            sqlx::raw_sql("BEGIN").execute(&mut *connection).await.unwrap();
            let before = reads(connection).await;
            sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *connection).await.unwrap();
            let after = reads(connection).await;
            sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await.unwrap();
            for (name, (scans, entries)) in after {
                let (scans_before, entries_before) = before[&name];
                if tables.contains(&name) {
                    assert_eq!(scans, scans_before, "{name} is read from its beginning by {sql}");
                }
                let entries = entries - entries_before;
                assert!(entries < 10 * ROWS_MAX, "{entries} of {name} are read by {sql}");
            }
        }
    }
    store.close().await;
}

/// A log in which the first events are old, and a delivery of the first one is a dead letter.
async fn old_and_new(database: &PostgresDatabase, store: &dyn Store) {
    let from = StartFrom::Beginning;
    let ordering = Ordering::None;
    store.register(&Registration { name: "hook".into(), from, ordering }).await.unwrap();
    store.append(&events("a", 10)).await.unwrap();
    database
        .run(
            "UPDATE deskbell.events SET received_at_ms = seq WHERE seq < 10;
             UPDATE deskbell.destinations SET routed_seq = 10;
             INSERT INTO deskbell.settled_deliveries
                 (destination_id, seq, settled_at_ms, attempts_total, state, reason)
             VALUES (1, 1, 0, 1, 'dead_lettered', 'no use')",
        )
        .await;
}

pub(crate) async fn somebody_waits(database: &PostgresDatabase) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let deadline = Instant::now() + Duration::from_secs(10);
    while database.number(waiting).await == 0 {
        assert!(Instant::now() < deadline, "nobody waits for the rows");
    }
}

#[tokio::test]
async fn who_appends_does_not_wait_and_who_revives_comes_too_late() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    old_and_new(&database, &*store).await;
    let mut pruner = database.connection().await;
    let sql = "BEGIN; SELECT deskbell.prune_v1(
        NULL, '{hook}', NULL, 1000000, 9000000000000, 1000000, 1000000, 1000000, 100)";
    sqlx::raw_sql(sql).execute(&mut pruner).await.unwrap();
    let batch = [event("a_1"), event("new")];
    let appending = timeout(Duration::from_secs(5), store.append(&batch));
    let appended = appending.await.expect("it does not wait").unwrap();
    assert_eq!(appended.iter().map(|one| one.seq().get()).collect::<Vec<_>>(), [2, 11]);
    let dead = [DeliveryKey { destination: "hook".into(), seq: Seq::new(1) }];
    let (revived, ()) = tokio::join!(store.revive(&dead), async {
        somebody_waits(&database).await;
        sqlx::raw_sql("COMMIT").execute(&mut pruner).await.unwrap();
    });
    assert_eq!(revived.unwrap(), 0, "its payload has gone");
    assert!(store.find("clerk", "a_0").await.unwrap().unwrap().is_pruned());
}

#[tokio::test]
async fn what_is_revived_first_is_kept() {
    let database = PostgresDatabase::new().await;
    let store = database.open().await;
    old_and_new(&database, &*store).await;
    let mut reviver = database.connection().await;
    let sql = "BEGIN; SELECT deskbell.revive_v1(NULL, '{hook}', '{1}', '{1}')";
    sqlx::raw_sql(sql).execute(&mut reviver).await.unwrap();
    let pruning = PruneOptions {
        payloads: Duration::from_secs(1_000),
        events: Duration::from_secs(1_000_000_000_000),
        attempts: Duration::from_secs(1_000),
        commands: Duration::from_secs(1_000),
        one_time_codes: Duration::from_secs(1_000),
        destinations: vec!["hook".to_owned()],
        external_checkpoint: None,
        rows_max: 100,
    };
    let (pruned, ()) = tokio::join!(store.prune(&pruning), async {
        somebody_waits(&database).await;
        sqlx::raw_sql("COMMIT").execute(&mut reviver).await.unwrap();
    });
    assert_eq!(pruned.unwrap().payloads, 0, "the first one is pending again");
    assert_eq!(store.backlogs().await.unwrap()[0].pending, 1);
}
