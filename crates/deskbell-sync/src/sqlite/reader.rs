//! Reading a mirror back from SQLite.

use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, Row, SqlitePool, ValueRef};

use super::checkpoints;
use super::statements::{quoted, select_checkpoints};
use crate::checkpoint::Checkpoint;
use crate::connect::ConnectError;
use crate::entity::Kind;
use crate::schema::Table;
use crate::sqlite::{database_error, open};
use crate::target::TargetError;

/// Readers at the same time.
const CONNECTIONS_MAX: u32 = 2;

#[derive(Debug)]
pub(crate) struct SqliteReader(SqlitePool);

impl SqliteReader {
    pub(crate) async fn open(url: &str) -> Result<Self, ConnectError> {
        let options: SqliteConnectOptions = url.parse().map_err(database_error)?;
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS_MAX);
        let pool = pool.connect_with(open::reading_options(options)).await;
        Ok(Self(pool.map_err(database_error)?))
    }

    /// The number of rows; `None` where there is no such table.
    pub(crate) async fn count(&self, table: &str) -> Result<Option<u64>, TargetError> {
        if !self.exists(table).await? {
            return Ok(None);
        }
        let sql = format!("SELECT count(*) FROM {}", quoted(table));
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&self.0).await?;
        Ok(u64::try_from(rows).ok())
    }

    /// The rows in the order of the primary key; `None` where there is no such table.
    pub(crate) async fn rows(
        &self,
        name: &str,
        table: &Table,
    ) -> Result<Option<Vec<Map<String, Value>>>, TargetError> {
        if !self.exists(name).await? {
            return Ok(None);
        }
        let order =
            table.primary_key.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ");
        let sql = format!("SELECT * FROM {} ORDER BY {order}", quoted(name));
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&self.0).await?;
        rows.iter().map(|row| as_json(row, table)).collect::<Result<_, _>>().map(Some)
    }

    pub(crate) async fn checkpoint(
        &self,
        schema: &str,
        destination: &str,
    ) -> Result<Option<Checkpoint>, TargetError> {
        let mut connection = self.0.acquire().await?;
        let sql = select_checkpoints(schema).into();
        let newest_first = checkpoints::read(&mut connection, &sql, destination).await?;
        Ok(newest_first.into_iter().next())
    }

    async fn exists(&self, table: &str) -> Result<bool, TargetError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1")
                .bind(table)
                .fetch_optional(&self.0)
                .await?;
        Ok(found.is_some())
    }
}

fn as_json(row: &SqliteRow, table: &Table) -> Result<Map<String, Value>, TargetError> {
    let columns = row.columns().iter().enumerate();
    columns
        .map(|(index, column)| {
            let declared = table.columns.iter().find(|declared| declared.name == column.name());
            let kind = declared.map_or(Kind::Text, |declared| declared.kind);
            Ok((column.name().to_owned(), value(row, index, kind)?))
        })
        .collect()
}

fn value(row: &SqliteRow, index: usize, kind: Kind) -> Result<Value, sqlx::Error> {
    if row.try_get_raw(index)?.is_null() {
        return Ok(Value::Null);
    }
    Ok(match kind {
        Kind::Text | Kind::Time => row.try_get::<String, _>(index)?.into(),
        Kind::Integer => row.try_get::<i64, _>(index)?.into(),
        Kind::Boolean => row.try_get::<bool, _>(index)?.into(),
        Kind::Json => {
            let text: &str = row.try_get(index)?;
            serde_json::from_str(text).unwrap_or_else(|_| text.into())
        }
    })
}
