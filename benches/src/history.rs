//! What a store holds after much work, made by SQL: to append and deliver it all would take hours.

use std::fs::File;

use rusqlite::Connection as SqliteConnection;
use sqlx::PgConnection;

use crate::database::Database;
use crate::error::BenchError;
use crate::location::Location;

/// Rows in one INSERT: a transaction of all of them would keep everything it wrote from being reused.
const ROWS_A_STATEMENT: i64 = 500_000;
/// Events about each subject.
const EVENTS_A_SUBJECT: i64 = 10;

/// Events as small as [`crate::load::small_bodies`], subjects spread over all of the log.
const POSTGRES_EVENTS: &str = "INSERT INTO deskbell.events
    (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, payload)
SELECT n, 1767225600000 + n, 1767225600000 + n, 'clerk', 'msg_0' || lpad(n::text, 26, '0'),
    'user.updated', named.subject,
    convert_to('{\"data\":{\"id\":\"' || named.subject || '\"},\"object\":\"event\",'
        '\"timestamp\":1767225600000,\"type\":\"user.updated\"}', 'UTF8')
FROM generate_series($1::bigint, $2::bigint) AS n
CROSS JOIN LATERAL (SELECT 'user_' || lpad((n * 7919 % $3)::text, 27, '0')) AS named (subject)";

const SQLITE_EVENTS: &str = "INSERT INTO events
    (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, payload)
WITH RECURSIVE numbers (n) AS (SELECT ?1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?2),
    named (n, subject) AS (SELECT n, 'user_' || printf('%027d', n * 7919 % ?3) FROM numbers)
SELECT n, 1767225600000 + n, 1767225600000 + n, 'clerk', 'msg_0' || printf('%026d', n),
    'user.updated', subject,
    CAST('{\"data\":{\"id\":\"' || subject || '\"},\"object\":\"event\",'
        || '\"timestamp\":1767225600000,\"type\":\"user.updated\"}' AS BLOB)
FROM named";

/// Every event delivered to the one destination at the first attempt, long ago.
const SETTLED: [&str; 3] = [
    "INSERT INTO deskbell.settled_deliveries
        (destination_id, seq, settled_at_ms, attempts_total, state)
     SELECT id, seq, received_at_ms, 1, 'delivered' FROM deskbell.events, deskbell.destinations",
    "INSERT INTO deskbell.attempts
        (destination_id, seq, number, started_at_ms, duration_ms, status)
     SELECT id, seq, 1, received_at_ms, 3, 200 FROM deskbell.events, deskbell.destinations",
    "UPDATE deskbell.destinations SET routed_seq = (SELECT max(seq) FROM deskbell.events)",
];

/// The message id of the event with this number, from 1 on.
pub(crate) fn message_id(number: i64) -> String {
    format!("msg_0{number:026}")
}

/// The subject of the event with this number, in a log of so many.
pub(crate) fn subject(number: i64, events: i64) -> String {
    format!("user_{:027}", number * 7919 % subjects(events))
}

fn subjects(events: i64) -> i64 {
    (events / EVENTS_A_SUBJECT).max(1)
}

/// Fills an empty log; the store has made its tables.
pub(crate) async fn fill(location: &Location, events: i64) -> Result<(), BenchError> {
    match location {
        Location::Sqlite(path) => {
            fill_sqlite(&SqliteConnection::open(path)?, events)?;
            // Or the first commit of a run would have to wait for all of it.
            Ok(File::open(path)?.sync_all()?)
        }
        Location::Postgres(url) => {
            let mut connection = <PgConnection as sqlx::Connection>::connect(url).await?;
            fill_postgres(&mut connection, events).await?;
            settle_down(&mut connection).await
        }
    }
}

/// Fills an empty log with events that are delivered to its one destination.
pub(crate) async fn deliver(database: &Database, events: i64) -> Result<(), BenchError> {
    let mut connection = database.connect().await?;
    fill_postgres(&mut connection, events).await?;
    for sql in SETTLED {
        sqlx::query(sql).execute(&mut connection).await?;
    }
    settle_down(&mut connection).await
}

async fn fill_postgres(connection: &mut PgConnection, events: i64) -> Result<(), BenchError> {
    for (first, last) in stretches(events) {
        let insert = sqlx::query(POSTGRES_EVENTS).bind(first).bind(last).bind(subjects(events));
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

fn fill_sqlite(connection: &SqliteConnection, events: i64) -> Result<(), BenchError> {
    connection.pragma_update(None, "synchronous", "OFF")?;
    for (first, last) in stretches(events) {
        connection.execute(SQLITE_EVENTS, [first, last, subjects(events)])?;
    }
    connection.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
    Ok(())
}

fn stretches(events: i64) -> impl Iterator<Item = (i64, i64)> {
    let firsts = (1..=events).step_by(usize::try_from(ROWS_A_STATEMENT).unwrap_or(usize::MAX));
    firsts.map(move |first| (first, events.min(first + ROWS_A_STATEMENT - 1)))
}

/// What autovacuum and the checkpointer would do in the minutes after, and in the middle of a run.
async fn settle_down(connection: &mut PgConnection) -> Result<(), BenchError> {
    sqlx::raw_sql("VACUUM (ANALYZE)").execute(&mut *connection).await?;
    if let Err(error) = sqlx::raw_sql("CHECKPOINT").execute(&mut *connection).await {
        eprintln!("no checkpoint before the runs, which one may disturb now: {error}");
    }
    Ok(())
}
