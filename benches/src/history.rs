//! What a store holds after much work, made by SQL: to append and deliver it all would take hours.

use std::fs::File;

use rusqlite::Connection as SqliteConnection;
use sqlx::{AssertSqlSafe, PgConnection};

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

/// The events after the bound one delivered to the one destination at the first attempt, long ago;
/// `{schema}` is the tables' prefix, and `{one}` the parameter.
const DELIVERED: &str = "INSERT INTO {schema}settled_deliveries
        (destination_id, seq, settled_at_ms, attempts_total, state)
     SELECT id, seq, received_at_ms, 1, 'delivered' FROM {schema}events, {schema}destinations
     WHERE seq > {one}";
const ATTEMPTED: &str = "INSERT INTO {schema}attempts
        (destination_id, seq, number, started_at_ms, duration_ms, status)
     SELECT id, seq, 1, received_at_ms, 3, 200 FROM {schema}events, {schema}destinations
     WHERE seq > {one} ORDER BY seq";
/// One delivery in a thousand failed permanently.
const DEAD_LETTERED: &str = "UPDATE {schema}settled_deliveries SET state = 'dead_lettered',
        reason = 'the receiver answered 500', source = event.source,
        message_id = event.message_id, type = event.type, subject = event.subject
     FROM {schema}events AS event
     WHERE event.seq = {schema}settled_deliveries.seq AND event.seq % 1000 = 0 AND event.seq > {one}";
const FAILED: &str = "UPDATE {schema}attempts SET status = 500, error = 'the receiver answered 500'
     WHERE seq % 1000 = 0 AND seq > {one}";
const ROUTED: &str = "UPDATE {schema}destinations
     SET routed_seq = (SELECT max(seq) FROM {schema}events) WHERE {one} >= 0";

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
    settle_postgres(&mut connection, &[DELIVERED, ATTEMPTED, ROUTED], 0).await?;
    settle_down(&mut connection).await
}

/// Of a filled log, the events after this one are delivered to its one destination, or failed.
pub(crate) async fn settle(location: &Location, after: i64) -> Result<(), BenchError> {
    let all = [DELIVERED, ATTEMPTED, DEAD_LETTERED, FAILED, ROUTED];
    match location {
        Location::Sqlite(path) => {
            let connection = SqliteConnection::open(path)?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            for sql in all {
                connection.execute(&written(sql, "", "?1"), [after])?;
            }
            connection.execute_batch("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE)")?;
            Ok(File::open(path)?.sync_all()?)
        }
        Location::Postgres(url) => {
            let mut connection = <PgConnection as sqlx::Connection>::connect(url).await?;
            settle_postgres(&mut connection, &all, after).await?;
            settle_down(&mut connection).await
        }
    }
}

async fn settle_postgres(
    connection: &mut PgConnection,
    statements: &[&str],
    after: i64,
) -> Result<(), BenchError> {
    for sql in statements {
        let sql = AssertSqlSafe(written(sql, "deskbell.", "$1::bigint"));
        sqlx::query(sql).bind(after).execute(&mut *connection).await?;
    }
    Ok(())
}

fn written(sql: &str, schema: &str, one: &str) -> String {
    sql.replace("{schema}", schema).replace("{one}", one)
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
