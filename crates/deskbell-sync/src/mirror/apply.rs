//! Applying a batch to the tables: first deletes, then new rows, then what follows from both.

use deskbell_store::Seq;

use super::application::Application;
use super::blocked::BlockedParts;
use super::refused::{self, EarlierTries, Refused, RefusedKind};
use super::rows::{tombstone, write};
use super::streak::Streaks;
use crate::batch::{Batch, DeadLetter, Row, TableRows, Tombstone, shortened_reason};
use crate::checkpoint::Checkpoint;
use crate::db::{DatabaseError, DbSession, Param, Refusal, RefusalKind, Sql};
use crate::mapped::{
    Applied, BoundTable, ConflictTimeout, PreparedStatement, StatementMarker, StatementOutcome,
    StatementPass,
};
use crate::mirror_target::{Blocked, Commit, Part, PartKind};
use crate::sql::{Statements, TableStatements};

/// Applies a batch.
pub(super) struct BatchWriter<'a> {
    pub(super) statements: &'a Statements,
    pub(super) application: &'a Application,
    pub(super) timeout: ConflictTimeout,
    /// The target's checkpoint before the batch.
    pub(super) current: &'a Checkpoint,
    /// The last event that the application's statements have run for; `None` holds them back.
    pub(super) ran_up_to: Option<Seq>,
    /// Whether what is refused is looked for, and kept; otherwise it fails the batch.
    pub(super) isolates: bool,
    /// Where the batch concerns one part alone, which was blocked.
    pub(super) only: Option<&'a Part>,
    pub(super) blocked: BlockedParts,
    /// Whether what was refused before is tried again.
    pub(super) retries: bool,
    pub(super) streaks: &'a mut Streaks,
    pub(super) earlier: EarlierTries,
}

