//! The outcome of an event in the application's own tables and statements.

use deskbell_store::{Outcome, OutcomeKind};

use super::bookkeeping::{Bookkeeping, KnownEntity, StoredDeadLetter};
use super::rows::{compared, tombstoned};
use super::{EventRecords, Judge, PRUNED, PartOutcome};
use crate::batch::{MappedDeletion, MappedRow, StatementRun};
use crate::config::Stale;
use crate::db::DatabaseError;
use crate::mapping::{CompiledStatement, MappedTable};
use crate::mirror_target::PartKind;
use crate::version::Version;

impl Judge<'_> {
    pub(super) async fn mapped_tables(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
    ) -> Result<Vec<PartOutcome>, DatabaseError> {
        let mut parts = Vec::new();
        for (table, changes) in self.mappings.tables().iter().zip(&self.batch.mapped) {
            let of_table = |letter: &StoredDeadLetter| letter.part == table.name;
            let part = (PartKind::Mapped, &*table.name, &*table.name);
            let refused = || records.refused(part, self.event.seq, &of_table);
            let (row, end) = (changes.rows.first(), changes.ends.first());
            let unusable = self.unusable(&table.name);
            if row.is_none() && end.is_none() && unusable.is_none() {
                continue;
            }
            let outcome = match (refused(), row, end) {
                (Some(refused), ..) => refused,
                (None, Some(row), _) => self.mapped_row(bookkeeping, table, row).await?,
                (None, None, Some(end)) => self.mapped_deletion(bookkeeping, table, end).await?,
                (None, None, None) => unusable.unwrap_or_else(|| self.not_run()),
            };
            parts.push(PartOutcome { part: table.name.clone(), outcome });
        }
        Ok(parts)
    }

    /// Why an expression failed on the event, where its dead letter is gone.
    fn unusable(&self, part: &str) -> Option<Outcome> {
        let letter = self.batch.dead_letters.iter().find(|letter| letter.part == part)?;
        Some(Outcome::new(OutcomeKind::DeadLettered, &*letter.reason))
    }

    async fn mapped_row(
        &self,
        bookkeeping: &mut Bookkeeping,
        table: &MappedTable,
        row: &MappedRow,
    ) -> Result<Outcome, DatabaseError> {
        let known = bookkeeping.known(&self.options.destination, &table.name, &row.id).await?;
        let Some(KnownEntity { version: Some(version), key, shown, .. }) = &known else {
            let why = "the table was filled without it";
            return Ok(Outcome::new(OutcomeKind::NotMirrored, why));
        };
        let outcome = compared(version, &row.version);
        if outcome.kind != OutcomeKind::Applied {
            return Ok(outcome);
        }
        if let Some(refused) = known.as_ref().and_then(KnownEntity::refused) {
            return Ok(refused);
        }
        if key.is_some() && key == shown {
            return Ok(outcome);
        }
        let own = [(table.entity, Some(row.id.as_str()))].into_iter();
        let parents = table.entity.parents.iter().zip(&row.parents);
        let parents = parents
            .filter_map(|(parent, id)| Some((crate::entity::find(parent.entity)?, id.as_deref())));
        for (entity, id) in own.chain(parents) {
            let Some(id) = id else { continue };
            if let Some(deleted) = bookkeeping.tombstone(entity.name, id).await? {
                return Ok(tombstoned(entity, id, &deleted));
            }
        }
        Ok(match key {
            None => Outcome::new(OutcomeKind::Filtered, "a column of its key is null"),
            Some(_) => Outcome::new(
                OutcomeKind::Superseded,
                format!("another {} has the same key, and was created later", table.entity.name),
            ),
        })
    }

    async fn mapped_deletion(
        &self,
        bookkeeping: &mut Bookkeeping,
        table: &MappedTable,
        end: &MappedDeletion,
    ) -> Result<Outcome, DatabaseError> {
        let known = bookkeeping.known(&self.options.destination, &table.name, &end.id).await?;
        if let Some(refused) = known.as_ref().and_then(KnownEntity::refused) {
            return Ok(refused);
        }
        Ok(match known.and_then(|known| known.ended_by) {
            Some(by) if by == end.message_id => OutcomeKind::Applied.into(),
            Some(by) => Outcome::new(
                OutcomeKind::Superseded,
                format!("message {by} had already deleted it"),
            ),
            None => Outcome::new(OutcomeKind::NotMirrored, "the table was filled without it"),
        })
    }

    /// The statements that run for events of this type, by their position.
    pub(super) fn statements(&self) -> impl Iterator<Item = (usize, &CompiledStatement)> {
        let all = self.mappings.statements().iter().enumerate();
        let all = all.map(|(index, statement)| (index, &**statement));
        all.filter(|(_, statement)| statement.is_on(&self.event.event_type))
    }

    pub(super) async fn run_statements(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
    ) -> Result<Vec<PartOutcome>, DatabaseError> {
        let mut parts = Vec::new();
        for (index, statement) in self.statements() {
            let name = &statement.name;
            let run = self.batch.statements.runs.iter().find(|run| run.statement == index);
            let of_statement = |letter: &StoredDeadLetter| letter.part == *name;
            let part = (PartKind::Statement, &**name, &*statement.title);
            let refused = || records.refused(part, self.event.seq, &of_statement);
            let outcome = match (run, self.unusable(name)) {
                (Some(run), _) => match refused() {
                    Some(refused) => refused,
                    None => self.run(bookkeeping, records, statement, run).await?,
                },
                (None, Some(unusable)) => refused().unwrap_or(unusable),
                (None, None) => self.not_run(),
            };
            parts.push(PartOutcome { part: statement.title.clone(), outcome });
        }
        Ok(parts)
    }

    fn not_run(&self) -> Outcome {
        // All statements of an event run, or none.
        if self.batch.dead_letters.iter().any(|letter| !letter.part.is_empty()) {
            let why = "another statement of the same event failed";
            return Outcome::new(OutcomeKind::DeadLettered, why);
        }
        if self.event.is_pruned() {
            return Outcome::new(OutcomeKind::NotMirrored, PRUNED);
        }
        Outcome::new(OutcomeKind::Filtered, "its `when` is false")
    }

    async fn run(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
        statement: &CompiledStatement,
        run: &StatementRun,
    ) -> Result<Outcome, DatabaseError> {
        let Some(ran_up_to) = records.statements else {
            let why = "the statements are paused, because the log is a different one; run \
                       `deskbell statements resume`";
            return Ok(Outcome::new(OutcomeKind::Waiting, why));
        };
        if self.event.seq > ran_up_to {
            let why = format!("the statements are at event {ran_up_to} of the log");
            return Ok(Outcome::new(OutcomeKind::Pending, why));
        }
        let destination = &self.options.destination;
        let known = bookkeeping.known(destination, &statement.name, &run.id).await?;
        let newest = known.and_then(|known| known.version);
        let stale =
            self.options.database.statements.get(run.statement).map(|options| options.stale);
        if stale == Some(Stale::Skip)
            && let Some(outcome) = self.stale(run)
        {
            return Ok(outcome);
        }
        let is_newest =
            |newest: Version| newest >= run.version || newest.message_id == run.version.message_id;
        if newest.is_some_and(is_newest) {
            return Ok(OutcomeKind::Applied.into());
        }
        if let Some(entity) = crate::entity::find(run.entity)
            && let Some(deleted) = bookkeeping.tombstone(entity.name, &run.id).await?
        {
            return Ok(tombstoned(entity, &run.id, &deleted));
        }
        let why = "the statement was added, or resumed, behind it";
        Ok(Outcome::new(OutcomeKind::Filtered, why))
    }

    /// Whether an event that had come before is later, or the entity's delete.
    fn stale(&self, run: &StatementRun) -> Option<Outcome> {
        let earlier = self.earlier.iter().filter(|event| event.seq < run.seq);
        for event in earlier {
            let batch = self.fold.fold(std::slice::from_ref(event));
            let work = &batch.statements;
            let is_same = |one: &&StatementRun| {
                one.statement == run.statement && one.entity == run.entity && one.id == run.id
            };
            let newer = work.runs.iter().find(is_same).filter(|one| one.version > run.version);
            if let Some(StatementRun { version: Version { message_id, .. }, .. }) = newer {
                let why = format!("it had already run for message {message_id}, which is later");
                return Some(Outcome::new(OutcomeKind::Superseded, why));
            }
            let ended =
                work.ends.iter().any(|(_, entity, id)| *entity == run.entity && *id == run.id);
            if ended && !run.ends {
                let why = format!("message {} had already deleted it", event.message_id);
                return Some(Outcome::new(OutcomeKind::Tombstoned, why));
            }
        }
        None
    }
}

impl KnownEntity {
    fn refused(&self) -> Option<Outcome> {
        let since_ms = self.waiting_since_ms?;
        let reason = self.reason.as_deref();
        Some(if self.given_up {
            let why = reason.unwrap_or("the database rejected the row");
            Outcome::new(OutcomeKind::DeadLettered, why).at(Some(since_ms))
        } else {
            let why = reason.unwrap_or("the row conflicts with another one and is retried");
            Outcome::new(OutcomeKind::Waiting, why).at(Some(since_ms))
        })
    }
}
