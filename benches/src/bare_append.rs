//! The limit on PostgreSQL: one connection that inserts the same rows into the same table, with nothing around it.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sqlx::{Connection, PgConnection};

use crate::bare::Template;
use crate::database::Server;
use crate::error::BenchError;

const INSERT: &str = "INSERT INTO deskbell.events
    (seq, occurred_at_ms, received_at_ms, source, message_id, type, subject, instance_id, payload)
SELECT seq, occurred_at_ms, occurred_at_ms, 'clerk', message_id, type, subject, instance_id, payload
FROM UNNEST($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[])
    AS given (seq, occurred_at_ms, message_id, type, subject, instance_id, payload)";

/// Rows a second that a loop commits, so many at a time, into a database of its own.
pub(crate) async fn rows_per_second(
    server: &Server,
    bodies: &[Bytes],
    rows_per_commit: usize,
    duration: Duration,
) -> Result<f64, BenchError> {
    let database = server.create_database().await?;
    // The real store makes its tables and indexes.
    database.place().make().await?;
    let mut connection = database.connect().await?;
    let templates = bodies.iter().map(Template::new).collect::<Result<Vec<_>, _>>()?;
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
    sqlx::query(INSERT)
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
