//! A batch of which the database refuses something: what is at fault is isolated, and the rest is
//! applied.

use super::apply::{BatchWriter, rows_of};
use super::bisect::{Isolated, Piece, Subject, bisect, once_more, subjects};
use super::refused::Refused;
use super::streak::Streak;
use crate::batch::{Batch, DeadLetter, Tombstone};
use crate::db::{DatabaseError, DbSession, Param, Refusal, end_unit};
use crate::mapped::{Applied, BoundTable};
use crate::mirror_target::{Part, PartKind};
use crate::sql::TableStatements;
use crate::value::{Kind, Value};

impl BatchWriter<'_> {
    fn new_streak(&self) -> Streak {
        if self.retries { Streak::endless() } else { Streak::default() }
    }

    fn streak_of(&mut self, part: &Part) -> Streak {
        let known = if self.retries { None } else { self.streaks.remove(part) };
        known.unwrap_or_else(|| self.new_streak())
    }

    fn goes_on(&mut self, part: Part, streak: Streak) {
        if !self.retries {
            self.streaks.insert(part, streak);
        }
    }

    /// Blocks each part that does not fit the database as it is.
    pub(super) async fn block_what_does_not_fit(
        &mut self,
        session: &mut dyn DbSession,
    ) -> Result<(), DatabaseError> {
        let application = self.application;
        for unfit in &application.unfit {
            let Part { kind, name } = &unfit.part;
            if self.takes(*kind, name) {
                self.block(session, *kind, name, &unfit.refusal()).await?;
            }
        }
        Ok(())
    }

    /// Blocks each part that the database refuses with no rows at all: a right is missing, a table or
    /// a column is gone.
    pub(super) async fn block_what_is_refused_whole(
        &mut self,
        session: &mut dyn DbSession,
        batch: &Batch,
    ) -> Result<(), DatabaseError> {
        let (statements, application) = (self.statements, self.application);
        for table in &statements.tables {
            let name = table.entity.table;
            if self.takes(PartKind::Mirror, name) && concerns(batch, table) {
                let done = self.probe_table(session, table).await?;
                self.block_if_refused(session, PartKind::Mirror, name, done).await?;
            }
        }
        for (index, target) in application.tables() {
            if self.takes(PartKind::Mapped, target.name()) && target.concerns(batch, index) {
                session.begin_unit().await?;
                let done = target.probe(session).await;
                let done = end_unit(session, done).await?;
                self.block_if_refused(session, PartKind::Mapped, target.name(), done).await?;
            }
        }
        for (index, target) in application.statements() {
            let runs = batch.statements.runs.iter().any(|run| run.statement == index);
            if runs && self.takes(PartKind::Statement, target.name()) {
                session.begin_unit().await?;
                let done = target.probe(session).await;
                let done = end_unit(session, done).await?;
                self.block_if_refused(session, PartKind::Statement, target.name(), done).await?;
            }
        }
        Ok(())
    }

    async fn block_if_refused(
        &mut self,
        session: &mut dyn DbSession,
        kind: PartKind,
        name: &str,
        done: Result<(), Refusal>,
    ) -> Result<(), DatabaseError> {
        match done {
            Ok(()) => Ok(()),
            Err(refusal) => self.block(session, kind, name, &refusal).await,
        }
    }

    async fn probe_table(
        &self,
        session: &mut dyn DbSession,
        table: &TableStatements,
    ) -> Result<Result<(), Refusal>, DatabaseError> {
        session.begin_unit().await?;
        let done = probe_table(session, table).await;
        end_unit(session, done).await
    }

    /// Writes what the database takes of the batch; the rows that were written.
    pub(super) async fn isolate(
        &mut self,
        session: &mut dyn DbSession,
        batch: &Batch,
        refused: &mut Vec<Refused>,
    ) -> Result<u64, DatabaseError> {
        let mut rows_written = 0;
        let mut pieces = Vec::new();
        if self.only.is_none() {
            let insert = &self.statements.insert_tombstones;
            let tombstones = Piece::Tombstones { insert, tombstones: &batch.tombstones };
            let isolated = bisect(session, tombstones, &mut Streak::default()).await?;
            pieces.extend(isolated.refused);
        }
        let statements = self.statements;
        let gone: Vec<Vec<Subject>> =
            statements.tables.iter().map(|table| deleted(batch, table)).collect();
        for (table, gone) in statements.tables.iter().zip(&gone) {
            let rows = rows_of(batch, table);
            let takes = self.takes(PartKind::Mirror, table.entity.table);
            if !takes || rows.is_empty() && gone.is_empty() {
                continue;
            }
            let deletes = Piece::Subjects { table, sql: &table.delete, subjects: gone };
            let both = [deletes, Piece::Rows { table, rows }];
            let isolated = self.isolate_table(session, table, both).await?;
            rows_written += isolated.rows_written;
            pieces.extend(isolated.refused);
        }
        refused.extend(once_more(session, pieces, &mut rows_written).await?);
        Ok(rows_written)
    }

    /// Where so much is refused that the table is at fault rather than the rows, nothing of it is done.
    async fn isolate_table<'p>(
        &mut self,
        session: &mut dyn DbSession,
        table: &TableStatements,
        pieces: [Piece<'p>; 2],
    ) -> Result<Isolated<'p>, DatabaseError> {
        let part = Part { kind: PartKind::Mirror, name: table.entity.table.to_owned() };
        let mut streak = self.streak_of(&part);
        let mut all = Isolated::default();
        let undoes = !session.commits_units();
        if undoes {
            session.begin_unit().await?;
        }
        for piece in pieces {
            let isolated = bisect(session, piece, &mut streak).await?;
            all.rows_written += isolated.rows_written;
            all.refused.extend(isolated.refused);
            if let Some(refusal) = isolated.given_up {
                if undoes {
                    session.undo_unit().await?;
                }
                self.block(session, part.kind, &part.name, &refusal).await?;
                return Ok(Isolated::default());
            }
        }
        if undoes && let Err(refusal) = end_unit(session, Ok(())).await? {
            return Err(DatabaseError::refused(refusal));
        }
        self.goes_on(part, streak);
        Ok(all)
    }

    /// What follows, for each id by itself where the database refuses it; the deletes that it refused.
    pub(super) async fn isolate_settling(
        &mut self,
        session: &mut dyn DbSession,
        batch: &Batch,
        dead_letters: &[DeadLetter],
    ) -> Result<Vec<Refused>, DatabaseError> {
        let mut refused = Vec::new();
        let statements = self.statements;
        for table in &statements.tables {
            if !self.takes(PartKind::Mirror, table.entity.table) {
                continue;
            }
            let tombstones = &batch.tombstones;
            let mut settled =
                subjects(rows_of(batch, table), dead_letters, tombstones, table.entity);
            settled.extend(orphans(session, table, tombstones).await?);
            // A row may have lost several elements, or both its parents.
            settled.sort_by(|one, other| one.id.cmp(&other.id));
            settled.dedup_by(|one, other| one.id == other.id);
            let piece = Piece::Subjects { table, sql: &table.settle, subjects: &settled };
            let isolated = bisect(session, piece, &mut self.new_streak()).await?;
            if let Some(refusal) = isolated.given_up {
                self.block(session, PartKind::Mirror, table.entity.table, &refusal).await?;
            }
            let kept = isolated.refused.into_iter();
            refused.extend(kept.filter_map(|(piece, refusal)| piece.refused(refusal)));
        }
        Ok(refused)
    }

    /// One mapped table's share of the batch; `None` where it is blocked by now.
    pub(super) async fn apply_mapped(
        &mut self,
        session: &mut dyn DbSession,
        target: &BoundTable,
        index: usize,
        batch: &Batch,
    ) -> Result<Option<Applied>, DatabaseError> {
        let part = Part { kind: PartKind::Mapped, name: target.name().to_owned() };
        let mut streak = self.streak_of(&part);
        let undoes = self.isolates && !session.commits_units();
        if undoes {
            session.begin_unit().await?;
        }
        let applied = target.apply(session, batch, index, self.timeout, false).await?;
        if !self.isolates && !applied.refusals.is_empty() {
            // Nothing is given up before it is known that the table is not at fault.
            session.begin_unit().await?;
            let done = target.probe(session).await;
            end_unit(session, done).await?.map_err(DatabaseError::refused)?;
        }
        let mut too_many = None;
        for refusal in &applied.refusals {
            if streak.refused(refusal) {
                too_many = Some(refusal);
                break;
            }
        }
        if let Some(refusal) = too_many {
            if !self.isolates {
                return Err(DatabaseError::refused(refusal.clone()));
            }
            if undoes {
                session.undo_unit().await?;
            }
            self.block(session, part.kind, &part.name, refusal).await?;
            return Ok(None);
        }
        if undoes && let Err(refusal) = end_unit(session, Ok(())).await? {
            return Err(DatabaseError::refused(refusal));
        }
        if applied.refusals.is_empty() && applied.rows_written > 0 {
            streak.done();
        }
        self.goes_on(part, streak);
        Ok(Some(applied))
    }
}