impl BatchWriter<'_> {
    /// Applies the batch in the transaction that is open.
    pub(super) async fn apply(
        &mut self,
        session: &mut dyn DbSession,
        batch: &Batch,
    ) -> Result<Commit, DatabaseError> {
        let mut refused = Vec::new();
        let known = self.blocked.clone();
        self.block_what_does_not_fit(session).await?;
        if self.isolates {
            self.block_what_is_refused_whole(session, batch).await?;
        }
        let (application, work) = (self.application, &batch.statements);
        let targets = &application.statements;
        let (ran_up_to, again) = (self.ran_up_to, self.retries);
        let known_by = (self.statements, &*self.current.destination);
        let pass = StatementPass::load(session, known_by, targets, work, ran_up_to, again).await?;
        let mut rows_written = if self.isolates {
            self.isolate(session, batch, &mut refused).await?
        } else {
            self.write(session, batch).await?
        };
        rows_written += self.write_mapped(session, batch, &mut refused).await?;
        self.run_statements(session, pass, &mut refused).await?;
        if self.only.is_none() {
            let of_events = batch.dead_letters.iter().cloned();
            refused.extend(of_events.map(|letter| Refused {
                dead_letter: letter,
                kind: RefusedKind::Event,
                refusal: None,
            }));
        }
        let dead_letters: Vec<_> =
            refused.iter().map(|refused| refused.dead_letter.clone()).collect();
        let mut dead = self.keep(session, refused).await?;
        if self.isolates {
            let stuck = self.isolate_settling(session, batch, &dead_letters).await?;
            dead.extend(self.keep(session, stuck).await?);
        } else {
            self.settle(session, batch).await?;
        }
        let blocked = self.blocked.since(&known);
        Ok(Commit::Done { rows_written, refused: dead, blocked })
    }

    /// Whether this part takes the batch: not while it is blocked, but for its own catching up.
    pub(super) fn takes(&self, kind: PartKind, name: &str) -> bool {
        match self.only {
            Some(part) => part.is(kind, name),
            None => !self.blocked.has(kind, name),
        }
    }

    /// From now on this part waits, with all that the batch says of it.
    pub(super) async fn block(
        &mut self,
        session: &mut dyn DbSession,
        kind: PartKind,
        name: &str,
        refusal: &Refusal,
    ) -> Result<(), DatabaseError> {
        if self.only.is_some() {
            // It is blocked already, and stays so.
            return Err(DatabaseError::refused(refusal.clone()));
        }
        // Statements may have run ahead of the checkpoint, where the log is read again.
        let ran_up_to = self.ran_up_to.filter(|_| kind == PartKind::Statement);
        let blocked = Blocked {
            part: Part { kind, name: name.to_owned() },
            seq: ran_up_to.map_or(self.current.seq, |seq| seq.max(self.current.seq)),
            since: None,
            reason: shortened_reason(&refusal.to_string()),
            cause: refusal.code.clone(),
            is_due: false,
        };
        let (statements, destination) = (self.statements, &self.current.destination);
        self.blocked.block(session, statements, destination, blocked).await
    }

    /// The mirror's tables that take the batch.
    pub(super) fn tables(&self) -> impl Iterator<Item = &TableStatements> {
        let tables = self.statements.tables.iter();
        tables.filter(|table| self.takes(PartKind::Mirror, table.entity.table))
    }

    async fn write(
        &self,
        session: &mut dyn DbSession,
        batch: &Batch,
    ) -> Result<u64, DatabaseError> {
        let rows: Vec<_> = batch.tombstones.iter().map(tombstone).collect();
        session.bulk(&self.statements.insert_tombstones, &rows).await?;
        for table in self.tables() {
            let gone = ids_of(&batch.tombstones, table.entity.name);
            execute_all(session, &table.delete, &gone).await?;
            for (parent, children) in &table.parent_gone {
                execute_all(session, children, &ids_of(&batch.tombstones, parent)).await?;
            }
        }
        let mut rows_written = 0;
        for table in self.tables() {
            rows_written += write(session, table, rows_of(batch, table)).await?;
        }
        Ok(rows_written)
    }

    async fn settle(
        &self,
        session: &mut dyn DbSession,
        batch: &Batch,
    ) -> Result<(), DatabaseError> {
        for table in self.tables() {
            let ids = ids_in(batch, table.entity.name);
            execute_all(session, &table.settle, &ids).await?;
        }
        Ok(())
    }

    async fn write_mapped(
        &mut self,
        session: &mut dyn DbSession,
        batch: &Batch,
        refused: &mut Vec<Refused>,
    ) -> Result<u64, DatabaseError> {
        let mut rows_written = 0;
        let application = self.application;
        // A row that refers to another one is removed before it: it is found by that one.
        if application.referring_tables().next().is_some()
            && let Some(deletes) = batch.mapped_deletes()
        {
            for (index, target) in application.referring_tables() {
                if target.concerns(&deletes, index) {
                    let of_table = (index, target);
                    rows_written += self.write_table(session, of_table, &deletes, refused).await?;
                }
            }
        }
        for of_table in application.tables() {
            rows_written += self.write_table(session, of_table, batch, refused).await?;
        }
        Ok(rows_written)
    }

    async fn write_table(
        &mut self,
        session: &mut dyn DbSession,
        (index, target): (usize, &BoundTable),
        batch: &Batch,
        refused: &mut Vec<Refused>,
    ) -> Result<u64, DatabaseError> {
        if !self.takes(PartKind::Mapped, target.name()) {
            return Ok(0);
        }
        let Some(applied) = self.apply_mapped(session, target, index, batch).await? else {
            return Ok(0);
        };
        self.resolve(session, &applied).await?;
        let rows_written = applied.rows_written;
        refused.extend(of_mapped_table(applied));
        Ok(rows_written)
    }

    /// Deletes the dead letters of what is resolved.
    pub(super) async fn resolve(
        &self,
        session: &mut dyn DbSession,
        applied: &Applied,
    ) -> Result<(), DatabaseError> {
        for (part, entity, ids) in &applied.resolved {
            let ids: Vec<_> = ids.iter().map(String::as_str).collect();
            if !ids.is_empty() {
                let destination = self.current.destination.as_str();
                let [part, entity, destination] = [part, *entity, destination].map(Param::Text);
                let parameters = [Param::Texts(&ids), part, entity, destination];
                session.execute(&self.statements.resolve_part, &parameters).await?;
            }
        }
        Ok(())
    }

    /// Stores what was refused; returns those that are dead letters now.
    pub(super) async fn keep(
        &self,
        session: &mut dyn DbSession,
        refused: Vec<Refused>,
    ) -> Result<Vec<DeadLetter>, DatabaseError> {
        let (destination, earlier) = (&self.current.destination, &self.earlier);
        refused::keep(session, self.statements, destination, refused, earlier, self.timeout).await
    }

    /// Runs the statements, each event's as one. What the database refuses of an event is undone for
    /// that event alone.
    async fn run_statements(
        &mut self,
        session: &mut dyn DbSession,
        mut pass: StatementPass<'_>,
        refused: &mut Vec<Refused>,
    ) -> Result<(), DatabaseError> {
        let Checkpoint { destination, log_id, seq, token, .. } = self.current;
        let log_id = log_id.to_string();
        let marker = StatementMarker {
            sql: &self.statements.mark_statements,
            parameters: [
                Param::Text(destination),
                Param::Text(&log_id),
                Param::Integer(seq.get()),
                Param::Integer(token.get()),
            ],
        };
        loop {
            let takes = |target: &PreparedStatement| self.takes(PartKind::Statement, target.name());
            let blocked_at = |index: usize| {
                let name = self.application.statement_names.get(index)?;
                self.blocked.blocked_at(PartKind::Statement, name)
            };
            let next = pass.run_next(session, &marker, takes, blocked_at).await?;
            let Some((seq, outcome)) = next else { break };
            let (dead_letter, postponed, refusal) = match outcome {
                StatementOutcome::Done => continue,
                StatementOutcome::Postponed(letter, why) => (letter, Some(why), None),
                StatementOutcome::Refused(letter, refusal) => (letter, None, Some(refusal)),
            };
            if let Some(refusal) = &refusal
                && !self.isolates
                && refusal.kind != RefusalKind::Missing
            {
                return Err(DatabaseError::refused(refusal.clone()));
            }
            let kind = RefusedKind::Statement { seq, postponed };
            let kept = Refused { dead_letter, kind, refusal };
            if session.commits_units() {
                // Statements behind it are marked with their own commit, and it must not be lost then.
                self.keep(session, vec![kept]).await?;
                marker.mark(session, seq).await?;
            } else {
                refused.push(kept);
            }
        }
        pass.remember(session).await
    }
}

