//! Reading a mirror back from SQLite.

use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{AssertSqlSafe, Column as _, Row, SqliteConnection, SqlitePool, ValueRef};

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
        let mut snapshot = self.0.begin().await?;
        if columns(&mut snapshot, table).await?.is_empty() {
            return Ok(None);
        }
        let sql = format!("SELECT count(*) FROM {}", quoted(table));
        let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut *snapshot).await?;
        Ok(u64::try_from(rows).ok())
    }

    /// The rows in the order of the primary key; `None` where there is no such table.
    pub(crate) async fn rows(
        &self,
        name: &str,
        table: &Table,
    ) -> Result<Option<Vec<Map<String, Value>>>, TargetError> {
        // One snapshot, and columns by name: another connection may not know a new column yet, and
        // takes its quoted name for a text; a `SELECT *` that grows ends in sqlx 0.9 without rows.
        let mut snapshot = self.0.begin().await?;
        let columns = columns(&mut snapshot, name).await?;
        if columns.is_empty() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT {} FROM {} ORDER BY {}",
            list(columns.iter().map(String::as_str)),
            quoted(name),
            list(table.primary_key.iter().copied()),
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *snapshot).await?;
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
}

/// The table's columns in their order; none where there is no such table.
async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<String>, sqlx::Error> {
    // Through `sqlite_schema`, so that SQLite looks whether the schema has changed.
    let columns = sqlx::query_scalar(
        "SELECT info.name FROM sqlite_schema AS made, pragma_table_info(made.name) AS info
         WHERE made.type = 'table' AND made.name = ?1 ORDER BY info.cid",
    );
    columns.bind(table).fetch_all(connection).await
}

fn list<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns.map(quoted).collect::<Vec<_>>().join(", ")
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
