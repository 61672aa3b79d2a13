//! The limit of ingest: a bare loop that commits the same rows to the same tables, with nothing around it.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use deskbell_store::PostgresConnector;
use rusqlite::params;
use serde_json::Value;
use sqlx::{Connection, PgConnection};

use crate::error::BenchError;
use crate::location::Location;
use crate::store::Backend;

const SQLITE_INSERT: &str = "INSERT INTO events (source, message_id, type, subject, occurred_at_ms, received_at_ms, instance_id, payload) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

const POSTGRES_INSERT: &str = "INSERT INTO deskbell.events
    (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, instance_id, payload)
SELECT seq, occurred_at_ms, occurred_at_ms, 'clerk', message_id, type, subject, instance_id, payload
FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
    AS given (seq, occurred_at_ms, message_id, type, subject, instance_id, payload)";

/// Rows a second that a loop commits, so many at a time, to a store of its own.
pub(crate) async fn rows_per_second(
    backend: &Backend,
    bodies: &[Bytes],
    rows_per_commit: usize,
    duration: Duration,
) -> Result<f64, BenchError> {
    let store = backend.create().await?;
    // The real store makes its tables and indexes.
    store.location().make().await?;
    let templates = bodies.iter().map(Template::new).collect::<Result<Vec<_>, _>>()?;
    match store.location() {
        Location::Sqlite(path) => into_sqlite(&path, &templates, rows_per_commit, duration),
        Location::Postgres(url) => into_postgres(&url, &templates, rows_per_commit, duration).await,
    }
}

/// A row less what differs from event to event.
struct Template<'a> {
    event_type: String,
    subject: Option<String>,
    occurred_at_ms: i64,
    instance_id: Option<String>,
    payload: &'a Bytes,
}

impl<'a> Template<'a> {
    fn new(payload: &'a Bytes) -> Result<Self, BenchError> {
        let body: Value = serde_json::from_slice(payload)?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Self {
            event_type: text(&body["type"]).unwrap_or_default(),
            subject: text(&body["data"]["id"]),
            occurred_at_ms: body["timestamp"].as_i64().unwrap_or(0),
            instance_id: text(&body["instance_id"]),
            payload,
        })
    }
}

/// With the store's settings.
fn into_sqlite(
    store: &Path,
    templates: &[Template<'_>],
    rows_per_commit: usize,
    duration: Duration,
) -> Result<f64, BenchError> {
    let mut connection = rusqlite::Connection::open(store)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    let mut in_turn = templates.iter().cycle();
    let started = Instant::now();
    let mut rows = 0_u32;
    while started.elapsed() < duration {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut insert = transaction.prepare_cached(SQLITE_INSERT)?;
        for row in in_turn.by_ref().take(rows_per_commit.max(1)) {
            // As long, and as nearly in order, as a message id.
            let message_id = format!("msg_{rows:027}");
            insert.execute(params![
                "clerk",
                message_id,
                row.event_type,
                row.subject,
                row.occurred_at_ms,
                row.occurred_at_ms,
                row.instance_id,
                &row.payload[..],
            ])?;
            rows += 1;
        }
        drop(insert);
        transaction.commit()?;
    }
    Ok(f64::from(rows) / started.elapsed().as_secs_f64())
}

async fn into_postgres(
    url: &str,
    templates: &[Template<'_>],
    rows_per_commit: usize,
    duration: Duration,
) -> Result<f64, BenchError> {
    let mut connection = PostgresConnector::new(url)?.connect().await?;
    let mut in_turn = templates.iter().cycle();
    let started = Instant::now();
    let mut rows = 0_u32;
    while started.elapsed() < duration {
        let batch: Vec<_> = in_turn.by_ref().take(rows_per_commit.max(1)).collect();
        insert(&mut connection, rows, &batch).await?;
        rows += u32::try_from(batch.len()).unwrap_or(0);
    }
    let per_second = f64::from(rows) / started.elapsed().as_secs_f64();
    connection.close().await?;
    Ok(per_second)
}

/// One statement, which is one commit and one round trip.
async fn insert(
    connection: &mut PgConnection,
    behind: u32,
    batch: &[&Template<'_>],
) -> Result<(), BenchError> {
    let seqs: Vec<i64> = (i64::from(behind) + 1..).take(batch.len()).collect();
    // As long, and as nearly in order, as a message id.
    let message_ids: Vec<_> = seqs.iter().map(|seq| format!("msg_{seq:027}")).collect();
    sqlx::query(POSTGRES_INSERT)
        .bind(&seqs)
        .bind(batch.iter().map(|row| row.occurred_at_ms).collect::<Vec<_>>())
        .bind(&message_ids)
        .bind(batch.iter().map(|row| row.event_type.as_str()).collect::<Vec<_>>())
        .bind(batch.iter().map(|row| row.subject.as_deref()).collect::<Vec<_>>())
        .bind(batch.iter().map(|row| row.instance_id.as_deref()).collect::<Vec<_>>())
        .bind(batch.iter().map(|row| &row.payload[..]).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
