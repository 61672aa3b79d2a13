//! Settling: attempts are stored, settled deliveries move to their own table, the rest is due later.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Serialize;
use sqlx::{Connection, SqliteConnection};

use super::{json, pending, targets};
use crate::clock::whole_ms;
use crate::deliveries::{AttemptRecord, REPLY_BYTES_MAX, Settlement, Verdict};
use crate::sqlite::queues::Settling;

/// All of it at once: the thread of the connection is asked once, while whoever appends to the log waits for
/// it. `?1` is the destination's name, `?2` are [`Rows`], `?3` the replies and `?4` the time. The driver counts
/// the numbers that statements leave out, and stops to bind where they are more than there are values.
static SETTLE: LazyLock<String> = LazyLock::new(|| [ATTEMPTS, RETRIES, SETTLED, DONE].join(";\n"));

/// The replies come as one value, of which each row names its part.
pub(super) const ATTEMPTS: &str = "INSERT INTO attempts
         (destination_id, seq, number, started_at_ms, duration_ms, status, error, reply)
     SELECT pending.destination_id, pending.seq, attempts_total + 1,
            made.value ->> 'started_at_ms', made.value ->> 'duration_ms',
            made.value ->> 'status', made.value ->> 'error',
            CASE WHEN made.value ->> 'reply_bytes' > 0
                 THEN substr(?3, made.value ->> 'reply_from', made.value ->> 'reply_bytes') END
     FROM json_each(?2, '$.attempts') AS made
     CROSS JOIN deliveries AS pending
         ON pending.destination_id = (SELECT id FROM destinations WHERE name = ?1)
         AND pending.seq = made.value ->> 'seq'";

/// Not an `UPDATE … FROM`: SQLite would look through all of the destination for the few.
pub(super) const RETRIES: &str = "REPLACE INTO deliveries
         (destination_id, seq, subject, attempts, attempts_total, first_attempt_at_ms, due_at_ms,
          blocked)
     SELECT pending.destination_id, pending.seq, subject,
            attempts + (again.value ->> 'attempts'),
            attempts_total + (again.value ->> 'attempts'),
            coalesce(first_attempt_at_ms, again.value ->> 'started_at_ms'),
            again.value ->> 'due_at_ms', blocked
     FROM json_each(?2, '$.retries') AS again
     CROSS JOIN deliveries AS pending
         ON pending.destination_id = (SELECT id FROM destinations WHERE name = ?1)
         AND pending.seq = again.value ->> 'seq'";

pub(super) const SETTLED: &str = "INSERT INTO settled_deliveries
         (destination_id, seq, state, settled_at_ms, attempts_total, reason, source, message_id,
          type, subject)
     SELECT pending.destination_id, pending.seq,
            iif(done.value ->> 'reason' IS NULL, 'delivered', 'dead_lettered'),
            ?4, attempts_total + (done.value ->> 'attempts'), done.value ->> 'reason',
            event.source, event.message_id, event.type, event.subject
     FROM json_each(?2, '$.done') AS done
     CROSS JOIN deliveries AS pending
         ON pending.destination_id = (SELECT id FROM destinations WHERE name = ?1)
         AND pending.seq = done.value ->> 'seq'
     LEFT JOIN events AS event
         ON done.value ->> 'reason' IS NOT NULL AND event.seq = pending.seq";

pub(super) const DONE: &str = "DELETE FROM deliveries
     WHERE destination_id = (SELECT id FROM destinations WHERE name = ?1)
     AND seq IN (SELECT value ->> 'seq' FROM json_each(?2, '$.done'))";

#[derive(Serialize)]
struct Rows<'a> {
    attempts: Vec<AttemptRow<'a>>,
    /// Those that are tried again.
    retries: Vec<RetryRow>,
    /// Those that are done with.
    done: Vec<DoneRow<'a>>,
}

#[derive(Serialize)]
struct AttemptRow<'a> {
    seq: i64,
    started_at_ms: i64,
    duration_ms: i64,
    status: Option<u16>,
    error: Option<&'a str>,
    /// Counted from 1, as SQL does.
    reply_from: usize,
    reply_bytes: usize,
}

#[derive(Serialize)]
struct RetryRow {
    seq: i64,
    due_at_ms: i64,
    attempts: u32,
    started_at_ms: Option<i64>,
}

#[derive(Serialize)]
struct DoneRow<'a> {
    seq: i64,
    attempts: u32,
    /// Where it is a dead letter.
    reason: Option<&'a str>,
}

/// Settles, unless the destination has been removed, and its deliveries with it. Whether there were any.
pub(super) async fn settle(
    connection: &mut SqliteConnection,
    destination: &str,
    settling: &Settling<'_>,
    now_ms: i64,
) -> Result<bool, sqlx::Error> {
    let (retries, done) = sort(&settling.settlements, now_ms);
    let (attempts, replies) = attempts(&settling.settlements, now_ms);
    let rows = Rows { attempts, retries, done };
    let settle = sqlx::query(SETTLE.as_str())
        .bind(destination)
        .bind(json(&rows)?)
        .bind(replies)
        .bind(now_ms);
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let settled = settle.execute(&mut *transaction).await?.rows_affected();
    if !rows.done.is_empty() && !settling.subjects.is_empty() {
        let subjects: BTreeSet<&str> = settling.subjects.iter().map(String::as_str).collect();
        if let Some(target) = targets::target(&mut transaction, destination).await? {
            pending::unblock_first(&mut transaction, target, &subjects).await?;
        }
    }
    transaction.commit().await?;
    Ok(settled > 0)
}

/// Those that are tried again, and those that are done with.
fn sort<'a>(settlements: &[&'a Settlement], now_ms: i64) -> (Vec<RetryRow>, Vec<DoneRow<'a>>) {
    let mut retries = Vec::new();
    let mut done = Vec::new();
    for settlement in settlements {
        let seq = settlement.claim.seq.get();
        let attempts = u32::from(settlement.attempt.is_some());
        let started_at_ms = settlement.attempt.as_ref().map(|made| started_at_ms(made, now_ms));
        match &settlement.verdict {
            Verdict::Retry(after) => {
                let due_at_ms = now_ms.saturating_add(whole_ms(*after));
                retries.push(RetryRow { seq, due_at_ms, attempts, started_at_ms });
            }
            Verdict::Delivered => done.push(DoneRow { seq, attempts, reason: None }),
            Verdict::DeadLetter(reason) => {
                done.push(DoneRow { seq, attempts, reason: Some(reason) });
            }
        }
    }
    (retries, done)
}

/// The attempts that were made, and the replies to them, one behind the other.
fn attempts<'a>(settlements: &[&'a Settlement], now_ms: i64) -> (Vec<AttemptRow<'a>>, Vec<u8>) {
    let mut replies = Vec::new();
    let mut rows = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        let Some(made) = &settlement.attempt else { continue };
        let reply = &made.reply[..made.reply.len().min(REPLY_BYTES_MAX)];
        rows.push(AttemptRow {
            seq: settlement.claim.seq.get(),
            started_at_ms: started_at_ms(made, now_ms),
            duration_ms: whole_ms(made.duration),
            status: made.status,
            error: made.error.as_deref(),
            reply_from: replies.len() + 1,
            reply_bytes: reply.len(),
        });
        replies.extend_from_slice(reply);
    }
    (rows, replies)
}

fn started_at_ms(attempt: &AttemptRecord, now_ms: i64) -> i64 {
    now_ms.saturating_sub(whole_ms(attempt.ago))
}
