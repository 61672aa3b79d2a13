//! Executing the tasks of a plan. What the database refuses is found by bisecting; then each
//! refused task is retried as long as that helps, since one row may wait for another's.

use std::collections::BTreeMap;

use deskbell_expr::Value;

use super::keys::Keys;
use super::lookups::{Obstacle, Obstacles};
use super::plan::{Action, Task};
use super::record::Record;
use super::table_sql::TableSql;
use super::texts::RowTexts;
use crate::db::{Bulk, DatabaseError, DbSession, Refusal, RefusalKind, end_unit};
use crate::fold::evaluate_set;
use crate::mapping::MappedTable;

/// A row was written and is not there under its key.
const ABSENT: &str = "not kept";
/// A row was removed and is there still.
const KEPT: &str = "not removed";

/// A row of another table that is looked up is not there.
const NO_PARENT: &str = "no such row yet";

/// A word would be kept, or worked out, where a time belongs.
const NO_TIME: &str = "not a time";

pub(super) struct Executor<'a> {
    pub(super) table: &'a MappedTable,
    pub(super) sql: &'a TableSql,
    pub(super) records: &'a BTreeMap<String, Record>,
    pub(super) keys: &'a Keys,
}

#[derive(Default)]
pub(super) struct TaskOutcome<'a> {
    pub(super) done: Vec<&'a Task>,
    pub(super) refused: Vec<(&'a Task, Refusal)>,
    pub(super) rows_written: u64,
    pub(super) rows_removed: u64,
    /// Keys that the table stores as others: what was given, and what is there.
    pub(super) learned: Vec<(String, String)>,
    pub(super) obstacles_by_key: Obstacles,
}

/// The result of one unit of work.
#[derive(Debug, Default)]
pub(super) struct Done {
    /// Rows that were written or removed, and the latter.
    rows: u64,
    removed: u64,
    learned: Vec<(String, String)>,
}

/// The rows of some tasks, by what is done with them.
#[derive(Default)]
struct Rows {
    moved: Vec<RowTexts>,
    removed: Vec<RowTexts>,
    unflagged: Vec<RowTexts>,
    written: Vec<RowTexts>,
    respelled: Vec<RowTexts>,
    flagged: Vec<RowTexts>,
    /// The keys of what is written, where the table may make others of them.
    keys: Vec<RowTexts>,
    /// How many of the removed rows are known to be there.
    expected: usize,
}

