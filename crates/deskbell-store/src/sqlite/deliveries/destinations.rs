//! Destinations: their checkpoints, their order and their health.

use async_trait::async_trait;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection};

use super::remove;
use super::targets::target;
use crate::deliveries::{
    DestinationHealth, DestinationState, Destinations, Ordering, Registration, StartFrom,
};
use crate::sqlite::{SqliteStore, event_log};
use crate::{Seq, StoreError, rows};

const STATE: &str = "SELECT name, routed_seq, first_failure_at_ms, failed_attempts,
            last_failure_at_ms, disabled_at_ms, disabled_reason, dead_letters_total
     FROM destinations";

/// What the release before wrote is undone with it: it would go on from there.
const SET_HEALTH: &str = "UPDATE destinations SET first_failure_at_ms = ?2, failed_attempts = ?3,
         last_failure_at_ms = ?4, disabled_at_ms = ?5, disabled_reason = ?6,
         failing_since_ms = NULL, told_percent = 0
     WHERE name = ?1";

/// What changes when what is pending is put into the order of its subjects.
const ORDER: [&str; 3] = [
    "UPDATE destinations SET ordered = true WHERE id = ?1",
    "UPDATE deliveries SET subject = event.subject, blocked = event.subject IS NOT NULL
     FROM events AS event
     WHERE destination_id = ?1 AND event.seq = deliveries.seq",
    "UPDATE deliveries SET blocked = 0 WHERE destination_id = ?1 AND seq IN (
         SELECT min(seq) FROM deliveries
         WHERE destination_id = ?1 AND subject IS NOT NULL GROUP BY subject)",
];

/// What changes when it is taken out of that order.
const DISORDER: [&str; 2] = [
    "UPDATE destinations SET ordered = false WHERE id = ?1",
    "UPDATE deliveries SET subject = NULL, blocked = 0 WHERE destination_id = ?1",
];

#[async_trait]
impl Destinations for SqliteStore {
    async fn register(&self, destination: &Registration) -> Result<DestinationState, StoreError> {
        let mut connection = self.connection().await?;
        let state = register(&mut connection, destination).await?;
        drop(connection);
        self.queues.of(&destination.name).due.notify_one();
        Ok(state)
    }

    async fn destinations(&self) -> Result<Vec<DestinationState>, StoreError> {
        let all = sqlx::query(AssertSqlSafe(format!("{STATE} ORDER BY name")));
        rows::each(&all.fetch_all(&self.readers).await?, rows::destination_state)
    }

    async fn set_health(
        &self,
        destination: &str,
        health: &DestinationHealth,
    ) -> Result<(), StoreError> {
        let change = bind_health(sqlx::query(SET_HEALTH).bind(destination), health);
        change.execute(&mut *self.connection().await?).await?;
        Ok(())
    }

    async fn change_health(
        &self,
        destination: &str,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError> {
        let change = format!(
            "{SET_HEALTH} AND first_failure_at_ms IS ?7 AND failed_attempts = ?8
                 AND last_failure_at_ms IS ?9 AND disabled_at_ms IS ?10 AND disabled_reason IS ?11"
        );
        let change = sqlx::query(AssertSqlSafe(change)).bind(destination);
        let change = bind_health(bind_health(change, to), from);
        Ok(change.execute(&mut *self.connection().await?).await?.rows_affected() > 0)
    }

    async fn add_dead_letters(&self, destination: &str, count: u32) -> Result<(), StoreError> {
        let add =
            "UPDATE destinations SET dead_letters_total = dead_letters_total + ?2 WHERE name = ?1";
        let add = sqlx::query(add).bind(destination).bind(count);
        add.execute(&mut *self.connection().await?).await?;
        Ok(())
    }

    async fn remove_destination(&self, name: &str, rows_max: u32) -> Result<bool, StoreError> {
        let mut connection = self.connection().await?;
        Ok(remove::remove(&mut connection, name, rows_max).await?)
    }

    async fn now_ms(&self) -> Result<i64, StoreError> {
        Ok(self.clock.now_ms())
    }
}

async fn register(
    connection: &mut SqliteConnection,
    destination: &Registration,
) -> Result<DestinationState, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let ordered = destination.ordering == Ordering::Subject;
    let routed = match destination.from {
        StartFrom::Beginning => Seq::ZERO,
        StartFrom::Now => event_log::head(&mut *transaction).await?,
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
        let steps: &[&str] = if ordered { &ORDER } else { &DISORDER };
        for sql in steps {
            sqlx::query(*sql).bind(known.id).execute(&mut *transaction).await?;
        }
    }
    let row = sqlx::query(AssertSqlSafe(format!("{STATE} WHERE id = ?1")))
        .bind(known.id)
        .fetch_one(&mut *transaction)
        .await?;
    let state = rows::destination_state(&row)?;
    transaction.commit().await?;
    Ok(state)
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
