//! The append: one statement where all is new; else look for what is there, and insert the rest.

use std::collections::HashMap;

use sqlx::error::DatabaseError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, Row, SqliteConnection};

use super::user_refs;
use crate::{Appended, LogId, NewEvent, Seq};

/// Rows in one statement; as many as a full batch of the log writer. SQLite takes at most 32,766
/// parameters in one.
const ROWS_MAX: usize = 256;
/// Numbers of rows that there are statements for. A batch takes the next larger one, whose other rows
/// stay null and are left out: a statement for every number would be kept prepared, at some 100 KB each.
const SIZES: [usize; 15] = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, ROWS_MAX];
/// Statements that the writer keeps prepared: look-up, insert and replay request, each of every size,
/// and those of others.
pub(super) const STATEMENTS_MAX: usize = 3 * SIZES.len() + 64;

const COLUMNS: &str = "seq, source, message_id, type, subject, occurred_at_ms, received_at_ms, \
                       instance_id, payload, origin, payload_bytes";

/// An event's identity: its source and its message id.
type Key<'a> = (&'a str, &'a str);

/// Appends the batch behind `head` and returns when it is on disk.
///
/// Nearly always everything is new, and a single statement is its own transaction: the connection
/// is asked once instead of four times. A duplicate makes that statement fail without effect. Where
/// user references are indexed in this log, they are a statement more.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    head: Seq,
    batch: &[NewEvent],
    now_ms: i64,
    user_refs_of: Option<LogId>,
) -> Result<Vec<Appended>, sqlx::Error> {
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    if batch.len() <= ROWS_MAX && user_refs_of.is_none() {
        match append_new(connection, head, batch, now_ms).await {
            Err(error) if is_duplicate(&error) => {}
            outcome => return outcome,
        }
    }
    append_some(connection, head, batch, now_ms, user_refs_of).await
}

fn is_duplicate(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(DatabaseError::is_unique_violation)
}

/// Appends a batch in which everything is new.
async fn append_new(
    connection: &mut SqliteConnection,
    head: Seq,
    batch: &[NewEvent],
    now_ms: i64,
) -> Result<Vec<Appended>, sqlx::Error> {
    let seqs = std::iter::successors(Some(head.next()), |seq| Some(seq.next()));
    let rows: Vec<_> = seqs.zip(batch).collect();
    insert(connection, &rows, now_ms).await?;
    Ok(rows.into_iter().map(|(seq, _)| Appended::New(seq)).collect())
}

/// Appends a batch of which some may be in the log already.
async fn append_some(
    connection: &mut SqliteConnection,
    head: Seq,
    batch: &[NewEvent],
    now_ms: i64,
    user_refs_of: Option<LogId>,
) -> Result<Vec<Appended>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut known = stored(&mut transaction, batch).await?;
    let (results, fresh) = number(batch, head, &mut known);
    for rows in fresh.chunks(ROWS_MAX) {
        insert(&mut transaction, rows, now_ms).await?;
    }
    if let Some(log) = user_refs_of {
        user_refs::index(&mut transaction, log, &fresh).await?;
    }
    let sent_again: Vec<Seq> = results.iter().filter_map(Appended::duplicate_of).collect();
    for seqs in sent_again.chunks(ROWS_MAX) {
        request_replays(&mut transaction, seqs, now_ms).await?;
    }
    transaction.commit().await?;
    Ok(results)
}

/// Gives the next numbers to the events that are not `known`, which grows by them.
fn number<'a>(
    batch: &'a [NewEvent],
    head: Seq,
    known: &mut HashMap<Key<'a>, Seq>,
) -> (Vec<Appended>, Vec<(Seq, &'a NewEvent)>) {
    let mut last = head;
    let mut fresh = Vec::with_capacity(batch.len());
    let results = batch
        .iter()
        .map(|event| match known.get(&key(event)) {
            Some(seq) => Appended::Duplicate(*seq),
            None => {
                last = last.next();
                known.insert(key(event), last);
                fresh.push((last, event));
                Appended::New(last)
            }
        })
        .collect();
    (results, fresh)
}

fn key(event: &NewEvent) -> Key<'_> {
    (&event.source, &event.message_id)
}

/// Which events of the batch are in the log already, and where.
async fn stored<'a>(
    connection: &mut SqliteConnection,
    batch: &'a [NewEvent],
) -> Result<HashMap<Key<'a>, Seq>, sqlx::Error> {
    let mut known = HashMap::with_capacity(batch.len());
    for events in batch.chunks(ROWS_MAX) {
        let marks = repeated("?", events.len());
        let sql =
            format!("SELECT seq, source, message_id FROM events WHERE message_id IN ({marks})");
        let mut arguments = SqliteArguments::default();
        for event in events {
            arguments.add(event.message_id.as_str()).map_err(sqlx::Error::Encode)?;
        }
        let rows =
            sqlx::query_with(AssertSqlSafe(sql), arguments).fetch_all(&mut *connection).await?;
        for row in rows {
            let (source, message_id): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            let sent_again = events.iter().find(|event| key(event) == (source, message_id));
            if let Some(event) = sent_again {
                known.insert(key(event), Seq::new(row.try_get(0)?));
            }
        }
    }
    Ok(known)
}

/// The next larger size of this, for so many rows. What is not bound is null.
fn repeated(row: &str, rows: usize) -> String {
    let size = SIZES.into_iter().find(|size| *size >= rows).unwrap_or(rows);
    vec![row; size].join(",")
}

async fn insert(
    connection: &mut SqliteConnection,
    rows: &[(Seq, &NewEvent)],
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let values = repeated("(?,?,?,?,?,?,?,?,?,?,?)", rows.len());
    let sql = format!(
        "INSERT INTO events ({COLUMNS}) SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL"
    );
    let mut arguments = SqliteArguments::default();
    for (seq, event) in rows {
        bind(&mut arguments, *seq, event, now_ms).map_err(sqlx::Error::Encode)?;
    }
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(connection).await?;
    Ok(())
}

/// Binds one row in the order of [`COLUMNS`].
fn bind(
    row: &mut SqliteArguments,
    seq: Seq,
    event: &NewEvent,
    now_ms: i64,
) -> Result<(), sqlx::error::BoxDynError> {
    row.add(seq.get())?;
    row.add(&*event.source)?;
    row.add(event.message_id.as_str())?;
    row.add(event.event_type.as_str())?;
    row.add(event.subject.as_deref())?;
    row.add(event.occurred_at_ms)?;
    row.add(now_ms)?;
    row.add(event.instance_id.as_deref())?;
    let (stored, payload_bytes) = event.payload.packed().unzip();
    row.add(stored.unwrap_or(&event.payload).to_vec())?;
    row.add(event.origin.stored())?;
    row.add(payload_bytes)
}

async fn request_replays(
    connection: &mut SqliteConnection,
    seqs: &[Seq],
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    let values = repeated("(?,?)", seqs.len());
    let sql = format!(
        "INSERT INTO replay_requests (seq, requested_at_ms)
         SELECT * FROM (VALUES {values}) WHERE column1 IS NOT NULL"
    );
    let mut arguments = SqliteArguments::default();
    for seq in seqs {
        arguments.add(seq.get()).map_err(sqlx::Error::Encode)?;
        arguments.add(now_ms).map_err(sqlx::Error::Encode)?;
    }
    sqlx::query_with(AssertSqlSafe(sql), arguments).execute(connection).await?;
    Ok(())
}
