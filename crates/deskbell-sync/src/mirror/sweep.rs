//! Taking away what was deleted while its entity was not mirrored here.

use std::collections::HashSet;

use super::bisect::{Origin, Piece, Subject, apply_piece};
use super::refused::{self, EarlierTries};
use crate::db::{DatabaseError, DbSession, Param};
use crate::mapped::ConflictTimeout;
use crate::sql::{Statements, TableStatements};
use crate::value::{Kind, Value};
use crate::version::{Rank, Version};

/// Takes it away, or nothing of it.
pub(super) async fn whole(
    session: &mut dyn DbSession,
    statements: &Statements,
) -> Result<(), DatabaseError> {
    for sql in statements.tables.iter().flat_map(|table| &table.sweep) {
        session.execute(sql, &[]).await?;
    }
    Ok(())
}

/// For each table the rows that are to go, or that have elements which are. Those are left out that
/// are known to be refused: they are tried anyway.
pub(super) async fn rows_gone(
    session: &mut dyn DbSession,
    statements: &Statements,
) -> Result<Vec<Vec<Subject>>, DatabaseError> {
    let mut of_tables = Vec::new();
    for table in &statements.tables {
        let rows = session.fetch(&table.rows_gone, &[], &[Kind::Id; 2]).await?;
        of_tables.push(rows.into_iter().filter_map(|row| subject(table, row)).collect());
    }
    Ok(of_tables)
}

fn subject(table: &TableStatements, row: Vec<Value>) -> Option<Subject> {
    let [Value::Text(id), Value::Text(message_id)] = <[Value; 2]>::try_from(row).ok()? else {
        return None;
    };
    let event_type = table.entity.deleted_by.first().copied().unwrap_or_default();
    // A tombstone tells no more of its event.
    let origin = Origin {
        source: String::new(),
        message_id: message_id.clone(),
        event_type: event_type.to_owned(),
        version: Version { updated_at_ms: 0, occurred_at_ms: 0, rank: Rank::Deleted, message_id },
    };
    Some(Subject { id, origin })
}

/// Takes away what the database lets go, row by row where it refuses one. Those that it refuses are
/// deletes that are tried without end.
pub(super) async fn isolated(
    session: &mut dyn DbSession,
    statements: &Statements,
    destination: &str,
    rows_gone: &[Vec<Subject>],
    timeout: ConflictTimeout,
) -> Result<(), DatabaseError> {
    let mut refused = Vec::new();
    for (table, gone) in statements.tables.iter().zip(rows_gone) {
        let deleted = tombstoned(session, statements, table, gone).await?;
        let deletes = Piece::Subjects { table, sql: &table.delete, subjects: &deleted };
        let stuck = apply_piece(session, deletes).await?;
        let is_stuck = |subject: &&Subject| {
            stuck.iter().any(|refused| refused.dead_letter.id.as_ref() == Some(&subject.id))
        };
        let settled: Vec<_> = gone.iter().filter(|one| !is_stuck(one)).cloned().collect();
        let settles = Piece::Subjects { table, sql: &table.settle, subjects: &settled };
        refused.extend(apply_piece(session, settles).await?);
        refused.extend(stuck);
    }
    let earlier = EarlierTries::default();
    refused::keep(session, statements, destination, refused, &earlier, timeout).await.map(drop)
}

/// Of these, the ones that have a tombstone of their own.
async fn tombstoned(
    session: &mut dyn DbSession,
    statements: &Statements,
    table: &TableStatements,
    gone: &[Subject],
) -> Result<Vec<Subject>, DatabaseError> {
    let ids: Vec<_> = gone.iter().map(|subject| &*subject.id).collect();
    let parameters = [Param::Texts(&ids), Param::Text(table.entity.name)];
    let found = session.fetch(&statements.gone, &parameters, &[Kind::Id]).await?;
    let found = found.into_iter().flatten().filter_map(Value::into_text);
    let found: HashSet<_> = found.collect();
    Ok(gone.iter().filter(|subject| found.contains(&subject.id)).cloned().collect())
}
