//! Checkpoints: read, and moved by compare-and-set.

use deskbell_store::{FencingToken, Seq};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

use super::statements::{Sql, Statements};
use crate::checkpoint::Checkpoint;
use crate::target::{Commit, TargetError};

pub(super) async fn read(
    connection: &mut SqliteConnection,
    select: &Sql,
    destination: &str,
) -> Result<Vec<Checkpoint>, TargetError> {
    let rows = sqlx::query(AssertSqlSafe(Sql::clone(select)))
        .bind(destination)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| checkpoint(row, destination)).collect()
}

fn checkpoint(row: &SqliteRow, destination: &str) -> Result<Checkpoint, TargetError> {
    let log_id: &str = row.try_get(0)?;
    Ok(Checkpoint {
        log_id: log_id
            .parse()
            .map_err(|_| TargetError::Corrupt { what: "a checkpoint's log_id" })?,
        destination: destination.to_owned(),
        seq: Seq::new(row.try_get(1)?),
        message_id: row.try_get(2)?,
        token: FencingToken::new(row.try_get(3)?),
        mapping_revision: row.try_get(4)?,
    })
}

pub(super) async fn take_over(
    connection: &mut SqliteConnection,
    statements: &Statements,
    current: Option<&Checkpoint>,
    next: &Checkpoint,
) -> Result<Commit, sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let commit = match current {
        Some(current) => swap(&mut transaction, statements, current, next).await?,
        None => insert(&mut transaction, statements, next).await?,
    };
    // From the beginning: other entities may be mirrored now, and the log need not have the
    // deletes of the time when they were not.
    if next.seq == Seq::ZERO && commit != Commit::Lost {
        for sql in statements.tables.iter().flat_map(|table| &table.sweep) {
            sqlx::query(AssertSqlSafe(Sql::clone(sql))).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(commit)
}

/// Moves the checkpoint if `current` is what stands there.
pub(super) async fn swap(
    connection: &mut SqliteConnection,
    statements: &Statements,
    current: &Checkpoint,
    next: &Checkpoint,
) -> Result<Commit, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(statements.swap_checkpoint.clone()))
        .bind(next.seq.get())
        .bind(&next.message_id)
        .bind(next.token.get())
        .bind(next.mapping_revision)
        .bind(&current.destination)
        .bind(current.log_id.to_string())
        .bind(current.seq.get())
        .bind(current.token.get())
        .execute(connection)
        .await?;
    Ok(commit(done.rows_affected()))
}

async fn insert(
    connection: &mut SqliteConnection,
    statements: &Statements,
    next: &Checkpoint,
) -> Result<Commit, sqlx::Error> {
    let done = sqlx::query(AssertSqlSafe(statements.insert_checkpoint.clone()))
        .bind(&next.destination)
        .bind(next.log_id.to_string())
        .bind(next.seq.get())
        .bind(&next.message_id)
        .bind(next.token.get())
        .bind(next.mapping_revision)
        .execute(connection)
        .await?;
    Ok(commit(done.rows_affected()))
}

fn commit(rows: u64) -> Commit {
    if rows == 0 { Commit::Lost } else { Commit::Done { rows_written: 0 } }
}