impl Executor<'_> {
    /// Does the tasks, removals first: they make room.
    pub(super) async fn work<'t>(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&'t Task],
    ) -> Result<TaskOutcome<'t>, DatabaseError> {
        let missing = self.missing_parents(session, tasks).await?;
        let (orphans, mut ordered): (Vec<&Task>, Vec<&Task>) =
            tasks.iter().partition(|task| missing.contains_key(&task.key));
        ordered.sort_by_key(|task| !task.is_removal());
        let mut outcome = TaskOutcome::default();
        self.bisect(session, &ordered, &mut outcome).await?;
        self.again_while_it_helps(session, &mut outcome).await?;
        if !outcome.refused.is_empty() {
            self.swap(session, &mut outcome).await?;
        }
        for task in orphans {
            let found = missing.get(&task.key).into_iter().flatten();
            outcome.refused.push((task, no_parent(found)));
        }
        outcome.obstacles_by_key.extend(missing);
        Ok(outcome)
    }

    async fn bisect<'t>(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&'t Task],
        outcome: &mut TaskOutcome<'t>,
    ) -> Result<(), DatabaseError> {
        let mut left = vec![tasks];
        while let Some(tasks) = left.pop() {
            if tasks.is_empty() {
                continue;
            }
            match self.attempt(session, tasks).await? {
                Ok(done) => outcome.take(done, tasks),
                Err(refusal) if tasks.len() == 1 => outcome.refused.push((tasks[0], refusal)),
                Err(_) => {
                    let (first, second) = tasks.split_at(tasks.len() / 2);
                    left.extend([second, first]);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn again_while_it_helps(
        &self,
        session: &mut dyn DbSession,
        outcome: &mut TaskOutcome<'_>,
    ) -> Result<(), DatabaseError> {
        // Alone and with nothing done, a row is refused as it was.
        while !outcome.done.is_empty() || outcome.refused.len() > 1 {
            let before = outcome.refused.len();
            for (task, _) in std::mem::take(&mut outcome.refused) {
                match self.attempt(session, &[task]).await? {
                    Ok(done) => outcome.take(done, &[task]),
                    Err(refusal) => outcome.refused.push((task, refusal)),
                }
            }
            if outcome.refused.is_empty() || outcome.refused.len() == before {
                break;
            }
        }
        Ok(())
    }

    /// Does these tasks or none of them.
    async fn attempt(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&Task],
    ) -> Result<Result<Done, Refusal>, DatabaseError> {
        session.begin_unit().await?;
        let done = self.all(session, tasks).await;
        let done = end_unit(session, done).await?;
        match (&done, tasks) {
            (Err(refusal), [task]) if refusal.code == ABSENT => {
                session.begin_unit().await?;
                let learned = self.learn(session, task).await;
                end_unit(session, learned).await
            }
            _ => Ok(done),
        }
    }

    pub(super) async fn all(
        &self,
        session: &mut dyn DbSession,
        tasks: &[&Task],
    ) -> Result<Done, DatabaseError> {
        let rows = self.rows(tasks);
        let sql = self.sql;
        if let Some(column) = rows.written.iter().chain(&rows.flagged).find_map(RowTexts::no_time) {
            let reason = format!("column {column:?}: expected a time, found a word such as `now`");
            return Err(refused(NO_TIME, &reason));
        }
        self.bulk(session, &sql.relocate, &rows.moved).await?;
        let removed = self.remove(session, &rows, tasks).await?;
        let mut written = removed;
        if let Some(unflag) = &sql.unflag {
            self.bulk(session, unflag, &rows.unflagged).await?;
        }
        for write in sql.writes() {
            let of_it = rows.written.iter().filter(|row| std::ptr::eq(sql.write_of(row), write));
            let cells: Vec<_> = of_it.map(|row| sql.cells(row)).collect();
            written += session.bulk(write, &cells).await?;
        }
        written += self.bulk(session, &sql.respell, &rows.respelled).await?;
        if let Some(flag) = &sql.flag {
            written += self.bulk(session, flag, &rows.flagged).await?;
        }
        if sql.rewrites && sql.lookups.any(session, &sql.lookups.absent, &rows.keys).await? {
            return Err(refused(
                ABSENT,
                "the table has no row with this key after the write: a trigger, a rule or a \
                 policy dropped or changed it",
            ));
        }
        Ok(Done { rows: written, removed, learned: self.respelled(tasks) })
    }

    /// Removes rows, and looks whether they are gone.
    async fn remove(
        &self,
        session: &mut dyn DbSession,
        rows: &Rows,
        tasks: &[&Task],
    ) -> Result<u64, DatabaseError> {
        if rows.removed.is_empty() {
            return Ok(0);
        }
        let removed = self.bulk(session, &self.sql.remove, &rows.removed).await?;
        let count = usize::try_from(removed).unwrap_or(usize::MAX);
        if count >= rows.removed.len() {
            return Ok(removed);
        }
        let lookups = &self.sql.lookups;
        if lookups.any(session, &lookups.present, &rows.removed).await? {
            return Err(refused(
                KEPT,
                "the table deleted no row: a trigger, a rule or a policy keeps the row",
            ));
        }
        if count < rows.expected {
            let missing = rows.expected - count;
            let ids = tasks.iter().filter(|task| task.is_removal());
            let ids: Vec<_> = ids.take(LOGGED_IDS_MAX).map(|task| task.responsible()).collect();
            tracing::warn!(
                table = self.table.into,
                missing,
                among = ids.join(", "),
                "rows to delete were missing: something else deleted them or changed their key"
            );
        }
        Ok(removed)
    }

    fn rows(&self, tasks: &[&Task]) -> Rows {
        let mut rows = Rows::default();
        for task in tasks {
            let key = || self.key(&task.key);
            match &task.action {
                Action::Remove { .. } => rows.removed.push(key()),
                Action::Write { owner, from, unflag, .. } => {
                    if let Some(from) = from {
                        rows.moved.push(key().join(self.key(from)));
                        rows.removed.push(self.key(from));
                    }
                    if *unflag {
                        rows.unflagged.push(key());
                    }
                    if let Some(columns) = self.columns(task) {
                        let spelled = self.spelled(task, owner);
                        rows.written.push(self.key(spelled).join(columns));
                        if !self.sql.bytewise {
                            rows.respelled.push(self.key(spelled));
                        }
                        if self.sql.rewrites {
                            rows.keys.push(key());
                        }
                    }
                }
                Action::Flag { owner, .. } => {
                    let set = self.set(task);
                    if let Some(columns) = self.columns(task) {
                        rows.written.push(self.key(self.spelled(task, owner)).join(columns));
                        if self.sql.rewrites {
                            rows.keys.push(key());
                        }
                    }
                    rows.flagged.push(key().join(self.sql.set_texts(&set)));
                }
            }
        }
        let expected = tasks.iter().filter(|task| task.is_removal() && task.occupant.is_some());
        rows.expected = expected.count();
        rows
    }

    /// Writes the row of one task whose key the table stores as another one.
    async fn learn(&self, session: &mut dyn DbSession, task: &Task) -> Result<Done, DatabaseError> {
        let rows = self.rows(&[task]);
        let (Some(row), Some(columns)) = (rows.written.first(), self.columns(task)) else {
            return Ok(Done::default());
        };
        let lookups = &self.sql.lookups;
        let mut stored = None;
        if let Some(moved) = rows.moved.first() {
            stored = lookups.stored(session, &lookups.learn_move, moved).await?;
        }
        if let Some(stored) = &stored {
            let row = self.key(stored).join(columns);
            session.bulk(self.sql.write_of(&row), &[self.sql.cells(&row)]).await?;
        } else {
            self.remove(session, &rows, &[task]).await?;
            stored = lookups.stored(session, &lookups.learn, row).await?;
        }
        let Some(stored) = stored else {
            return Err(refused(
                ABSENT,
                "the table has no row after the write: a trigger, a rule or a policy dropped it",
            ));
        };
        if lookups.any(session, &lookups.absent, &[self.key(&stored)]).await? {
            return Err(refused(
                ABSENT,
                "the table has no row with this key after the write: a trigger changed the key \
                 afterwards",
            ));
        }
        if let (Action::Flag { .. }, Some(flag)) = (&task.action, &self.sql.flag) {
            let flagged = self.key(&stored).join(self.sql.set_texts(&self.set(task)));
            self.bulk(session, flag, &[flagged]).await?;
        }
        Ok(Done { rows: 1, removed: 0, learned: vec![(task.key.clone(), stored)] })
    }

    /// The mapped columns of the row that a task writes, if it writes one.
    fn columns(&self, task: &Task) -> Option<RowTexts> {
        match &task.action {
            Action::Remove { .. } => None,
            Action::Write { content, .. } => {
                Some(self.sql.column_texts(self.records.get(content)?))
            }
            Action::Flag { content, .. } => {
                let record = self.records.get(content.as_ref()?)?;
                Some(self.sql.flagged_texts(record, &self.set(task)))
            }
        }
    }

    fn set(&self, task: &Task) -> Vec<Value> {
        let Action::Flag { owner, gone, .. } = &task.action else { return Vec::new() };
        let (at, by) = (gone.occurred_at_ms, &gone.message_id);
        evaluate_set(self.table.set(), self.table.entity, owner, at, by).unwrap_or_default()
    }

    /// The key as its owner spells it.
    fn spelled<'s>(&'s self, task: &'s Task, owner: &str) -> &'s str {
        let record = self.records.get(owner).filter(|owner| owner.key.as_ref() == Some(&task.key));
        record.and_then(|owner| self.keys.spelled(owner, self.sql)).unwrap_or(&task.key)
    }

    /// The keys of rows that are spelled in another way from now on, where that makes another key.
    fn respelled(&self, tasks: &[&Task]) -> Vec<(String, String)> {
        let respelled = |task: &&Task| {
            let Action::Write { owner, .. } = &task.action else { return None };
            let now = Keys::respelled(self.sql, &task.key, self.spelled(task, owner))?;
            Some((task.key.clone(), now))
        };
        tasks.iter().filter_map(respelled).collect()
    }

    /// The row that a task writes, if it writes one.
    pub(super) fn written(&self, task: &Task) -> Option<RowTexts> {
        self.rows(&[task]).written.pop()
    }

    pub(super) fn key(&self, key: &str) -> RowTexts {
        self.sql.key_texts(key)
    }

    pub(super) async fn bulk(
        &self,
        session: &mut dyn DbSession,
        bulk: &Bulk,
        rows: &[RowTexts],
    ) -> Result<u64, DatabaseError> {
        let cells: Vec<_> = rows.iter().map(|row| self.sql.cells(row)).collect();
        session.bulk(bulk, &cells).await
    }
}

/// Ids in one log line.
const LOGGED_IDS_MAX: usize = 10;

impl<'t> TaskOutcome<'t> {
    pub(super) fn take(&mut self, done: Done, tasks: &[&'t Task]) {
        self.rows_written += done.rows;
        self.rows_removed += done.removed;
        self.learned.extend(done.learned);
        self.done.extend(tasks);
    }
}

/// Whether the table took the statement and did something else: a trigger, a rule or a policy of it
/// wants it so, for as many rows as it may be.
pub(super) fn is_the_tables_own(refusal: &Refusal) -> bool {
    refusal.kind == RefusalKind::Missing || [ABSENT, KEPT].contains(&refusal.code.as_str())
}

/// The refusal of a row that waits for these of other tables, which it looks up.
pub(super) fn no_parent<'o>(parents: impl IntoIterator<Item = &'o Obstacle>) -> Refusal {
    let names: Vec<_> = parents.into_iter().map(|parent| parent.what.as_str()).collect();
    let reason = format!("waits for rows that it refers to: {}", names.join(", "));
    Refusal::missing(NO_PARENT, reason)
}

/// A refusal of ours: the database took the statement, and did not do it.
fn refused(code: &str, reason: &str) -> DatabaseError {
    DatabaseError::refused(Refusal {
        kind: RefusalKind::Lasting,
        code: code.to_owned(),
        reason: reason.to_owned(),
        constraint: None,
        table: None,
    })
}
