//! Orders: a command beside the running program leaves a row, and the program carries it out.

use std::path::Path;

use async_trait::async_trait;
use sqlx::sqlite::{SqliteConnectOptions, SqliteRow};
use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, SqlitePool};

use super::open::{self, SqliteOpenError};
use super::{SqliteStore, open::BUSY_TIMEOUT};
use crate::{BackendError, Clock, Commands, Order, OrderNumber, PlacedOrder, StoreError};

impl SqliteStore {
    /// Places an order in the store in this file, also while another process has it open. The
    /// store is left as it is otherwise: it is neither made nor migrated.
    ///
    /// # Errors
    /// [`SqliteOpenError`]: there is no such file, it is not a store, it is of another version
    /// than this program's, or it could not be written to. Nothing was placed.
    pub async fn place_order(path: &Path, order: &Order) -> Result<OrderNumber, SqliteOpenError> {
        open::require_this_version(path).await?;
        place(path, order).await.map_err(|error| SqliteOpenError::Database {
            path: path.to_owned(),
            source: BackendError::new(error),
        })
    }
}

#[async_trait]
impl Commands for SqliteStore {
    async fn next_order(&self) -> Result<Option<PlacedOrder>, StoreError> {
        Ok(next(&self.readers).await?)
    }

    async fn finish_order(&self, number: OrderNumber, outcome: &str) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        Ok(finish(&mut connection, number, outcome, self.clock.now_ms()).await?)
    }

    async fn order(&self, number: OrderNumber) -> Result<Option<PlacedOrder>, StoreError> {
        Ok(find(&self.readers, number).await?)
    }
}

async fn place(path: &Path, order: &Order) -> Result<OrderNumber, sqlx::Error> {
    // The process that has the store open copies the write-ahead log; this one keeps off.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("synchronous", "FULL")
        .pragma("wal_autocheckpoint", "0");
    let mut connection = options.connect().await?;
    let number = sqlx::query_scalar(
        "INSERT INTO orders (body, placed_at_ms) VALUES (?1, ?2) RETURNING number",
    )
    .bind(&order.0)
    .bind(Clock::default().now_ms())
    .fetch_one(&mut connection)
    .await?;
    connection.close().await?;
    Ok(OrderNumber(number))
}

pub(super) async fn next(readers: &SqlitePool) -> Result<Option<PlacedOrder>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT number, body, outcome FROM orders WHERE outcome IS NULL ORDER BY number LIMIT 1",
    )
    .fetch_optional(readers)
    .await?;
    row.as_ref().map(placed).transpose()
}

pub(super) async fn find(
    readers: &SqlitePool,
    number: OrderNumber,
) -> Result<Option<PlacedOrder>, sqlx::Error> {
    let row = sqlx::query("SELECT number, body, outcome FROM orders WHERE number = ?1")
        .bind(number.0)
        .fetch_optional(readers)
        .await?;
    row.as_ref().map(placed).transpose()
}

pub(super) async fn finish(
    connection: &mut SqliteConnection,
    number: OrderNumber,
    outcome: &str,
    now_ms: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query("UPDATE orders SET outcome = ?2, finished_at_ms = ?3 WHERE number = ?1")
        .bind(number.0)
        .bind(outcome)
        .bind(now_ms)
        .execute(connection)
        .await?;
    Ok(())
}

fn placed(row: &SqliteRow) -> Result<PlacedOrder, sqlx::Error> {
    Ok(PlacedOrder {
        number: OrderNumber(row.try_get(0)?),
        order: Order(row.try_get(1)?),
        outcome: row.try_get(2)?,
    })
}
