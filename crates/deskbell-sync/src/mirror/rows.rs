//! Writing rows of the mirror.

use std::borrow::Borrow;

use clerk_webhooks::UnixMillis;

use crate::batch::{ChildRow, Row, Tombstone};
use crate::db::{Cell, DatabaseError, DbSession, Param};
use crate::sql::TableStatements;
use crate::value::Value;

pub(super) fn tombstone(gone: &Tombstone) -> Vec<Cell<'_>> {
    vec![
        Cell::Text(gone.entity),
        Cell::Text(&gone.id),
        Cell::Time(representable(gone.occurred_at_ms)),
        Cell::Text(&gone.message_id),
    ]
}

/// Times that ISO-8601 cannot write are clamped to its limits.
fn representable(millis: i64) -> UnixMillis {
    let within = millis.clamp(UnixMillis::MIN.as_millis(), UnixMillis::MAX.as_millis());
    UnixMillis::from_millis(within).unwrap_or(UnixMillis::MIN)
}

/// Writes rows of one entity with their elements.
pub(super) async fn write(
    session: &mut dyn DbSession,
    table: &TableStatements,
    rows: &[impl Borrow<Row>],
) -> Result<u64, DatabaseError> {
    let rows: Vec<&Row> = rows.iter().map(Borrow::borrow).collect();
    if rows.is_empty() {
        return Ok(0);
    }
    let given: Vec<_> = rows.iter().map(|row| cells(&[], &row.values, &row.raw, row)).collect();
    let rows_written = session.bulk(&table.upsert, &given).await?;
    if table.elements.is_empty() {
        return Ok(rows_written);
    }
    let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
    for (index, list) in table.elements.iter().enumerate() {
        session.execute(&list.prune, &[Param::Texts(&ids)]).await?;
        let elements = rows.iter().flat_map(|row| {
            let of_row = row.children.get(index).into_iter().flatten();
            of_row.map(move |child| element(row, child))
        });
        session.bulk(&list.insert, &elements.collect::<Vec<_>>()).await?;
    }
    Ok(rows_written)
}

fn element<'a>(row: &'a Row, child: &'a ChildRow) -> Vec<Cell<'a>> {
    cells(&[Cell::Text(&row.id)], &child.values, &child.raw, row)
}

fn cells<'a>(
    first: &[Cell<'a>],
    values: &'a [Value],
    raw: &'a str,
    Row { version, .. }: &'a Row,
) -> Vec<Cell<'a>> {
    let mut cells = Vec::with_capacity(first.len() + values.len() + 5);
    cells.extend_from_slice(first);
    cells.extend(values.iter().map(Cell::from));
    cells.extend([
        Cell::Text(raw),
        Cell::Integer(version.updated_at_ms),
        Cell::Integer(version.occurred_at_ms),
        Cell::Integer(version.rank.stored()),
        Cell::Text(&version.message_id),
    ]);
    cells
}
