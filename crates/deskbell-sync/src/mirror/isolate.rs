//! Finding the rows that the database refuses: by halves, each under a savepoint.

use super::apply;
use crate::batch::{DeadLetter, Row, reason_for_people};
use crate::session::{DatabaseError, Session, begin_unit, end_unit};
use crate::sql::TableStatements;

/// Writes what the database takes of these rows; what it refuses goes into `refused`.
pub(super) async fn write(
    session: &mut dyn Session,
    table: &TableStatements,
    rows: &[Row],
    refused: &mut Vec<DeadLetter>,
) -> Result<u64, DatabaseError> {
    let mut rows_written = 0;
    let mut left = vec![rows];
    while let Some(rows) = left.pop() {
        begin_unit(session).await?;
        let written = apply::write(session, table, rows).await;
        match end_unit(session, written).await? {
            Ok(written) => rows_written += written,
            Err(refusal) => match rows {
                [row] => refused.push(letter(table, row, &refusal.reason)),
                _ => {
                    let (first, second) = rows.split_at(rows.len() / 2);
                    left.extend([second, first]);
                }
            },
        }
    }
    Ok(rows_written)
}

fn letter(table: &TableStatements, row: &Row, reason: &str) -> DeadLetter {
    DeadLetter {
        source: row.event.source.to_string(),
        message_id: row.version.message_id.clone(),
        event_type: row.event.event_type.to_string(),
        part: String::new(),
        entity: table.entity.name,
        id: Some(row.id.clone()),
        version: row.version.clone(),
        reason: reason_for_people(reason),
    }
}
