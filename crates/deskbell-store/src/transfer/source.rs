//! The SQLite side: the file, which is ours alone, read in pages.

use std::path::Path;

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, SqlitePool};

use super::TransferError;
use super::table::{TABLES, Table};
use super::value::{Value, read};
use crate::{EventLog, LogId, Seq, SqliteStore, Store};

/// The store, open for writing so that nobody else writes to it meanwhile.
pub(super) struct Source(SqliteStore);

impl Source {
    pub(super) async fn open(path: &Path) -> Result<Self, TransferError> {
        crate::sqlite::require_a_file(path)?;
        Ok(Self(SqliteStore::open(path).await?))
    }

    pub(super) fn log_id(&self) -> LogId {
        self.0.log_id()
    }

    pub(super) async fn head(&self) -> Result<Seq, TransferError> {
        Ok(self.0.head().await?)
    }

    pub(super) async fn rows_in_all(&self) -> Result<u64, TransferError> {
        let mut rows = 0;
        for table in TABLES {
            let sql = format!("SELECT count(*) FROM {}", table.name);
            let count: i64 =
                sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(self.readers()).await?;
            rows += u64::try_from(count).unwrap_or(0);
        }
        Ok(rows)
    }

    /// The last number that was given out in each table, also where its row is gone.
    pub(super) async fn last_numbers(&self) -> Result<Vec<(&'static str, i64)>, TransferError> {
        let mut numbers = Vec::new();
        for table in TABLES.iter().filter(|table| table.is_numbered()) {
            let last = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
            let last = sqlx::query_scalar(last).bind(table.name);
            let last: Option<i64> = last.fetch_optional(self.readers()).await?;
            numbers.extend(last.map(|last| (table.name, last)));
        }
        Ok(numbers)
    }

    /// The next rows in the order of the key.
    pub(super) async fn page(
        &self,
        table: &Table,
        after: Option<&[Value]>,
        rows_max: u32,
    ) -> Result<Vec<Vec<Value>>, TransferError> {
        let columns = Table::names(table.columns, |_, name, _| name.to_owned());
        let key = Table::names(table.key(), |_, name, _| name.to_owned());
        let mut arguments = SqliteArguments::default();
        let condition = match after {
            Some(after) => {
                after.iter().try_for_each(|value| bind(&mut arguments, value))?;
                let marks = Table::names(table.key(), |_, _, _| "?".to_owned());
                format!("WHERE ({key}) > ({marks})")
            }
            None => String::new(),
        };
        let name = table.name;
        let sql =
            format!("SELECT {columns} FROM {name} {condition} ORDER BY {key} LIMIT {rows_max}");
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let rows = query.fetch_all(self.readers()).await?;
        Ok(rows.iter().map(|row| read(table.columns, row)).collect::<Result<_, _>>()?)
    }

    fn readers(&self) -> &SqlitePool {
        self.0.readers()
    }

    pub(super) async fn close(self) {
        self.0.close().await;
    }
}

fn bind(arguments: &mut SqliteArguments, value: &Value) -> Result<(), TransferError> {
    let bound = match value {
        Value::Integer(value) => arguments.add(*value),
        Value::Text(value) => arguments.add(value.clone()),
        Value::Bytes(value) => arguments.add(value.clone()),
    };
    Ok(bound.map_err(sqlx::Error::Encode)?)
}
