//! Destinations: their checkpoints, their order, and how they are.

use crate::postgres::Session;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::Seq;
use crate::deliveries::{
    DestinationHealth, DestinationState, Disabled, Ordering, Registration, StartFrom,
};

const STATE: &str = "SELECT name, routed_seq, first_failure_at_ms, failing_since_ms, told_percent,
            disabled_at_ms, disabled_reason
     FROM deskbell.destinations";

pub(super) async fn register(
    connection: &mut Session,
    destination: &Registration,
) -> Result<DestinationState, sqlx::Error> {
    sqlx::query("SELECT deskbell.register_v1($1, $2, $3)")
        .bind(&destination.name)
        .bind(destination.from == StartFrom::Now)
        .bind(destination.ordering == Ordering::Subject)
        .execute(&mut *connection)
        .await?;
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("{STATE} WHERE name = $1")))
        .bind(&destination.name)
        .fetch_one(connection)
        .await?;
    state(&row)
}

pub(super) async fn all(connection: &mut Session) -> Result<Vec<DestinationState>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{STATE} ORDER BY name")))
        .fetch_all(connection)
        .await?;
    rows.iter().map(state).collect()
}

fn state(row: &PgRow) -> Result<DestinationState, sqlx::Error> {
    let disabled_at_ms: Option<i64> = row.try_get(5)?;
    let reason: Option<String> = row.try_get(6)?;
    let disabled = disabled_at_ms.zip(reason).map(|(at_ms, reason)| Disabled { at_ms, reason });
    Ok(DestinationState {
        name: row.try_get::<&str, _>(0)?.into(),
        routed: Seq::new(row.try_get(1)?),
        health: DestinationHealth {
            first_failure_at_ms: row.try_get(2)?,
            failing_since_ms: row.try_get(3)?,
            told_percent: u8::try_from(row.try_get::<i16, _>(4)?).unwrap_or(u8::MAX),
            disabled,
        },
    })
}

pub(super) async fn set_health(
    connection: &mut Session,
    destination: &str,
    health: &DestinationHealth,
) -> Result<(), sqlx::Error> {
    let disabled = health.disabled.as_ref();
    sqlx::query(
        "UPDATE deskbell.destinations SET first_failure_at_ms = $2, failing_since_ms = $3,
             told_percent = $4, disabled_at_ms = $5, disabled_reason = $6
         WHERE name = $1",
    )
    .bind(destination)
    .bind(health.first_failure_at_ms)
    .bind(health.failing_since_ms)
    .bind(i16::from(health.told_percent))
    .bind(disabled.map(|disabled| disabled.at_ms))
    .bind(disabled.map(|disabled| disabled.reason.as_str()))
    .execute(connection)
    .await?;
    Ok(())
}

/// What the clock says that all of these times are by.
pub(super) async fn now_ms(
    connection: &mut Session,
    manual_ms: Option<i64>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce($1::bigint, deskbell.now_ms())")
        .bind(manual_ms)
        .fetch_one(connection)
        .await
}