/// Runs every statement about the table without rows.
async fn probe_table(
    session: &mut dyn DbSession,
    table: &TableStatements,
) -> Result<(), DatabaseError> {
    session.probe(&table.upsert).await?;
    let none = [Param::Texts(&[])];
    for list in &table.elements {
        session.execute(&list.prune, &none).await?;
        session.probe(&list.insert).await?;
    }
    for sql in table.delete.iter().chain(&table.settle) {
        session.execute(sql, &none).await?;
    }
    Ok(())
}

/// Whether the batch says anything that this table would show.
fn concerns(batch: &Batch, table: &TableStatements) -> bool {
    let parents = table.children_of.iter().map(|(parent, _)| *parent);
    let ends: Vec<_> = parents.chain([table.entity.name]).collect();
    !rows_of(batch, table).is_empty()
        || batch.tombstones.iter().any(|gone| ends.contains(&gone.entity))
}

fn deleted(batch: &Batch, table: &TableStatements) -> Vec<Subject> {
    let gone = batch.tombstones.iter().filter(|gone| gone.entity == table.entity.name);
    gone.map(|gone| Subject { id: gone.id.clone(), origin: gone.origin() }).collect()
}

/// The rows of this table whose parents or elements are gone by this batch.
async fn orphans(
    session: &mut dyn DbSession,
    table: &TableStatements,
    tombstones: &[Tombstone],
) -> Result<Vec<Subject>, DatabaseError> {
    let mut orphans = Vec::new();
    for (parent, children) in &table.children_of {
        for gone in tombstones.iter().filter(|gone| gone.entity == *parent) {
            let id = [gone.id.as_str()];
            let rows = session.fetch(children, &[Param::Texts(&id)], &[Kind::Id]).await?;
            orphans.extend(rows.into_iter().flatten().filter_map(|id| match id {
                Value::Text(id) => Some(Subject { id, origin: gone.origin() }),
                _ => None,
            }));
        }
    }
    Ok(orphans)
}
