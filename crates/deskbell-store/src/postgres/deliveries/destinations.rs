//! Destinations: their checkpoints, their order and their health.

use async_trait::async_trait;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres};

use crate::deliveries::{
    DestinationHealth, DestinationState, Destinations, Ordering, Registration, StartFrom,
};
use crate::postgres::append::text;
use crate::postgres::{PooledConnection, PostgresStore, check};
use crate::{StoreError, rows};

const STATE: &str = "SELECT name, routed_seq, first_failure_at_ms, failed_attempts,
            last_failure_at_ms, disabled_at_ms, disabled_reason, dead_letters_total
     FROM deskbell.destinations";

/// What the release before wrote is undone with it: it would go on from there.
const SET_HEALTH: &str = "UPDATE deskbell.destinations
     SET first_failure_at_ms = $2, failed_attempts = $3, last_failure_at_ms = $4,
         disabled_at_ms = $5, disabled_reason = $6, failing_since_ms = NULL, told_percent = 0
     WHERE name = $1";

#[async_trait]
impl Destinations for PostgresStore {
    async fn register(&self, destination: &Registration) -> Result<DestinationState, StoreError> {
        let mut work = self.pools.transaction().await?;
        let state = register(work.connection(), destination).await;
        let state = work.finish(state).await?;
        self.wake.notify_due(&destination.name);
        Ok(state)
    }

    async fn destinations(&self) -> Result<Vec<DestinationState>, StoreError> {
        let all = sqlx::query(AssertSqlSafe(format!("{STATE} ORDER BY name")));
        let rows = all.fetch_all(&*self.pools).await?;
        rows::each(&rows, rows::destination_state)
    }

    async fn set_health(
        &self,
        destination: &str,
        health: &DestinationHealth,
    ) -> Result<(), StoreError> {
        let change = sqlx::query(SET_HEALTH).bind(destination);
        bind_health(change, health).execute(&*self.pools).await?;
        Ok(())
    }

    async fn change_health(
        &self,
        destination: &str,
        from: &DestinationHealth,
        to: &DestinationHealth,
    ) -> Result<bool, StoreError> {
        let change = format!(
            "{SET_HEALTH} AND first_failure_at_ms IS NOT DISTINCT FROM $7 AND failed_attempts = $8
                 AND last_failure_at_ms IS NOT DISTINCT FROM $9
                 AND disabled_at_ms IS NOT DISTINCT FROM $10
                 AND disabled_reason IS NOT DISTINCT FROM $11"
        );
        let change = sqlx::query(AssertSqlSafe(change)).bind(destination);
        let changed = bind_health(bind_health(change, to), from).execute(&*self.pools).await?;
        Ok(changed.rows_affected() > 0)
    }

    async fn add_dead_letters(&self, destination: &str, count: u32) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE deskbell.destinations SET dead_letters_total = dead_letters_total + $2
             WHERE name = $1",
        )
        .bind(destination)
        .bind(i64::from(count))
        .execute(&*self.pools)
        .await?;
        Ok(())
    }

    async fn remove_destination(&self, name: &str, rows_max: u32) -> Result<bool, StoreError> {
        let remove = sqlx::query_scalar("SELECT deskbell.remove_destination_v1($1, $2)");
        let remove = remove.bind(text(name)).bind(i64::from(rows_max));
        Ok(remove.fetch_one(&*self.pools).await?)
    }

    async fn now_ms(&self) -> Result<i64, StoreError> {
        let now = sqlx::query_scalar(check::NOW).bind(self.clock.manual_ms());
        Ok(now.fetch_one(&*self.pools).await?)
    }
}

async fn register(
    connection: &mut PooledConnection,
    destination: &Registration,
) -> Result<DestinationState, sqlx::Error> {
    sqlx::query("SELECT deskbell.register_v1($1, $2, $3)")
        .bind(&destination.name)
        .bind(destination.from == StartFrom::Now)
        .bind(destination.ordering == Ordering::Subject)
        .execute(&mut *connection)
        .await?;
    let state = sqlx::query(AssertSqlSafe(format!("{STATE} WHERE name = $1")));
    rows::destination_state(&state.bind(&destination.name).fetch_one(connection).await?)
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
