//! Whether a pooler stands between us and the server that gives each transaction another connection.

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::PostgresConnector;

/// What a connection of ours is to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// One connection of the server's, for as long as it lasts.
    Direct,
    /// A pooler's, that has one of the server's for the length of a transaction.
    Pooled,
}

const PID: &str = "SELECT pg_backend_pid()::text";

/// Finds out with two connections, of which nothing is left behind.
///
/// One asks for its server process, and lets go of it. The other opens a transaction, and asks too.
/// A pooler gives it the process that was just let go of, so that it is the same, or the first one
/// gets another when it asks again.
pub(super) async fn look(connector: &PostgresConnector) -> Result<Route, sqlx::Error> {
    let mut first = connector.connect().await?;
    let mut second = connector.connect().await?;
    let before = pid(&mut first, PID).await?;
    let held = pid(&mut second, "BEGIN; SELECT pg_backend_pid()::text").await?;
    let after = pid(&mut first, PID).await?;
    sqlx::raw_sql("ROLLBACK").execute(&mut second).await?;
    first.close().await?;
    second.close().await?;
    Ok(if before == after && before != held { Route::Direct } else { Route::Pooled })
}

async fn pid(connection: &mut PgConnection, sql: &'static str) -> Result<String, sqlx::Error> {
    // Not prepared: that would be two transactions, and so two servers.
    use sqlx::Row;
    sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(connection).await?.try_get_unchecked(0)
}
