//! Checkpoints: read, and moved by compare-and-set.

use deskbell_store::{FencingToken, Seq};

use crate::checkpoint::Checkpoint;
use crate::db::{DatabaseError, DbSession, Param, Sql};
use crate::mirror_target::{Commit, TargetError};
use crate::sql::{HELD, LEFT_AS_IS, Statements};
use crate::value::{Kind, Value};

const KINDS: [Kind; 6] =
    [Kind::Id, Kind::Integer, Kind::Id, Kind::Integer, Kind::Integer, Kind::Integer];

pub(super) async fn read(
    session: &mut dyn DbSession,
    select: &Sql,
    destination: &str,
) -> Result<Vec<Checkpoint>, TargetError> {
    let rows = session.fetch(select, &[Param::Text(destination)], &KINDS).await?;
    rows.into_iter().map(|row| checkpoint(row, destination)).collect()
}

fn checkpoint(row: Vec<Value>, destination: &str) -> Result<Checkpoint, TargetError> {
    let corrupt = || TargetError::Corrupt { what: "a checkpoint" };
    let row: [Value; 6] = row.try_into().map_err(|_| corrupt())?;
    let [
        Value::Text(log_id),
        Value::Integer(seq),
        Value::Text(message_id),
        Value::Integer(token),
        Value::Integer(mapping_revision),
        Value::Integer(statements),
    ] = row
    else {
        return Err(corrupt());
    };
    Ok(Checkpoint {
        log_id: log_id
            .parse()
            .map_err(|_| TargetError::Corrupt { what: "a checkpoint's log_id" })?,
        destination: destination.to_owned(),
        seq: Seq::new(seq),
        message_id,
        token: FencingToken::new(token),
        mapping_revision,
        statements: (statements >= 0).then(|| Seq::new(statements)),
    })
}

pub(super) async fn take_over(
    session: &mut dyn DbSession,
    statements: &Statements,
    current: Option<&Checkpoint>,
    next: &Checkpoint,
) -> Result<Commit, DatabaseError> {
    let commit = match current {
        Some(current) => set(session, statements, current, next, HELD).await?,
        None => insert(session, statements, next).await?,
    };
    if next.seq == Seq::ZERO && commit != Commit::Lost {
        let destination = [Param::Text(&next.destination)];
        session.execute(&statements.blocked.forget, &destination).await?;
    }
    Ok(commit)
}

/// Moves the checkpoint if `current` is the stored one. Statements that are held back are left to
/// the person who lets them go on.
pub(super) async fn swap(
    session: &mut dyn DbSession,
    statements: &Statements,
    current: &Checkpoint,
    next: &Checkpoint,
) -> Result<Commit, DatabaseError> {
    set(session, statements, current, next, LEFT_AS_IS).await
}

async fn set(
    session: &mut dyn DbSession,
    statements: &Statements,
    current: &Checkpoint,
    next: &Checkpoint,
    held: i64,
) -> Result<Commit, DatabaseError> {
    let parameters = [
        Param::Integer(next.seq.get()),
        Param::Text(&next.message_id),
        Param::Integer(next.token.get()),
        Param::Integer(next.mapping_revision),
        Param::Integer(next.statements.map_or(held, Seq::get)),
        Param::Text(&current.destination),
        Param::Text(&current.log_id.to_string()),
        Param::Integer(current.seq.get()),
        Param::Integer(current.token.get()),
        Param::Integer(current.mapping_revision),
    ];
    Ok(commit(session.execute(&statements.swap_checkpoint, &parameters).await?))
}

async fn insert(
    session: &mut dyn DbSession,
    statements: &Statements,
    next: &Checkpoint,
) -> Result<Commit, DatabaseError> {
    let parameters = [
        Param::Text(&next.destination),
        Param::Text(&next.log_id.to_string()),
        Param::Integer(next.seq.get()),
        Param::Text(&next.message_id),
        Param::Integer(next.token.get()),
        Param::Integer(next.mapping_revision),
        Param::Integer(next.statements.map_or(HELD, Seq::get)),
    ];
    Ok(commit(session.execute(&statements.insert_checkpoint, &parameters).await?))
}

fn commit(rows: u64) -> Commit {
    if rows == 0 {
        return Commit::Lost;
    }
    Commit::Done { rows_written: 0, refused: Vec::new(), blocked: Vec::new() }
}
