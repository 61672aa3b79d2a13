//! One batch, one transaction: the checkpoint first, then what is gone, then what is new.

use std::sync::Arc;

use clerk_webhooks::UnixMillis;
use serde::Serialize;
use sqlx::error::BoxDynError;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, AssertSqlSafe, Connection, SqliteConnection};

use super::checkpoints;
use super::statements::{Sql, Statements, TableStatements};
use crate::batch::{Batch, DeadLetter, Row, TableRows, Tombstone};
use crate::checkpoint::Checkpoint;
use crate::target::Commit;
use crate::value::Value;

pub(super) async fn apply(
    connection: &mut SqliteConnection,
    statements: &Statements,
    batch: Batch,
    current: &Checkpoint,
    next: &Checkpoint,
) -> Result<Commit, sqlx::Error> {
    // IMMEDIATE: the lock is taken, or waited for, before anything has been read.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    if checkpoints::swap(&mut transaction, statements, current, next).await? == Commit::Lost {
        transaction.rollback().await?;
        return Ok(Commit::Lost);
    }
    bury(&mut transaction, statements, &batch.tombstones).await?;
    give_up(&mut transaction, statements, &batch.dead_letters).await?;
    let touched: Vec<_> =
        statements.tables.iter().map(|table| (table, ids_in(&batch, table.entity.name))).collect();
    let mut rows_written = 0;
    for TableRows { entity, rows } in batch.tables {
        let table = statements.tables.iter().find(|table| table.entity.name == entity.name);
        if let Some(table) = table {
            rows_written += upsert(&mut transaction, table, rows).await?;
        }
    }
    for (table, ids) in touched {
        if let Some(ids) = ids {
            execute_all(&mut transaction, &table.settle, &ids).await?;
        }
    }
    transaction.commit().await?;
    Ok(Commit::Done { rows_written })
}

async fn bury(
    connection: &mut SqliteConnection,
    statements: &Statements,
    tombstones: &[Tombstone],
) -> Result<(), sqlx::Error> {
    if tombstones.is_empty() {
        return Ok(());
    }
    let rows = tombstones
        .iter()
        .map(|gone| (gone.entity, &gone.id, iso_8601(gone.occurred_at_ms), &gone.message_id));
    execute(connection, &statements.bury, &json_array(rows)).await?;
    let gone = |entity: &str| {
        let of_entity = tombstones.iter().filter(|gone| gone.entity == entity);
        ids(of_entity.map(|gone| gone.id.as_str()))
    };
    for table in &statements.tables {
        if let Some(ids) = gone(table.entity.name) {
            execute_all(connection, &table.delete, &ids).await?;
        }
        for (parent, suppress) in &table.parent_gone {
            if let Some(ids) = gone(parent) {
                execute_all(connection, suppress, &ids).await?;
            }
        }
    }
    Ok(())
}

async fn give_up(
    connection: &mut SqliteConnection,
    statements: &Statements,
    dead_letters: &[DeadLetter],
) -> Result<(), sqlx::Error> {
    if dead_letters.is_empty() {
        return Ok(());
    }
    let rows = dead_letters.iter().map(|letter| {
        (
            &letter.source,
            &letter.message_id,
            &letter.event_type,
            letter.entity,
            &letter.id,
            &letter.reason,
            letter.version.updated_at_ms,
            letter.version.occurred_at_ms,
        )
    });
    execute(connection, &statements.dead_letter, &json_array(rows)).await
}

async fn upsert(
    connection: &mut SqliteConnection,
    table: &TableStatements,
    rows: Vec<Row>,
) -> Result<u64, sqlx::Error> {
    let mut rows_written = 0;
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    while let Some((chunk, sql)) = table.upsert(left) {
        left -= chunk;
        let mut arguments = SqliteArguments::default();
        for row in rows.by_ref().take(chunk) {
            bind(&mut arguments, row).map_err(sqlx::Error::Encode)?;
        }
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        rows_written += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(rows_written)
}

fn bind(arguments: &mut SqliteArguments, row: Row) -> Result<(), BoxDynError> {
    arguments.reserve(row.values.len() + 4, 0);
    for value in row.values {
        match value {
            Value::Null => arguments.add(None::<i64>)?,
            Value::Text(text) | Value::Json(text) => arguments.add(text)?,
            Value::Integer(integer) => arguments.add(integer)?,
            Value::Boolean(boolean) => arguments.add(boolean)?,
            Value::Time(time) => arguments.add(time.to_string())?,
        }
    }
    arguments.add(row.raw)?;
    arguments.add(row.version.updated_at_ms)?;
    arguments.add(row.version.occurred_at_ms)?;
    arguments.add(row.version.message_id)
}

/// The ids of this entity that the batch says anything about.
fn ids_in(batch: &Batch, entity: &str) -> Option<String> {
    let tables = batch.tables.iter().filter(|table| table.entity.name == entity);
    let rows = tables.flat_map(|table| &table.rows).map(|row| &*row.id);
    let gone = batch.tombstones.iter().filter(|gone| gone.entity == entity).map(|gone| &*gone.id);
    let letters = batch.dead_letters.iter().filter(|letter| letter.entity == entity);
    ids(rows.chain(gone).chain(letters.filter_map(|letter| letter.id.as_deref())))
}

/// The ids as one parameter; `None` where there are none.
fn ids<'a>(ids: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut ids = ids.peekable();
    ids.peek()?;
    Some(json_array(ids))
}

fn json_array(items: impl Iterator<Item: Serialize>) -> String {
    let items: Vec<_> = items.collect();
    serde_json::to_string(&items).unwrap_or_else(|_| unreachable!("texts and numbers are JSON"))
}

/// Moments that ISO-8601 cannot write stand at its limits.
fn iso_8601(millis: i64) -> String {
    let within = millis.clamp(UnixMillis::MIN.as_millis(), UnixMillis::MAX.as_millis());
    UnixMillis::from_millis(within).unwrap_or(UnixMillis::MIN).to_string()
}

async fn execute_all(
    connection: &mut SqliteConnection,
    statements: &[Sql],
    parameter: &str,
) -> Result<(), sqlx::Error> {
    for statement in statements {
        execute(&mut *connection, statement, parameter).await?;
    }
    Ok(())
}

async fn execute(
    connection: &mut SqliteConnection,
    statement: &Sql,
    parameter: &str,
) -> Result<(), sqlx::Error> {
    let query = sqlx::query(AssertSqlSafe(Arc::clone(statement)));
    query.bind(parameter).execute(connection).await?;
    Ok(())
}
