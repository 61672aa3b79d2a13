//! Doing the tasks of a plan. What the database refuses is found by halves; then each of these is
//! tried again as long as that helps, since one row may wait for another's.

use std::collections::BTreeMap;

use super::MappedTable;
use super::evaluate::evaluate_set;
use super::plan::{Task, Work};
use super::record::Record;
use super::table_sql::{TableSql, Texts};
use crate::refusal::Refusal;
use crate::session::{DatabaseError, Session, begin_unit, end_unit};
use crate::sql::Bulk;

/// What tasks are done with.
pub(super) struct Workshop<'a> {
    pub(super) table: &'a MappedTable,
    pub(super) sql: &'a TableSql,
    pub(super) records: &'a BTreeMap<String, Record>,
}

/// What came of the tasks.
#[derive(Default)]
pub(super) struct Outcome<'a> {
    pub(super) done: Vec<&'a Task>,
    pub(super) refused: Vec<(&'a Task, Refusal)>,
    pub(super) rows_written: u64,
}

impl Workshop<'_> {
    /// Does the tasks, removals first: they make room.
    pub(super) async fn work<'t>(
        &self,
        session: &mut dyn Session,
        tasks: &'t [Task],
    ) -> Result<Outcome<'t>, DatabaseError> {
        let mut ordered: Vec<_> = tasks.iter().collect();
        ordered.sort_by_key(|task| !matches!(task.work, Work::Remove { .. }));
        let mut outcome = Outcome::default();
        self.by_halves(session, &ordered, &mut outcome).await?;
        self.again_while_it_helps(session, &mut outcome).await?;
        if !outcome.refused.is_empty() {
            self.make_room(session, &mut outcome).await?;
        }
        Ok(outcome)
    }

    async fn by_halves<'t>(
        &self,
        session: &mut dyn Session,
        tasks: &[&'t Task],
        outcome: &mut Outcome<'t>,
    ) -> Result<(), DatabaseError> {
        let mut left = vec![tasks];
        while let Some(tasks) = left.pop() {
            if tasks.is_empty() {
                continue;
            }
            match self.attempt(session, tasks).await? {
                Ok(rows) => {
                    outcome.rows_written += rows;
                    outcome.done.extend(tasks);
                }
                Err(refusal) if tasks.len() == 1 => outcome.refused.push((tasks[0], refusal)),
                Err(_) => {
                    let (first, second) = tasks.split_at(tasks.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        Ok(())
    }

    async fn again_while_it_helps(
        &self,
        session: &mut dyn Session,
        outcome: &mut Outcome<'_>,
    ) -> Result<(), DatabaseError> {
        loop {
            let before = outcome.refused.len();
            for (task, _) in std::mem::take(&mut outcome.refused) {
                match self.attempt(session, &[task]).await? {
                    Ok(rows) => {
                        outcome.rows_written += rows;
                        outcome.done.push(task);
                    }
                    Err(refusal) => outcome.refused.push((task, refusal)),
                }
            }
            if outcome.refused.is_empty() || outcome.refused.len() == before {
                return Ok(());
            }
        }
    }

    /// Where rows exchange what must be unique, none can go first: empties those columns, and tries
    /// once more. Undone unless that helps all of them.
    async fn make_room(
        &self,
        session: &mut dyn Session,
        outcome: &mut Outcome<'_>,
    ) -> Result<(), DatabaseError> {
        let Some(vacate) = &self.sql.vacate else { return Ok(()) };
        if outcome.refused.len() < 2 || outcome.refused.iter().any(|(_, why)| !why.may_pass()) {
            return Ok(());
        }
        begin_unit(session).await?;
        let keys: Vec<_> = outcome.refused.iter().map(|(task, _)| self.key(&task.key)).collect();
        let mut trial = Outcome { refused: outcome.refused.clone(), ..Outcome::default() };
        let vacated = self.bulk(session, vacate, &keys).await;
        if refusal(vacated)?.is_ok() {
            self.again_while_it_helps(session, &mut trial).await?;
        }
        if !trial.refused.is_empty() {
            return session.undo_unit().await;
        }
        if end_unit(session, Ok(())).await?.is_ok() {
            outcome.refused.clear();
            outcome.done.extend(trial.done);
            outcome.rows_written += trial.rows_written;
        }
        Ok(())
    }

    /// Does these tasks or none of them.
    async fn attempt(
        &self,
        session: &mut dyn Session,
        tasks: &[&Task],
    ) -> Result<Result<u64, Refusal>, DatabaseError> {
        begin_unit(session).await?;
        let done = self.all(session, tasks).await;
        end_unit(session, done).await
    }

    async fn all(&self, session: &mut dyn Session, tasks: &[&Task]) -> Result<u64, DatabaseError> {
        let (mut moved, mut removed, mut unflagged) = (Vec::new(), Vec::new(), Vec::new());
        let (mut written, mut flagged) = (Vec::new(), Vec::new());
        for task in tasks {
            let key = || self.key(&task.key);
            match &task.work {
                Work::Remove { .. } => removed.push(key()),
                Work::Write { content, from, unflag, .. } => {
                    if let Some(from) = from {
                        moved.push(key().join(self.key(from)));
                        removed.push(self.key(from));
                    }
                    if *unflag {
                        unflagged.push(key());
                    }
                    written.extend(self.row(&task.key, content));
                }
                Work::Flag { owner, content, gone } => {
                    let content = content.as_ref();
                    written.extend(content.and_then(|id| self.row(&task.key, id)));
                    let (at, by) = (gone.occurred_at_ms, &gone.message_id);
                    let set = evaluate_set(self.table.set(), self.table.entity, owner, at, by);
                    flagged.push(key().join(self.sql.set_texts(set.unwrap_or_default())));
                }
            }
        }
        let sql = self.sql;
        self.bulk(session, &sql.relocate, &moved).await?;
        let mut rows = self.bulk(session, &sql.remove, &removed).await?;
        if sql.sets_anything() {
            self.bulk(session, &sql.unflag, &unflagged).await?;
        }
        rows += self.bulk(session, &sql.write, &written).await?;
        if sql.sets_anything() {
            rows += self.bulk(session, &sql.flag, &flagged).await?;
        }
        Ok(rows)
    }

    /// A row with this entity's values.
    fn row(&self, key: &str, content: &str) -> Option<Texts> {
        let record = self.records.get(content)?;
        Some(self.key(key).join(self.sql.column_texts(&record.values)))
    }

    fn key(&self, key: &str) -> Texts {
        self.sql.key_texts(key)
    }

    async fn bulk(
        &self,
        session: &mut dyn Session,
        bulk: &Bulk,
        rows: &[Texts],
    ) -> Result<u64, DatabaseError> {
        let cells: Vec<_> = rows.iter().map(|row| self.sql.cells(row)).collect();
        session.bulk(bulk, &cells).await
    }
}

/// Tells a refusal from a failure.
pub(super) fn refusal<T>(
    result: Result<T, DatabaseError>,
) -> Result<Result<T, Refusal>, DatabaseError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(DatabaseError::Refused { refusal, .. }) => Ok(Err(refusal)),
        Err(error) => Err(error),
    }
}
