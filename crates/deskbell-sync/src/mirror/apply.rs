//! What a batch does to the tables: what is gone first, then what is new, then what follows.

use clerk_webhooks::UnixMillis;
use deskbell_store::Seq;

use super::{Application, isolate};
use crate::batch::{Batch, ChildRow, DeadLetter, Row, TableRows, Tombstone};
use crate::mapped::{Applied, Before, Patience, run_statements};
use crate::session::{Cell, DatabaseError, Param, Session, Sql};
use crate::sql::{Statements, TableStatements};
use crate::target::{Care, Commit};
use crate::value::Value;

/// What a batch is applied with.
pub(super) struct Work<'a> {
    pub(super) statements: &'a Statements,
    pub(super) application: &'a Application,
    pub(super) patience: Patience,
    pub(super) destination: &'a str,
    /// The last event that the application's statements have run for; `None` holds them back.
    pub(super) ran_up_to: Option<Seq>,
    pub(super) care: Care,
}

impl Work<'_> {
    /// Applies the batch in the transaction that is open.
    pub(super) async fn apply(
        &self,
        session: &mut dyn Session,
        batch: &Batch,
    ) -> Result<Commit, DatabaseError> {
        let statements = &self.application.statements;
        let before = Before::load(session, statements, &batch.statements).await?;
        bury(session, self.statements, &batch.tombstones).await?;
        let mut refused = Vec::new();
        let mut rows_written = self.write(session, batch, &mut refused).await?;
        let applied = self.write_mapped(session, batch).await?;
        rows_written += applied.rows_written;
        refused.extend(applied.dead_letters);
        if let Some(ran_up_to) = self.ran_up_to {
            let work = &batch.statements;
            let letters =
                run_statements(session, statements, work, before, ran_up_to, self.care).await?;
            refused.extend(letters);
        }
        self.give_up(session, &batch.dead_letters).await?;
        self.give_up(session, &refused).await?;
        for table in &self.statements.tables {
            let ids = ids_in(batch, table.entity.name);
            execute_all(session, &table.settle, &ids).await?;
        }
        Ok(Commit::Done { rows_written, refused })
    }

    async fn write(
        &self,
        session: &mut dyn Session,
        batch: &Batch,
        refused: &mut Vec<DeadLetter>,
    ) -> Result<u64, DatabaseError> {
        let mut rows_written = 0;
        for TableRows { entity, rows } in &batch.tables {
            let mut tables = self.statements.tables.iter();
            let table = tables.find(|table| table.entity.name == entity.name);
            let Some(table) = table else { continue };
            rows_written += match self.care {
                Care::Whole => write(session, table, rows).await?,
                Care::Isolate => isolate::write(session, table, rows, refused).await?,
            };
        }
        Ok(rows_written)
    }

    async fn write_mapped(
        &self,
        session: &mut dyn Session,
        batch: &Batch,
    ) -> Result<Applied, DatabaseError> {
        let mut all = Applied::default();
        for (index, table) in self.application.tables.iter().enumerate() {
            let applied = table.apply(session, batch, index, self.patience).await?;
            self.resolve(session, &applied).await?;
            all.rows_written += applied.rows_written;
            all.dead_letters.extend(applied.dead_letters);
            all.dead_letters.extend(applied.refused_removals);
        }
        Ok(all)
    }

    /// Takes the dead letters away of what is well now.
    pub(super) async fn resolve(
        &self,
        session: &mut dyn Session,
        applied: &Applied,
    ) -> Result<(), DatabaseError> {
        for (part, entity, ids) in &applied.resolved {
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            if !ids.is_empty() {
                let [part, entity, destination] =
                    [part, *entity, self.destination].map(Param::Text);
                let parameters = [Param::Texts(&ids), part, entity, destination];
                session.execute(&self.statements.resolve_part, &parameters).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn give_up(
        &self,
        session: &mut dyn Session,
        dead_letters: &[DeadLetter],
    ) -> Result<(), DatabaseError> {
        let rows: Vec<_> =
            dead_letters.iter().map(|letter| dead_letter(self.destination, letter)).collect();
        session.bulk(&self.statements.dead_letter, &rows).await.map(drop)
    }
}

async fn bury(
    session: &mut dyn Session,
    statements: &Statements,
    tombstones: &[Tombstone],
) -> Result<(), DatabaseError> {
    let rows: Vec<_> = tombstones.iter().map(tombstone).collect();
    session.bulk(&statements.bury, &rows).await?;
    for table in &statements.tables {
        let gone = ids_of(tombstones, table.entity.name);
        execute_all(session, &table.delete, &gone).await?;
        for (parent, children) in &table.parent_gone {
            execute_all(session, children, &ids_of(tombstones, parent)).await?;
        }
    }
    Ok(())
}

fn tombstone(gone: &Tombstone) -> Vec<Cell<'_>> {
    vec![
        Cell::Text(gone.entity),
        Cell::Text(&gone.id),
        Cell::Time(representable(gone.occurred_at_ms)),
        Cell::Text(&gone.message_id),
    ]
}

/// Moments that ISO-8601 cannot write stand at its limits.
fn representable(millis: i64) -> UnixMillis {
    let within = millis.clamp(UnixMillis::MIN.as_millis(), UnixMillis::MAX.as_millis());
    UnixMillis::from_millis(within).unwrap_or(UnixMillis::MIN)
}

fn dead_letter<'a>(destination: &'a str, letter: &'a DeadLetter) -> Vec<Cell<'a>> {
    vec![
        Cell::Text(destination),
        Cell::Text(&letter.source),
        Cell::Text(&letter.message_id),
        Cell::Text(&letter.event_type),
        Cell::Text(&letter.part),
        Cell::Text(letter.entity),
        Cell::Text(letter.id.as_deref().unwrap_or_default()),
        Cell::Text(&letter.reason),
        Cell::Integer(letter.version.updated_at_ms),
        Cell::Integer(letter.version.occurred_at_ms),
    ]
}

/// Writes rows of one entity with their elements.
pub(super) async fn write(
    session: &mut dyn Session,
    table: &TableStatements,
    rows: &[Row],
) -> Result<u64, DatabaseError> {
    let given: Vec<_> = rows.iter().map(row).collect();
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

fn row(row: &Row) -> Vec<Cell<'_>> {
    cells(&[], &row.values, &row.raw, row)
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
    let mut cells = Vec::with_capacity(first.len() + values.len() + 4);
    cells.extend_from_slice(first);
    cells.extend(values.iter().map(Cell::from));
    cells.extend([
        Cell::Text(raw),
        Cell::Integer(version.updated_at_ms),
        Cell::Integer(version.occurred_at_ms),
        Cell::Text(&version.message_id),
    ]);
    cells
}

fn ids_of<'a>(tombstones: &'a [Tombstone], entity: &str) -> Vec<&'a str> {
    let of_entity = tombstones.iter().filter(|gone| gone.entity == entity);
    of_entity.map(|gone| gone.id.as_str()).collect()
}

/// The ids of this entity that the batch says anything about.
fn ids_in<'a>(batch: &'a Batch, entity: &str) -> Vec<&'a str> {
    let tables = batch.tables.iter().filter(|table| table.entity.name == entity);
    let rows = tables.flat_map(|table| &table.rows).map(|row| &*row.id);
    let letters = batch.dead_letters.iter().filter(|letter| letter.entity == entity);
    let letters = letters.filter_map(|letter| letter.id.as_deref());
    rows.chain(ids_of(&batch.tombstones, entity)).chain(letters).collect()
}

/// Runs the statements with these ids, if there are any.
async fn execute_all(
    session: &mut dyn Session,
    statements: &[Sql],
    ids: &[&str],
) -> Result<(), DatabaseError> {
    if ids.is_empty() {
        return Ok(());
    }
    for statement in statements {
        session.execute(statement, &[Param::Texts(ids)]).await?;
    }
    Ok(())
}
