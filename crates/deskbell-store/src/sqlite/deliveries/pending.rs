//! What is pending: how it is added, and which of a subject goes first.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{Connection, SqliteConnection};

use super::json;
use super::targets::{self, Target};
use crate::Seq;
use crate::deliveries::{NewDelivery, Rescheduled};

/// A settled one is left as it is, and so is one that is pending. There is none without its event and
/// what that says.
pub(super) const ADD: &str =
    "INSERT INTO deliveries (destination_id, seq, subject, due_at_ms, blocked)
     SELECT ?1, new.value ->> 0, new.value ->> 1, ?3, new.value ->> 1 IS NOT NULL
     FROM json_each(?2) AS new
     WHERE EXISTS (SELECT 1 FROM events WHERE seq = new.value ->> 0 AND length(payload) > 0)
         AND NOT EXISTS (SELECT 1 FROM settled_deliveries
                         WHERE destination_id = ?1 AND seq = new.value ->> 0)
     ON CONFLICT DO NOTHING";

/// Blocks or unblocks the first of each subject.
pub(super) const FIRST: &str = "UPDATE deliveries SET blocked = ?3
     WHERE destination_id = ?1 AND seq IN (
         SELECT (SELECT min(seq) FROM deliveries
                 WHERE destination_id = ?1 AND subject = named.value)
         FROM json_each(?2) AS named)";

/// The delivery that is due next, and when.
pub(super) const NEXT_DUE: &str = "SELECT seq, due_at_ms FROM deliveries
     WHERE destination_id = ?1 AND blocked = 0 ORDER BY due_at_ms, seq LIMIT 1";

/// Adds those that do not exist yet, due now. How many those were; what is for a destination that is
/// not known is left out.
pub(super) async fn add(
    connection: &mut SqliteConnection,
    deliveries: &[NewDelivery],
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let mut pending: BTreeMap<&str, Vec<(i64, Option<&str>)>> = BTreeMap::new();
    for NewDelivery { key, subject } in deliveries {
        pending.entry(&key.destination).or_default().push((key.seq.get(), subject.as_deref()));
    }
    let targets = targets::targets(connection).await?;
    let mut added = 0;
    for (name, rows) in pending {
        if let Some(target) = targets.get(name) {
            added += add_for(connection, *target, &rows, now_ms).await?;
        }
    }
    Ok(added)
}

async fn add_for(
    connection: &mut SqliteConnection,
    target: Target,
    deliveries: &[(i64, Option<&str>)],
    now_ms: i64,
) -> Result<u64, sqlx::Error> {
    let rows: Vec<_> =
        deliveries.iter().map(|(seq, subject)| (seq, subject.filter(|_| target.ordered))).collect();
    let subjects: BTreeSet<_> = rows.iter().filter_map(|(_, subject)| *subject).collect();
    block_first(connection, target, &subjects).await?;
    let added = sqlx::query(ADD)
        .bind(target.id)
        .bind(json(&rows)?)
        .bind(now_ms)
        .execute(&mut *connection)
        .await?
        .rows_affected();
    unblock_first(connection, target, &subjects).await?;
    Ok(added)
}

/// Makes the delivery that is due next due now, where it is not yet.
pub(super) async fn schedule_next_now(
    connection: &mut SqliteConnection,
    destination: &str,
    now_ms: i64,
) -> Result<Option<Rescheduled>, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let target = targets::target(&mut transaction, destination).await?;
    let Some(target) = target else { return Ok(None) };
    let next: Option<(i64, i64)> =
        sqlx::query_as(NEXT_DUE).bind(target.id).fetch_optional(&mut *transaction).await?;
    let Some((seq, due_at_ms)) = next.filter(|(_, due_at_ms)| *due_at_ms > now_ms) else {
        return Ok(None);
    };
    sqlx::query("UPDATE deliveries SET due_at_ms = ?3 WHERE destination_id = ?1 AND seq = ?2")
        .bind(target.id)
        .bind(seq)
        .bind(now_ms)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Some(Rescheduled { seq: Seq::new(seq), due_at_ms }))
}

/// Before others of these subjects are added, blocked: one of those may come first.
pub(super) async fn block_first<S: serde::Serialize + Ord>(
    connection: &mut SqliteConnection,
    target: Target,
    subjects: &BTreeSet<S>,
) -> Result<(), sqlx::Error> {
    set_first(connection, target, subjects, true).await
}

/// After some of these subjects have come or gone.
pub(super) async fn unblock_first<S: serde::Serialize + Ord>(
    connection: &mut SqliteConnection,
    target: Target,
    subjects: &BTreeSet<S>,
) -> Result<(), sqlx::Error> {
    set_first(connection, target, subjects, false).await
}

async fn set_first<S: serde::Serialize + Ord>(
    connection: &mut SqliteConnection,
    target: Target,
    subjects: &BTreeSet<S>,
    blocked: bool,
) -> Result<(), sqlx::Error> {
    if !target.ordered || subjects.is_empty() {
        return Ok(());
    }
    sqlx::query(FIRST)
        .bind(target.id)
        .bind(json(subjects)?)
        .bind(blocked)
        .execute(connection)
        .await?;
    Ok(())
}
