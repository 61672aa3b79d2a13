//! The PostgreSQL side: a store that nobody else can open until the transfer has ended.

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe};

use super::TransferError;
use super::table::{TABLES, Table};
use super::value::{Kind, Value, read};
use crate::postgres::PooledConnection;
use crate::{LogId, PostgresOptions, PostgresStore, Seq, Store};

pub(super) struct Target(PostgresStore);

impl Target {
    pub(super) async fn open(options: &PostgresOptions) -> Result<Self, TransferError> {
        Ok(Self(PostgresStore::open_to_fill(options).await?))
    }

    /// Marks the store as one that a transfer fills, or finds it so marked. The log takes the
    /// source's name.
    pub(super) async fn begin(&mut self, log_id: LogId) -> Result<(), TransferError> {
        let mut work = self.0.pools.transaction().await?;
        let outcome = begin(work.connection(), log_id).await;
        if work.finish(outcome).await? { Ok(()) } else { Err(TransferError::NotEmpty) }
    }

    /// Opens the store for everybody. Numbers go on where the source's end: after the last event, and the
    /// last number of each table.
    pub(super) async fn end(
        &mut self,
        head: Seq,
        last_numbers: &[(&'static str, i64)],
    ) -> Result<(), TransferError> {
        let mut work = self.0.pools.transaction().await?;
        let outcome = end(work.connection(), head, last_numbers).await;
        Ok(work.finish(outcome).await?)
    }

    /// The key of the last row that was copied, if any was.
    pub(super) async fn last_key(
        &mut self,
        table: &Table,
    ) -> Result<Option<Vec<Value>>, TransferError> {
        let key = Table::names(table.key(), |_, name, kind| column(name, kind));
        let order = Table::names(table.key(), |_, name, _| format!("{name} DESC"));
        let sql = format!("SELECT {key} FROM deskbell.{} ORDER BY {order} LIMIT 1", table.name);
        let rows = self.fetch(sql, PgArguments::default(), table.key()).await?;
        // A store that is new has this row already.
        Ok(rows.into_iter().next().filter(|_| !table.has_one_row()))
    }

    pub(super) async fn count(&mut self, table: &Table) -> Result<u64, TransferError> {
        let sql = AssertSqlSafe(format!("SELECT count(*) FROM deskbell.{}", table.name));
        let count: i64 =
            sqlx::query_scalar(sql).persistent(false).fetch_one(&*self.0.pools).await?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    pub(super) async fn write(
        &mut self,
        table: &Table,
        rows: &[Vec<Value>],
    ) -> Result<(), TransferError> {
        let mut arguments = PgArguments::default();
        for (index, (_, kind)) in table.columns.iter().enumerate() {
            bind(&mut arguments, *kind, rows.iter().map(|row| &row[index]))?;
        }
        let mut work = self.0.pools.transaction().await?;
        let query = sqlx::query_with(AssertSqlSafe(insert(table)), arguments).persistent(false);
        let outcome = query.execute(work.connection()).await.map(drop);
        Ok(work.finish(outcome).await?)
    }

    /// The next rows in the order of the key.
    pub(super) async fn page(
        &mut self,
        table: &Table,
        after: Option<&[Value]>,
        rows_max: u32,
    ) -> Result<Vec<Vec<Value>>, TransferError> {
        let columns = Table::names(table.columns, |_, name, kind| column(name, kind));
        let key = Table::names(table.key(), |_, name, _| name.to_owned());
        let mut arguments = PgArguments::default();
        let condition = match after {
            Some(after) => {
                for value in after {
                    let bound = match value {
                        Value::Integer(value) => arguments.add(*value),
                        Value::Text(value) => arguments.add(value.clone()),
                        Value::Bytes(value) => arguments.add(value.clone()),
                    };
                    bound.map_err(sqlx::Error::Encode)?;
                }
                let marks = Table::names(table.key(), |index, _, _| format!("${}", index + 1));
                format!("WHERE ({key}) > ({marks})")
            }
            None => String::new(),
        };
        let name = table.name;
        let sql = format!(
            "SELECT {columns} FROM deskbell.{name} {condition} ORDER BY {key} LIMIT {rows_max}"
        );
        self.fetch(sql, arguments, table.columns).await
    }

    async fn fetch(
        &self,
        sql: String,
        arguments: PgArguments,
        columns: &[(&str, Kind)],
    ) -> Result<Vec<Vec<Value>>, TransferError> {
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments).persistent(false);
        let rows = query.fetch_all(&*self.0.pools).await?;
        Ok(rows.iter().map(|row| read(columns, row)).collect::<Result<_, _>>()?)
    }

    pub(super) async fn close(self) {
        self.0.close().await;
    }
}

/// Whether the store is empty, or was being filled from the same log.
async fn begin(connection: &mut PooledConnection, log_id: LogId) -> Result<bool, sqlx::Error> {
    sqlx::raw_sql("LOCK TABLE deskbell.log IN EXCLUSIVE MODE").execute(&mut *connection).await?;
    let log_id = log_id.to_string();
    let begun: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM deskbell.transfers WHERE log_id = $1)")
            .bind(&log_id)
            .persistent(false)
            .fetch_one(&mut *connection)
            .await?;
    if begun {
        return Ok(true);
    }
    let used: bool = sqlx::query_scalar(
        "SELECT deskbell.head_v1() > 0
             OR EXISTS (SELECT FROM deskbell.destinations)
             OR EXISTS (SELECT FROM deskbell.consumers)
             OR EXISTS (SELECT FROM deskbell.endpoints)
             OR EXISTS (SELECT FROM deskbell.audit_log)
             OR EXISTS (SELECT FROM deskbell.transfers)",
    )
    .persistent(false)
    .fetch_one(&mut *connection)
    .await?;
    if used {
        return Ok(false);
    }
    for sql in [
        "UPDATE deskbell.log SET log_id = $1",
        "INSERT INTO deskbell.transfers (log_id) VALUES ($1)",
    ] {
        sqlx::query(sql).bind(&log_id).persistent(false).execute(&mut *connection).await?;
    }
    Ok(true)
}

async fn end(
    connection: &mut PooledConnection,
    head: Seq,
    last_numbers: &[(&'static str, i64)],
) -> Result<(), sqlx::Error> {
    for table in TABLES.iter().filter(|table| table.is_numbered()) {
        let (name, column) = (table.name, table.columns[0].0);
        let last =
            last_numbers.iter().find(|(known, _)| *known == name).map_or(0, |(_, last)| *last);
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('deskbell.{name}', '{column}'), last)
             FROM (SELECT greatest({last}, max({column})) AS last FROM deskbell.{name}) AS given
             WHERE last > 0"
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await?;
    }
    sqlx::query("UPDATE deskbell.log SET pruned_seq = $1")
        .bind(head.get())
        .persistent(false)
        .execute(&mut *connection)
        .await?;
    sqlx::raw_sql("DELETE FROM deskbell.transfers").execute(connection).await?;
    Ok(())
}

/// A column as it is read: what SQLite has no type for as the type that it has.
fn column(name: &str, kind: Kind) -> String {
    match kind {
        Kind::Integer => format!("{name}::bigint AS {name}"),
        Kind::Boolean => format!("{name}::integer::bigint AS {name}"),
        Kind::Json => format!("{name}::text AS {name}"),
        Kind::Text | Kind::Bytes => name.to_owned(),
    }
}

/// The row of a table that has one takes the source's place; what was copied before is left as it
/// is.
fn insert(table: &Table) -> String {
    if table.has_one_row() {
        let set = Table::names(table.columns, |index, name, _| {
            format!("{name} = (${}::bigint[])[1]", index + 1)
        });
        return format!("UPDATE deskbell.{} SET {set}", table.name);
    }
    let names = Table::names(table.columns, |_, name, _| name.to_owned());
    let arrays = Table::names(table.columns, |index, _, kind| {
        let kind = match kind {
            Kind::Integer => "bigint",
            Kind::Boolean => "boolean",
            Kind::Text | Kind::Json => "text",
            Kind::Bytes => "bytea",
        };
        format!("${}::{kind}[]", index + 1)
    });
    let values = Table::names(table.columns, |_, name, kind| match kind {
        Kind::Json => format!("{name}::jsonb"),
        _ => name.to_owned(),
    });
    let overriding = if table.is_numbered() { "OVERRIDING SYSTEM VALUE" } else { "" };
    format!(
        "INSERT INTO deskbell.{} ({names}) {overriding}
         SELECT {values} FROM UNNEST({arrays}) AS given ({names})
         ON CONFLICT DO NOTHING",
        table.name
    )
}

fn bind<'a>(
    arguments: &mut PgArguments,
    kind: Kind,
    values: impl Iterator<Item = &'a Value>,
) -> Result<(), TransferError> {
    let bound =
        match kind {
            Kind::Integer => arguments.add(values.map(Value::integer).collect::<Vec<_>>()),
            Kind::Boolean => {
                let truths = values.map(|value| value.integer().map(|integer| integer != 0));
                arguments.add(truths.collect::<Vec<_>>())
            }
            Kind::Text | Kind::Json => arguments
                .add(values.map(|value| value.text().map(str::to_owned)).collect::<Vec<_>>()),
            Kind::Bytes => arguments
                .add(values.map(|value| value.bytes().map(<[u8]>::to_vec)).collect::<Vec<_>>()),
        };
    Ok(bound.map_err(sqlx::Error::Encode)?)
}
