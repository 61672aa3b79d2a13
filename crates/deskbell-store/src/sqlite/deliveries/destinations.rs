//! Destinations: their checkpoints, their order and their health.

use std::collections::HashMap;

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Connection, Row, Sqlite, SqliteConnection, SqlitePool};

use crate::deliveries::{DestinationHealth, DestinationState, Ordering, Registration, StartFrom};
use crate::sqlite::read;
use crate::{Seq, rows};

const STATE: &str = "SELECT name, routed_seq, first_failure_at_ms, failed_attempts,
            last_failure_at_ms, disabled_at_ms, disabled_reason, dead_letters_total
     FROM destinations";

/// What the release before wrote is undone with it: it would go on from there.
const SET_HEALTH: &str = "UPDATE destinations SET first_failure_at_ms = ?2, failed_attempts = ?3,
         last_failure_at_ms = ?4, disabled_at_ms = ?5, disabled_reason = ?6,
         failing_since_ms = NULL, told_percent = 0
     WHERE name = ?1";

/// What the rows of a destination's deliveries need to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) id: i64,
    pub(super) ordered: bool,
}

/// Every destination by its name; there are few.
pub(super) async fn targets(
    connection: &mut SqliteConnection,
) -> Result<HashMap<String, Target>, sqlx::Error> {
    let rows =
        sqlx::query("SELECT name, id, ordered FROM destinations").fetch_all(connection).await?;
    rows.iter()
        .map(|row| Ok((row.try_get(0)?, Target { id: row.try_get(1)?, ordered: row.try_get(2)? })))
        .collect()
}

pub(super) async fn target(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<Target>, sqlx::Error> {
    Ok(targets(connection).await?.remove(name))
}

pub(super) async fn register(
    connection: &mut SqliteConnection,
    destination: &Registration,
) -> Result<DestinationState, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let ordered = destination.ordering == Ordering::Subject;
    let routed = match destination.from {
        StartFrom::Beginning => Seq::ZERO,
        StartFrom::Now => read::head(&mut *transaction).await?,
    };
    sqlx::query(
        "INSERT INTO destinations (name, routed_seq, ordered) VALUES (?1, ?2, ?3)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&destination.name)
    .bind(routed.get())
    .bind(ordered)
    .execute(&mut *transaction)
    .await?;
    let known =
        target(&mut transaction, &destination.name).await?.ok_or(sqlx::Error::RowNotFound)?;
    if known.ordered != ordered {
        set_order(&mut transaction, known.id, ordered).await?;
    }
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{STATE} WHERE id = ?1")))
        .bind(known.id)
        .fetch_one(&mut *transaction)
        .await?;
    let state = rows::destination_state(&row)?;
    transaction.commit().await?;
    Ok(state)
}

/// Puts what is pending into the order of its subjects, or out of it.
async fn set_order(
    connection: &mut SqliteConnection,
    id: i64,
    ordered: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE destinations SET ordered = ?2 WHERE id = ?1")
        .bind(id)
        .bind(ordered)
        .execute(&mut *connection)
        .await?;
    if !ordered {
        sqlx::query("UPDATE deliveries SET subject = NULL, blocked = 0 WHERE destination_id = ?1")
            .bind(id)
            .execute(connection)
            .await?;
        return Ok(());
    }
    sqlx::query(
        "UPDATE deliveries SET subject = event.subject, blocked = event.subject IS NOT NULL
         FROM events AS event
         WHERE destination_id = ?1 AND event.seq = deliveries.seq",
    )
    .bind(id)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "UPDATE deliveries SET blocked = 0 WHERE destination_id = ?1 AND seq IN (
             SELECT min(seq) FROM deliveries
             WHERE destination_id = ?1 AND subject IS NOT NULL GROUP BY subject)",
    )
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn all(readers: &SqlitePool) -> Result<Vec<DestinationState>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{STATE} ORDER BY name")))
        .fetch_all(readers)
        .await?;
    rows.iter().map(rows::destination_state).collect()
}

pub(super) async fn set_health(
    connection: &mut SqliteConnection,
    destination: &str,
    health: &DestinationHealth,
) -> Result<(), sqlx::Error> {
    bind_health(sqlx::query(SET_HEALTH).bind(destination), health).execute(connection).await?;
    Ok(())
}

pub(super) async fn change_health(
    connection: &mut SqliteConnection,
    destination: &str,
    from: &DestinationHealth,
    to: &DestinationHealth,
) -> Result<bool, sqlx::Error> {
    let change = format!(
        "{SET_HEALTH} AND first_failure_at_ms IS ?7 AND failed_attempts = ?8
             AND last_failure_at_ms IS ?9 AND disabled_at_ms IS ?10 AND disabled_reason IS ?11"
    );
    let change = sqlx::query(sqlx::AssertSqlSafe(change)).bind(destination);
    let changed = bind_health(bind_health(change, to), from).execute(connection).await?;
    Ok(changed.rows_affected() > 0)
}

fn bind_health<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    health: &DestinationHealth,
) -> Query<'q, Sqlite, SqliteArguments> {
    let disabled = health.disabled.as_ref();
    query
        .bind(health.first_failure_at_ms)
        .bind(health.failed_attempts)
        .bind(health.last_failure_at_ms)
        .bind(disabled.map(|disabled| disabled.at_ms))
        .bind(disabled.map(|disabled| disabled.reason.clone()))
}

pub(super) async fn add_dead_letters(
    connection: &mut SqliteConnection,
    destination: &str,
    count: u32,
) -> Result<(), sqlx::Error> {
    let add =
        "UPDATE destinations SET dead_letters_total = dead_letters_total + ?2 WHERE name = ?1";
    sqlx::query(add).bind(destination).bind(count).execute(connection).await?;
    Ok(())
}
