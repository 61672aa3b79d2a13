//! One connection to SQLite.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use clerk_webhooks::UnixMillis;
use sqlx::error::BoxDynError;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{
    Arguments, AssertSqlSafe, Connection, Either, Executor, Row, SqlSafeStr, SqliteConnection,
    Statement, ValueRef,
};

use super::describe;
use crate::db::bulk::Bulk;
use crate::db::error::DatabaseError;
use crate::db::limits::Limits;
use crate::db::live_table::LiveTable;
use crate::db::parameter::{Cell, Param, Sql};
use crate::db::session::{DbSession, Inventory};
use crate::value::{Kind, Value};

/// How long a unit of work waits for somebody else's lock on the file. The application reads the
/// file too, and may write to tables of its own.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Between two questions to a file that is locked.
const BUSY_PAUSE: Duration = Duration::from_millis(10);
/// SQLite's code for a lock that somebody else holds.
const SQLITE_BUSY: u32 = 5;

#[derive(Debug)]
pub(super) struct SqliteSession {
    connection: SqliteConnection,
    isolates: bool,
    /// Whether the outermost units of work are transactions.
    commits_units: bool,
    /// The units of work that are open.
    depth: u32,
}

impl SqliteSession {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection, isolates: false, commits_units: false, depth: 0 }
    }

    /// Whether the unit of work that was opened last is a transaction.
    fn at_outermost(&self) -> bool {
        self.commits_units && self.depth == 1
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), DatabaseError> {
        sqlx::query(sql).execute(&mut self.connection).await?;
        Ok(())
    }

    /// Whether there are tables that are not of this schema.
    async fn has_other_tables(&mut self, schema: &str) -> Result<bool, sqlx::Error> {
        let prefix = format!("{schema}_");
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM sqlite_schema
             WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'
                 AND lower(substr(name, 1, length(?1))) <> ?1)",
        )
        .bind(prefix)
        .fetch_one(&mut self.connection)
        .await
    }

    async fn journal(&mut self) -> Result<String, sqlx::Error> {
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut self.connection).await
    }

    /// Asks for a write-ahead log; the journal that the file has then. SQLite's busy timeout does
    /// not hold here: where another program opens the new file too, it says at once that it is locked.
    async fn write_ahead(&mut self) -> Result<String, sqlx::Error> {
        let deadline = Instant::now() + BUSY_TIMEOUT;
        loop {
            let asked = sqlx::query_scalar("PRAGMA journal_mode = WAL")
                .fetch_one(&mut self.connection)
                .await;
            match asked {
                Err(error) if is_busy(&error) && Instant::now() < deadline => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                answered => return answered,
            }
        }
    }
}

fn is_busy(error: &sqlx::Error) -> bool {
    // Extended codes, such as SQLITE_BUSY_RECOVERY, have the plain one in their last byte.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_BUSY)
}

#[async_trait]
impl DbSession for SqliteSession {
    /// IMMEDIATE: the lock is taken, or waited for, before anything has been read. There is one
    /// for the whole file. Foreign keys that are checked at the commit cannot be checked before.
    async fn begin(&mut self, _schema: &str, limits: Limits) -> Result<(), DatabaseError> {
        self.depth = 0;
        self.isolates = limits.isolates();
        self.commits_units = matches!(limits, Limits::Isolating { commit_units: true, .. });
        if self.commits_units { Ok(()) } else { self.run("BEGIN IMMEDIATE").await }
    }

    async fn begin_unit(&mut self) -> Result<(), DatabaseError> {
        self.depth += 1;
        self.run(if self.at_outermost() { "BEGIN IMMEDIATE" } else { "SAVEPOINT unit" }).await
    }

