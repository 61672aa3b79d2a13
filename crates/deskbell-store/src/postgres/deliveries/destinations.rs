//! Destinations: their checkpoints, their order and their health.

use crate::postgres::PooledConnection;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use crate::deliveries::{DestinationHealth, DestinationState, Ordering, Registration, StartFrom};
use crate::rows;

const STATE: &str = "SELECT name, routed_seq, first_failure_at_ms, failed_attempts,
            last_failure_at_ms, disabled_at_ms, disabled_reason, dead_letters_total
     FROM deskbell.destinations";

/// What the release before wrote is undone with it: it would go on from there.
const SET_HEALTH: &str = "UPDATE deskbell.destinations
     SET first_failure_at_ms = $2, failed_attempts = $3, last_failure_at_ms = $4,
         disabled_at_ms = $5, disabled_reason = $6, failing_since_ms = NULL, told_percent = 0
     WHERE name = $1";

pub(super) async fn register(
    connection: &mut PooledConnection,
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
    rows::destination_state(&row)
}

pub(super) async fn all(
    connection: &mut PooledConnection,
) -> Result<Vec<DestinationState>, sqlx::Error> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!("{STATE} ORDER BY name")))
        .fetch_all(connection)
        .await?;
    rows.iter().map(rows::destination_state).collect()
}

pub(super) async fn set_health(
    connection: &mut PooledConnection,
    destination: &str,
    health: &DestinationHealth,
) -> Result<(), sqlx::Error> {
    bind_health(sqlx::query(SET_HEALTH).bind(destination), health).execute(connection).await?;
    Ok(())
}

pub(super) async fn change_health(
    connection: &mut PooledConnection,
    destination: &str,
    from: &DestinationHealth,
    to: &DestinationHealth,
) -> Result<bool, sqlx::Error> {
    let change = format!(
        "{SET_HEALTH} AND first_failure_at_ms IS NOT DISTINCT FROM $7 AND failed_attempts = $8
             AND last_failure_at_ms IS NOT DISTINCT FROM $9
             AND disabled_at_ms IS NOT DISTINCT FROM $10
             AND disabled_reason IS NOT DISTINCT FROM $11"
    );
    let change = sqlx::query(sqlx::AssertSqlSafe(change)).bind(destination);
    let changed = bind_health(bind_health(change, to), from).execute(connection).await?;
    Ok(changed.rows_affected() > 0)
}

fn bind_health<'q>(
    query: Query<'q, Postgres, PgArguments>,
    health: &DestinationHealth,
) -> Query<'q, Postgres, PgArguments> {
    let disabled = health.disabled.as_ref();
    query
        .bind(health.first_failure_at_ms)
        .bind(i64::from(health.failed_attempts))
        .bind(health.last_failure_at_ms)
        .bind(disabled.map(|disabled| disabled.at_ms))
        .bind(disabled.map(|disabled| disabled.reason.clone()))
}

pub(super) async fn add_dead_letters(
    connection: &mut PooledConnection,
    destination: &str,
    count: u32,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE deskbell.destinations SET dead_letters_total = dead_letters_total + $2
         WHERE name = $1",
    )
    .bind(destination)
    .bind(i64::from(count))
    .execute(connection)
    .await?;
    Ok(())
}

/// The time of the clock that all of these times are by.
pub(super) async fn now_ms(
    connection: &mut PooledConnection,
    manual_ms: Option<i64>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar("SELECT coalesce($1::bigint, deskbell.now_ms())")
        .bind(manual_ms)
        .fetch_one(connection)
        .await
}
