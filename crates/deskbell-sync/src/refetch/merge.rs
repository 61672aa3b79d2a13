//! Objects that were read, along with the events that they were read for.

use std::sync::Arc;

use crate::batch::{Batch, DeadLetter, EventRef, MappedRow, Row};
use crate::mapping::MappedTable;

/// Adds objects that were read to the events that they were read for. Of two versions of an entity the
/// greater one stays. The batch is of these mapped tables.
pub(crate) fn merge(batch: &mut Batch, fetched: Batch, tables: &[Arc<MappedTable>]) {
    for table in fetched.tables {
        match batch.tables.iter_mut().find(|known| known.entity == table.entity) {
            Some(known) => merge_into(&mut known.rows, table.rows, |row| &row.id, merge_row),
            None => batch.tables.push(table),
        }
    }
    for (index, changes) in fetched.mapped.into_iter().enumerate() {
        let Some(table) = tables.get(index) else { continue };
        let rows = changes.rows.into_iter();
        let rows =
            rows.map(|row| of_its_dead_letter(row, table, &mut batch.dead_letters)).collect();
        if let Some(known) = batch.mapped.get_mut(index) {
            merge_into(&mut known.rows, rows, |row| &row.id, merge_mapped);
        }
    }
    let letters = fetched.dead_letters.into_iter();
    let letters: Vec<_> = letters.filter(|letter| !has_event_of(batch, tables, letter)).collect();
    batch.dead_letters.extend(letters);
    batch.dead_letters.sort_unstable();
    batch.dead_letters.dedup();
}

/// Both are in the order of their ids, and stay so.
fn merge_into<T>(
    known: &mut Vec<T>,
    fetched: Vec<T>,
    id: fn(&T) -> &str,
    merge: fn(known: &mut T, fetched: T),
) {
    for one in fetched {
        match known.binary_search_by(|other| id(other).cmp(id(&one))) {
            Ok(index) => merge(&mut known[index], one),
            Err(index) => known.insert(index, one),
        }
    }
}

fn merge_row(event: &mut Row, mut fetched: Row) {
    if fetched.version <= event.version {
        return;
    }
    for &position in &fetched.absent {
        if let (Some(value), Some(known)) =
            (fetched.values.get_mut(position), event.values.get_mut(position))
        {
            std::mem::swap(value, known);
        }
    }
    fetched.event = event.event.clone();
    fetched.caused_by = Some(Box::new(event.version.clone()));
    *event = fetched;
}

fn merge_mapped(event: &mut MappedRow, fetched: MappedRow) {
    if fetched.version > event.version {
        let caused_by = Some(event.version.message_id.clone());
        *event = MappedRow { caused_by, event: event.event.clone(), ..fetched };
    }
}

/// The row as that of its event, where the event's own data cannot be mapped. That is no dead letter if
/// the row is newer.
fn of_its_dead_letter(
    row: MappedRow,
    table: &MappedTable,
    dead_letters: &mut Vec<DeadLetter>,
) -> MappedRow {
    let is_of_row = |letter: &DeadLetter| {
        letter.part == table.name && letter.id.as_ref().is_some_and(|id| *id == row.id)
    };
    let Some(index) = dead_letters.iter().position(is_of_row) else { return row };
    let letter = &dead_letters[index];
    let caused_by = Some(letter.message_id.clone());
    let event_type = letter.event_type.as_str().into();
    let event = EventRef { event_type, source: Arc::clone(&row.event.source) };
    if row.version > letter.version {
        dead_letters.remove(index);
    }
    MappedRow { caused_by, event, ..row }
}

/// Whether the event of this object has a row or a dead letter of its own in the same mapped table: that
/// the object cannot be mapped is nothing to be tried again then.
fn has_event_of(batch: &Batch, tables: &[Arc<MappedTable>], letter: &DeadLetter) -> bool {
    let (part, Some(id)) = (&letter.part, &letter.id) else { return false };
    let mut changes = tables.iter().zip(&batch.mapped);
    let has_row = changes.find(|(table, _)| table.name == *part).is_some_and(|(_, changes)| {
        changes.rows.binary_search_by(|row| row.id.as_str().cmp(id)).is_ok()
    });
    let is_of_it = |known: &DeadLetter| known.part == *part && known.id == letter.id;
    has_row || !part.is_empty() && batch.dead_letters.iter().any(is_of_it)
}
