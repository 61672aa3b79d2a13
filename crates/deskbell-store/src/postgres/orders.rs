//! Orders: a command beside the running program leaves a row, and the program carries it out.

use sqlx::postgres::PgRow;
use sqlx::{PgConnection, Row};

use crate::deliveries::{Order, OrderNumber, PlacedOrder};

pub(super) async fn place(
    connection: &mut PgConnection,
    order: &Order,
    manual_ms: Option<i64>,
) -> Result<OrderNumber, sqlx::Error> {
    let number = sqlx::query_scalar(
        "INSERT INTO deskbell.orders (body, placed_at_ms)
         VALUES ($1, coalesce($2::bigint, deskbell.now_ms())) RETURNING number",
    )
    .bind(&order.0)
    .bind(manual_ms)
    .fetch_one(connection)
    .await?;
    Ok(OrderNumber(number))
}

pub(super) async fn next(
    connection: &mut PgConnection,
) -> Result<Option<PlacedOrder>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT number, body, outcome FROM deskbell.orders
         WHERE outcome IS NULL ORDER BY number LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(placed).transpose()
}

pub(super) async fn find(
    connection: &mut PgConnection,
    number: OrderNumber,
) -> Result<Option<PlacedOrder>, sqlx::Error> {
    let row = sqlx::query("SELECT number, body, outcome FROM deskbell.orders WHERE number = $1")
        .bind(number.0)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(placed).transpose()
}

pub(super) async fn finish(
    connection: &mut PgConnection,
    number: OrderNumber,
    outcome: &str,
    manual_ms: Option<i64>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE deskbell.orders
         SET outcome = $2, finished_at_ms = coalesce($3::bigint, deskbell.now_ms())
         WHERE number = $1",
    )
    .bind(number.0)
    .bind(outcome)
    .bind(manual_ms)
    .execute(connection)
    .await?;
    Ok(())
}

fn placed(row: &PgRow) -> Result<PlacedOrder, sqlx::Error> {
    Ok(PlacedOrder {
        number: OrderNumber(row.try_get(0)?),
        order: Order(row.try_get(1)?),
        outcome: row.try_get(2)?,
    })
}
