//! One connection to PostgreSQL.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{
    Arguments, AssertSqlSafe, Connection, PgConnection, Postgres, Row, SqlSafeStr, ValueRef,
};

use super::describe;
use super::timestamp::Timestamp;
use crate::db::bulk::Bulk;
use crate::db::error::DatabaseError;
use crate::db::limits::Limits;
use crate::db::live_table::LiveTable;
use crate::db::parameter::{Cell, Param, Sql};
use crate::db::session::{DbSession, Inventory};
use crate::value::{Kind, Value};

#[derive(Debug)]
pub(super) struct PostgresSession {
    connection: PgConnection,
    /// Whether each unit of work is checked whole before it is kept.
    isolates: bool,
}

/// Behind a unit of work, while what is refused is looked for: constraints that are checked at the
/// commit are checked now, so that the unit at fault is known, and are left for later again.
const KEEP_CHECKED: &str = "SET CONSTRAINTS ALL IMMEDIATE; RELEASE SAVEPOINT unit;
    SET CONSTRAINTS ALL DEFERRED";

impl PostgresSession {
    pub(super) fn new(connection: PgConnection) -> Self {
        Self { connection, isolates: false }
    }

    async fn run(&mut self, sql: impl SqlSafeStr) -> Result<(), DatabaseError> {
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(())
    }
}

/// READ COMMITTED, whatever the role's default: each statement sees what others have committed, and
/// the lock makes those who write here take turns: its number is the same for every program that
/// writes to this schema. A replica that is cut off or halted in the middle holds the others up no
/// longer than the limits say. Plans are made for the tables as they are: one that was kept from when
/// they were empty reads them whole. No state of the session, so that it works behind a pooler that
/// shares connections between transactions. All in one round trip.
fn begin(schema: &str, limits: Limits) -> String {
    let schema = schema.replace('\'', "''");
    let answer = Limits::Unlimited.lock().as_millis();
    let wait = limits.statement().map_or(answer, |statement| statement.as_millis());
    let statement = limits.statement().map_or(0, |statement| statement.as_millis());
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
         SET LOCAL lock_timeout = {wait};
         SET LOCAL statement_timeout = {statement};
         SET LOCAL idle_in_transaction_session_timeout = '60s';
         SET LOCAL plan_cache_mode = force_custom_plan;
         SELECT pg_advisory_xact_lock(hashtextextended('deskbell {schema}', 0));
         SET LOCAL lock_timeout = {}",
        limits.lock().as_millis(),
    )
}

#[async_trait]
impl DbSession for PostgresSession {
    async fn begin(&mut self, schema: &str, limits: Limits) -> Result<(), DatabaseError> {
        self.isolates = limits.isolates();
        self.run(AssertSqlSafe(begin(schema, limits))).await
    }

    fn isolates(&self) -> bool {
        self.isolates
    }

    async fn keep_unit(&mut self) -> Result<(), DatabaseError> {
        self.run(if self.isolates { KEEP_CHECKED } else { "RELEASE SAVEPOINT unit" }).await
    }

    async fn begin_unit(&mut self) -> Result<(), DatabaseError> {
        self.run("SAVEPOINT unit").await
    }

    async fn undo_unit(&mut self) -> Result<(), DatabaseError> {
        self.run("ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit").await
    }

    async fn begin_to_read(&mut self) -> Result<(), DatabaseError> {
        self.run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        self.run("COMMIT").await
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        self.run("ROLLBACK").await
    }

