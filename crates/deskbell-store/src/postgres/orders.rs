//! Orders: a command beside the running program leaves a row, and the program carries it out.

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::PostgresStore;
use super::append::text;
use super::session::Session;
use crate::{Commands, Order, OrderNumber, PlacedOrder, StoreError};

impl PostgresStore {
    /// Places an order in the store, for whichever process carries orders out.
    ///
    /// # Errors
    /// Nothing was placed.
    pub async fn place_order(&self, order: &Order) -> Result<OrderNumber, StoreError> {
        let mut work = self.connections.statement().await?;
        let placed = place(work.connection(), order, self.clock.manual_ms()).await;
        work.done(placed).await
    }
}

#[async_trait]
impl Commands for PostgresStore {
    async fn next_order(&self) -> Result<Option<PlacedOrder>, StoreError> {
        let mut work = self.connections.statement().await?;
        let outcome = next(work.connection()).await;
        work.done(outcome).await
    }

    async fn finish_order(&self, number: OrderNumber, outcome: &str) -> Result<(), StoreError> {
        let mut work = self.connections.statement().await?;
        let manual_ms = self.clock.manual_ms();
        let finished = finish(work.connection(), number, outcome, manual_ms).await;
        work.done(finished).await
    }

    async fn order(&self, number: OrderNumber) -> Result<Option<PlacedOrder>, StoreError> {
        let mut work = self.connections.statement().await?;
        let outcome = find(work.connection(), number).await;
        work.done(outcome).await
    }
}

async fn place(
    connection: &mut Session,
    order: &Order,
    manual_ms: Option<i64>,
) -> Result<OrderNumber, sqlx::Error> {
    let number = sqlx::query_scalar(
        "INSERT INTO deskbell.orders (body, placed_at_ms)
         VALUES ($1, coalesce($2::bigint, deskbell.now_ms())) RETURNING number",
    )
    .bind(text(&order.0))
    .bind(manual_ms)
    .fetch_one(connection)
    .await?;
    Ok(OrderNumber(number))
}

pub(super) async fn next(connection: &mut Session) -> Result<Option<PlacedOrder>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT number, body, outcome FROM deskbell.orders
         WHERE outcome IS NULL ORDER BY number LIMIT 1",
    )
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(placed).transpose()
}

pub(super) async fn find(
    connection: &mut Session,
    number: OrderNumber,
) -> Result<Option<PlacedOrder>, sqlx::Error> {
    let row = sqlx::query("SELECT number, body, outcome FROM deskbell.orders WHERE number = $1")
        .bind(number.0)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(placed).transpose()
}

pub(super) async fn finish(
    connection: &mut Session,
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
    .bind(text(outcome))
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