/// The dead letters and the stuck removals of a mapped table.
pub(super) fn of_mapped_table(applied: Applied) -> impl Iterator<Item = Refused> {
    let Applied { dead_letters, refused_removals, .. } = applied;
    let kept = |kind| {
        move |(letter, refusal)| Refused { dead_letter: letter, kind, refusal: Some(refusal) }
    };
    let given_up = dead_letters.into_iter().map(kept(RefusedKind::GivenUp));
    given_up.chain(refused_removals.into_iter().map(kept(RefusedKind::Delete)))
}

/// The rows that the batch has for this table.
pub(super) fn rows_of<'b>(batch: &'b Batch, table: &TableStatements) -> &'b [Row] {
    let of_table = |rows: &&TableRows| rows.entity.name == table.entity.name;
    batch.tables.iter().find(of_table).map_or(&[], |rows| &rows.rows)
}

fn ids_of<'a>(tombstones: &'a [Tombstone], entity: &str) -> Vec<&'a str> {
    let of_entity = tombstones.iter().filter(|gone| gone.entity == entity);
    of_entity.map(|gone| gone.id.as_str()).collect()
}

/// The ids of this entity that the batch says anything about.
fn ids_in<'a>(batch: &'a Batch, entity: &str) -> Vec<&'a str> {
    let tables = batch.tables.iter().filter(|table| table.entity.name == entity);
    let rows = tables.flat_map(|table| &table.rows).map(|row| &*row.id);
    let dead_letters = batch.dead_letters.iter().filter(|letter| letter.entity == entity);
    let dead_letters = dead_letters.filter_map(|letter| letter.id.as_deref());
    rows.chain(ids_of(&batch.tombstones, entity)).chain(dead_letters).collect()
}

/// Runs the statements with these ids, if there are any.
async fn execute_all(
    session: &mut dyn DbSession,
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