    async fn execute(&mut self, sql: &Sql, parameters: &[Param<'_>]) -> Result<u64, DatabaseError> {
        let query = unnamed(Arc::clone(sql), arguments(parameters)?);
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    async fn fetch(
        &mut self,
        sql: &Sql,
        parameters: &[Param<'_>],
        kinds: &[Kind],
    ) -> Result<Vec<Vec<Value>>, DatabaseError> {
        let query = unnamed(Arc::clone(sql), arguments(parameters)?);
        let rows = query.fetch_all(&mut self.connection).await?;
        Ok(rows.iter().map(|row| values(row, kinds)).collect::<Result<_, _>>()?)
    }

    async fn bulk(&mut self, bulk: &Bulk, rows: &[Vec<Cell<'_>>]) -> Result<u64, DatabaseError> {
        let Some((_, sql)) = bulk.text(rows.len()) else { return Ok(0) };
        let mut arguments = PgArguments::default();
        for (index, kind) in bulk.kinds.iter().enumerate() {
            bind(&mut arguments, rows, index, *kind).map_err(sqlx::Error::Encode)?;
        }
        let query = unnamed(sql, arguments);
        Ok(query.execute(&mut self.connection).await?.rows_affected())
    }

    async fn probe(&mut self, bulk: &Bulk) -> Result<(), DatabaseError> {
        let mut arguments = PgArguments::default();
        for (index, kind) in bulk.kinds.iter().enumerate() {
            bind(&mut arguments, &[], index, *kind).map_err(sqlx::Error::Encode)?;
        }
        let query = unnamed(bulk.smallest(), arguments);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    async fn explain(&mut self, sql: &Sql, parameters: usize) -> Result<(), DatabaseError> {
        let nulls = vec![Param::OptionalText(None); parameters];
        let query = unnamed(format!("EXPLAIN {sql}").into(), arguments(&nulls)?);
        query.execute(&mut self.connection).await?;
        Ok(())
    }

    async fn inventory(
        &mut self,
        schema: &str,
        tables: &[String],
    ) -> Result<Inventory, DatabaseError> {
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_namespace WHERE nspname = $1")
            .bind(schema)
            .persistent(false)
            .fetch_one(&mut self.connection)
            .await?;
        let objects: Vec<String> = sqlx::query_scalar(
            "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1",
        )
        .bind(schema)
        .persistent(false)
        .fetch_all(&mut self.connection)
        .await?;
        let columns: Vec<(String, String)> = sqlx::query_as(
            "SELECT c.relname::text, a.attname::text FROM pg_attribute a
             JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = ANY($2) AND c.relkind IN ('r', 'p')
               AND a.attnum > 0 AND NOT a.attisdropped",
        )
        .bind(schema)
        .bind(tables)
        .persistent(false)
        .fetch_all(&mut self.connection)
        .await?;
        let objects: HashSet<_> = objects.into_iter().collect();
        let mut found = Inventory { schema: there > 0, objects, ..Inventory::default() };
        for (table, column) in columns {
            found.columns.entry(table).or_default().insert(column);
        }
        Ok(found)
    }

    async fn describe(&mut self, table: &str) -> Result<Option<LiveTable>, DatabaseError> {
        describe::table(&mut self.connection, table).await
    }

    async fn parameter_types(&mut self, sql: &Sql) -> Result<Vec<String>, DatabaseError> {
        describe::parameter_types(&mut self.connection, sql).await
    }

    async fn configure_session(&mut self, _schema: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn close(self: Box<Self>) -> Result<(), DatabaseError> {
        Ok(self.connection.close().await?)
    }
}

/// A statement that the server forgets again: behind a pooler the next one may be run elsewhere. What
/// it would save, the plan, is not kept either.
fn unnamed(sql: Sql, arguments: PgArguments) -> Query<'static, Postgres, PgArguments> {
    sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false)
}

fn arguments(parameters: &[Param<'_>]) -> Result<PgArguments, sqlx::Error> {
    let mut arguments = PgArguments::default();
    for parameter in parameters {
        let added = match parameter {
            Param::Text(text) => arguments.add(*text),
            Param::Integer(integer) => arguments.add(*integer),
            Param::OptionalText(text) => arguments.add(*text),
            Param::Float(float) => arguments.add(*float),
            Param::Boolean(boolean) => arguments.add(*boolean),
            Param::Texts(texts) => arguments.add(*texts),
        };
        added.map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Binds one column of the rows as an array.
fn bind(
    arguments: &mut PgArguments,
    rows: &[Vec<Cell<'_>>],
    index: usize,
    kind: Kind,
) -> Result<(), BoxDynError> {
    let cells = rows.iter().map(|row| row[index]);
    match kind {
        Kind::Id | Kind::Text | Kind::Json | Kind::Decimal => {
            arguments.add(of(cells, |cell| match cell {
                Cell::Text(text) => Some(text),
                _ => None,
            }))
        }
        Kind::Integer => arguments.add(of(cells, |cell| match cell {
            Cell::Integer(integer) => Some(integer),
            _ => None,
        })),
        Kind::Boolean => arguments.add(of(cells, |cell| match cell {
            Cell::Boolean(boolean) => Some(boolean),
            _ => None,
        })),
        Kind::Time => arguments.add(of(cells, |cell| match cell {
            Cell::Time(time) => Some(Timestamp(time)),
            _ => None,
        })),
    }
}

fn of<'a, T>(
    cells: impl Iterator<Item = Cell<'a>>,
    read: impl Fn(Cell<'a>) -> Option<T>,
) -> Vec<Option<T>> {
    cells.map(read).collect()
}

fn values(row: &PgRow, kinds: &[Kind]) -> Result<Vec<Value>, sqlx::Error> {
    kinds.iter().enumerate().map(|(index, kind)| value(row, index, *kind)).collect()
}

fn value(row: &PgRow, index: usize, kind: Kind) -> Result<Value, sqlx::Error> {
    if row.try_get_raw(index)?.is_null() {
        return Ok(Value::Null);
    }
    Ok(match kind {
        Kind::Id | Kind::Text | Kind::Decimal => Value::Text(row.try_get(index)?),
        Kind::Integer => Value::Integer(row.try_get(index)?),
        Kind::Boolean => Value::Boolean(row.try_get(index)?),
        Kind::Json => Value::Json(row.try_get(index)?),
        Kind::Time => Value::Time(row.try_get::<Timestamp, _>(index)?.0),
    })
}