    async fn keep_unit(&mut self) -> Result<(), DatabaseError> {
        self.run(if self.at_outermost() { "COMMIT" } else { "RELEASE SAVEPOINT unit" }).await?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    async fn undo_unit(&mut self) -> Result<(), DatabaseError> {
        let outermost = self.at_outermost();
        self.depth = self.depth.saturating_sub(1);
        if outermost {
            return self.run("ROLLBACK").await;
        }
        self.run("ROLLBACK TO SAVEPOINT unit").await?;
        self.run("RELEASE SAVEPOINT unit").await
    }

    fn commits_units(&self) -> bool {
        self.commits_units
    }

    fn isolates(&self) -> bool {
        self.isolates
    }

    async fn begin_to_read(&mut self) -> Result<(), DatabaseError> {
        self.run("BEGIN").await
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        if self.commits_units { Ok(()) } else { self.run("COMMIT").await }
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        if self.commits_units { Ok(()) } else { self.run("ROLLBACK").await }
    }

    async fn execute(&mut self, sql: &Sql, parameters: &[Param<'_>]) -> Result<u64, DatabaseError> {
        let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), arguments(parameters)?);
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    async fn fetch(
        &mut self,
        sql: &Sql,
        parameters: &[Param<'_>],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, DatabaseError> {
        let query = sqlx::query_with(AssertSqlSafe(Arc::clone(sql)), arguments(parameters)?);
        let rows = query.fetch_all(&mut self.connection).await?;
        Ok(rows.iter().map(|row| values(row, kinds)).collect::<Result<_, _>>()?)
    }

    async fn bulk(&mut self, bulk: &Bulk, rows: &[Vec<Cell<'_>>]) -> Result<u64, DatabaseError> {
        let mut changed = 0;
        let mut left = rows;
        while let Some((chunk, sql)) = bulk.text(left.len()) {
            let (now, later) = left.split_at(chunk.min(left.len()));
            left = later;
            let mut arguments = SqliteArguments::default();
            arguments.reserve(chunk * bulk.kinds.len(), 0);
            let fills_up = now.last().into_iter().cycle().take(chunk - now.len());
            for cell in now.iter().chain(fills_up).flatten() {
                bind(&mut arguments, *cell).map_err(sqlx::Error::Encode)?;
            }
            let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
            changed += query.execute(&mut self.connection).await?.rows_affected();
        }
        Ok(changed)
    }

    /// SQLite has no rights and no triggers for whole statements: what it can refuse without a row,
    /// it refuses at the plan.
    async fn probe(&mut self, bulk: &Bulk) -> Result<(), DatabaseError> {
        self.explain(&bulk.smallest(), 0).await
    }

    /// Runs the plan's explanation: a statement that was prepared before looks at the schema again.
    async fn explain(&mut self, sql: &Sql, _parameters: usize) -> Result<(), DatabaseError> {
        let sql = AssertSqlSafe(format!("EXPLAIN {sql}"));
        sqlx::query(sql).persistent(false).fetch_all(&mut self.connection).await?;
        Ok(())
    }

    async fn inventory(
        &mut self,
        _schema: &str,
        tables: &[String],
    ) -> Result<Inventory, DatabaseError> {
        let names: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
            .fetch_all(&mut self.connection)
            .await?;
        // SQLite does not tell names apart by case.
        let objects = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        let mut found = Inventory { schema: true, objects, ..Inventory::default() };
        for table in tables {
            // Through `sqlite_schema`, so that SQLite looks whether the schema has changed.
            let columns: Vec<String> = sqlx::query_scalar(
                "SELECT info.name FROM sqlite_schema AS made, pragma_table_info(made.name) AS info
                 WHERE made.type = 'table' AND made.name = ?1",
            )
            .bind(table)
            .fetch_all(&mut self.connection)
            .await?;
            if !columns.is_empty() {
                found.columns.insert(table.clone(), columns.into_iter().collect());
            }
        }
        Ok(found)
    }

    async fn describe(&mut self, table: &str) -> Result<Option<LiveTable>, DatabaseError> {
        describe::table(&mut self.connection, table).await
    }

    async fn parameter_types(&mut self, sql: &Sql) -> Result<Vec<String>, DatabaseError> {
        let statement =
            (&mut self.connection).prepare(AssertSqlSafe(Arc::clone(sql)).into_sql_str()).await?;
        let count = match statement.parameters() {
            Some(Either::Right(count)) => count,
            Some(Either::Left(types)) => types.len(),
            None => 0,
        };
        Ok(vec![String::new(); count])
    }

    /// With a write-ahead log, readers and the mirror do not wait for each other. The file of an
    /// application keeps the journal that it has: the mode is the file's, for all who open it.
    async fn configure_session(&mut self, schema: &str) -> Result<(), DatabaseError> {
        let is_shared = self.has_other_tables(schema).await?;
        let mode = if is_shared { self.journal().await? } else { self.write_ahead().await? };
        if mode == "wal" {
            return Ok(());
        }
        // Without a write-ahead log, NORMAL can leave a broken file behind at a loss of power.
        self.run("PRAGMA synchronous = FULL").await?;
        if is_shared {
            tracing::info!(
                journal_mode = mode,
                "the application's file keeps its journal mode, so its readers and the mirror \
                 block each other; run `PRAGMA journal_mode = WAL` once to change that"
            );
        } else {
            tracing::warn!(
                journal_mode = mode,
                "the mirror's file does not support a write-ahead log: its readers and the mirror \
                 block each other"
            );
        }
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), DatabaseError> {
        Ok(self.connection.close().await?)
    }
}

fn arguments(parameters: &[Param<'_>]) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for parameter in parameters {
        let added = match parameter {
            Param::Text(text) => arguments.add(*text),
            Param::Integer(integer) => arguments.add(*integer),
            Param::OptionalText(text) => arguments.add(*text),
            Param::Float(float) => arguments.add(*float),
            Param::Boolean(boolean) => arguments.add(*boolean),
            Param::Texts(texts) => {
                let list = serde_json::to_string(texts);
                arguments.add(list.map_err(|error| sqlx::Error::Encode(error.into()))?)
            }
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

fn bind(arguments: &mut SqliteArguments, cell: Cell<'_>) -> Result<(), BoxDynError> {
    match cell {
        Cell::Null => arguments.add(None::<i64>),
        // One allocation, where the driver makes two of a `&str`.
        Cell::Text(text) => arguments.add(Arc::<str>::from(text)),
        Cell::Integer(integer) => arguments.add(integer),
        Cell::Float(float) => arguments.add(float),
        Cell::Boolean(boolean) => arguments.add(boolean),
        Cell::Time(time) => arguments.add(time.to_string()),
    }
}

fn values(row: &SqliteRow, kinds: &[Kind]) -> Result<Vec<Value>, sqlx::Error> {
    kinds.iter().enumerate().map(|(index, kind)| value(row, index, *kind)).collect()
}

fn value(row: &SqliteRow, index: usize, kind: Kind) -> Result<Value, sqlx::Error> {
    if row.try_get_raw(index)?.is_null() {
        return Ok(Value::Null);
    }
    Ok(match kind {
        Kind::Id | Kind::Text | Kind::Decimal => Value::Text(row.try_get(index)?),
        Kind::Integer => Value::Integer(row.try_get(index)?),
        Kind::Boolean => Value::Boolean(row.try_get(index)?),
        Kind::Json => Value::Json(row.try_get(index)?),
        Kind::Time => {
            let text: String = row.try_get(index)?;
            let time = UnixMillis::from_json(&serde_json::Value::from(text.as_str()));
            time.map_or(Value::Text(text), Value::Time)
        }
    })
}
