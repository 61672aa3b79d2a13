//! Destinations: their checkpoints, their order, and how they are.

use std::collections::HashMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection, SqlitePool};

use crate::Seq;
use crate::deliveries::{
    DestinationHealth, DestinationState, Disabled, Ordering, Registration, StartFrom,
};
use crate::sqlite::read;

const STATE: &str = "SELECT name, routed_seq, first_failure_at_ms, failing_since_ms, told_percent,
            disabled_at_ms, disabled_reason
     FROM destinations";

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
    let state = state(&row)?;
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
    rows.iter().map(state).collect()
}

fn state(row: &SqliteRow) -> Result<DestinationState, sqlx::Error> {
    let disabled_at_ms: Option<i64> = row.try_get(5)?;
    let reason: Option<String> = row.try_get(6)?;
    let disabled = disabled_at_ms.zip(reason).map(|(at_ms, reason)| Disabled { at_ms, reason });
    Ok(DestinationState {
        name: row.try_get::<&str, _>(0)?.into(),
        routed: Seq::new(row.try_get(1)?),
        health: DestinationHealth {
            first_failure_at_ms: row.try_get(2)?,
            failing_since_ms: row.try_get(3)?,
            told_percent: row.try_get(4)?,
            disabled,
        },
    })
}

pub(super) async fn set_health(
    connection: &mut SqliteConnection,
    destination: &str,
    health: &DestinationHealth,
) -> Result<(), sqlx::Error> {
    let disabled = health.disabled.as_ref();
    sqlx::query(
        "UPDATE destinations SET first_failure_at_ms = ?2, failing_since_ms = ?3,
             told_percent = ?4, disabled_at_ms = ?5, disabled_reason = ?6
         WHERE name = ?1",
    )
    .bind(destination)
    .bind(health.first_failure_at_ms)
    .bind(health.failing_since_ms)
    .bind(health.told_percent)
    .bind(disabled.map(|disabled| disabled.at_ms))
    .bind(disabled.map(|disabled| disabled.reason.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}
