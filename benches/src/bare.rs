//! The limit: a bare loop that commits the same rows to the same tables, with nothing around it.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use deskbell_store::{SqliteStore, Store};
use rusqlite::{Connection, params};
use serde_json::Value;

use crate::error::BenchError;

const INSERT: &str = "INSERT INTO events (source, message_id, type, subject, occurred_at_ms, received_at_ms, instance_id, payload) \
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// A row less what differs from event to event.
pub(crate) struct Template<'a> {
    pub(crate) event_type: String,
    pub(crate) subject: Option<String>,
    pub(crate) occurred_at_ms: i64,
    pub(crate) instance_id: Option<String>,
    pub(crate) payload: &'a Bytes,
}

impl<'a> Template<'a> {
    pub(crate) fn new(payload: &'a Bytes) -> Result<Self, BenchError> {
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

/// Rows a second that a loop commits, so many at a time, with the store's settings.
pub(crate) fn rows_per_second(
    store: &Path,
    bodies: &[Bytes],
    rows_per_commit: usize,
    duration: Duration,
) -> Result<f64, BenchError> {
    make_tables(store)?;
    let mut connection = Connection::open(store)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    let templates = bodies.iter().map(Template::new).collect::<Result<Vec<_>, _>>()?;
    let mut in_turn = templates.iter().cycle();
    let started = Instant::now();
    let mut rows = 0_u32;
    while started.elapsed() < duration {
        let transaction =
            connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let mut insert = transaction.prepare_cached(INSERT)?;
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

/// Lets the real store make its tables, so that the loop fills the same ones.
fn make_tables(store: &Path) -> Result<(), BenchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        SqliteStore::open(store).await?.close().await;
        Ok(())
    })
}
