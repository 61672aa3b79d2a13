//! The outcome of an event in the mirror's own tables.

use deskbell_store::{Outcome, OutcomeKind};

use super::bookkeeping::{Bookkeeping, Deleted, StoredDeadLetter};
use super::{EventRecords, Judge, PRUNED, PartOutcome};
use crate::batch::{Row, Tombstone};
use crate::db::DatabaseError;
use crate::entity::{self, Entity};
use crate::mirror_target::PartKind;
use crate::version::Version;

impl Judge<'_> {
    pub(super) async fn rows(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
    ) -> Result<Vec<PartOutcome>, DatabaseError> {
        let mut parts = Vec::new();
        for table in &self.batch.tables {
            // Of several rows, as of a subscription's items, one speaks for all.
            let mut worst: Option<Outcome> = None;
            for row in &table.rows {
                let outcome = self.row(bookkeeping, records, table.entity, row).await?;
                if worst.as_ref().is_none_or(|worst| worst.kind < outcome.kind) {
                    worst = Some(outcome);
                }
            }
            parts.extend(worst.map(|outcome| part(bookkeeping, table.entity, outcome)));
        }
        for gone in &self.batch.tombstones {
            let Some(entity) = entity::find(gone.entity) else { continue };
            if self.mirrors(gone.entity) {
                let outcome = self.delete(bookkeeping, records, entity, gone).await?;
                parts.push(part(bookkeeping, entity, outcome));
            }
        }
        for unusable in self.batch.dead_letters.iter().filter(|letter| letter.part.is_empty()) {
            let Some(entity) = entity::find(unusable.entity) else { continue };
            let records = records.dead_letters.iter().find(|letter| letter.part.is_empty());
            let outcome = records.map_or_else(
                || Outcome::new(OutcomeKind::DeadLettered, &*unusable.reason),
                StoredDeadLetter::outcome,
            );
            parts.push(part(bookkeeping, entity, outcome));
        }
        if self.batch.counts.pruned > 0 {
            parts.extend(self.pruned(bookkeeping, records).await?);
        }
        Ok(parts)
    }

    async fn row(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
        entity: &'static Entity,
        Row { id, version, .. }: &Row,
    ) -> Result<Outcome, DatabaseError> {
        if let Some(refused) = self.refused(records, entity, id) {
            return Ok(refused);
        }
        let found = bookkeeping.row(entity.table, id).await?;
        if let Some(found) = found {
            return Ok(compared(&found, version));
        }
        if let Some(deleted) = bookkeeping.tombstone(entity.name, id).await? {
            return Ok(tombstoned(entity, id, &deleted));
        }
        if bookkeeping.suppressed(entity.name, id).await?.is_some() {
            let parents: Vec<_> = entity.parents.iter().map(|parent| parent.entity).collect();
            let why = format!("its {} was deleted", parents.join(" or "));
            return Ok(Outcome::new(OutcomeKind::Tombstoned, why));
        }
        let table = bookkeeping.display_name(entity.table);
        let why = format!("{table} has no such row, although the event was applied");
        Ok(Outcome::new(OutcomeKind::NotMirrored, why))
    }

    async fn delete(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
        entity: &'static Entity,
        gone: &Tombstone,
    ) -> Result<Outcome, DatabaseError> {
        if let Some(refused) = self.refused(records, entity, &gone.id) {
            return Ok(refused);
        }
        Ok(match bookkeeping.tombstone(entity.name, &gone.id).await? {
            Some(deleted) if deleted.message_id == gone.message_id => OutcomeKind::Applied.into(),
            Some(deleted) => {
                let why = format!("message {} had already deleted it", deleted.message_id);
                Outcome::new(OutcomeKind::Superseded, why).at(deleted.at_ms)
            }
            None => Outcome::new(OutcomeKind::Superseded, "its tombstone was lifted"),
        })
    }

    /// Of an event whose payload has left the log no more is known than what it was about.
    async fn pruned(
        &self,
        bookkeeping: &mut Bookkeeping,
        records: &EventRecords,
    ) -> Result<Option<PartOutcome>, DatabaseError> {
        let entity = entity::change(&self.event.event_type).map(|(entity, _)| entity);
        let entity = entity.filter(|entity| self.mirrors(entity.name));
        let (Some(entity), Some(id)) = (entity, &self.event.subject) else { return Ok(None) };
        let found = bookkeeping.row(entity.table, id).await?;
        let outcome = if let Some(refused) = self.refused(records, entity, id) {
            refused
        } else if let Some(found) = found {
            if found.message_id == self.event.message_id {
                OutcomeKind::Applied.into()
            } else {
                superseded(&found)
            }
        } else if let Some(deleted) = bookkeeping.tombstone(entity.name, id).await? {
            tombstoned(entity, id, &deleted)
        } else {
            Outcome::new(OutcomeKind::NotMirrored, PRUNED)
        };
        Ok(Some(part(bookkeeping, entity, outcome)))
    }

    fn refused(&self, records: &EventRecords, entity: &Entity, id: &str) -> Option<Outcome> {
        let of_row = |letter: &StoredDeadLetter| {
            letter.part.is_empty()
                && (letter.entity == entity.name && letter.id == id || letter.id.is_empty())
        };
        let part = (PartKind::Mirror, entity.table, entity.table);
        records.refused(part, self.event.seq, &of_row)
    }
}

/// What a version that was offered came to, where this one is there. Those of one message are the
/// same, also where one was stored before there were ranks.
pub(super) fn compared(found: &Version, offered: &Version) -> Outcome {
    if found.message_id == offered.message_id {
        return OutcomeKind::Applied.into();
    }
    match found.cmp(offered) {
        std::cmp::Ordering::Equal => OutcomeKind::Applied.into(),
        std::cmp::Ordering::Greater => superseded(found),
        std::cmp::Ordering::Less => Outcome::new(
            OutcomeKind::NotMirrored,
            format!("the row has {}, which is earlier", named(found)),
        ),
    }
}

fn superseded(found: &Version) -> Outcome {
    Outcome::new(OutcomeKind::Superseded, format!("the row has {}, which is later", named(found)))
}

fn named(version: &Version) -> String {
    if version.message_id.is_empty() {
        return "what was read from Clerk's API".to_owned();
    }
    format!("the version of message {}", version.message_id)
}

pub(super) fn tombstoned(entity: &Entity, id: &str, deleted: &Deleted) -> Outcome {
    let why = format!("{} {id} was deleted by message {}", entity.name, deleted.message_id);
    Outcome::new(OutcomeKind::Tombstoned, why).at(deleted.at_ms)
}

fn part(bookkeeping: &Bookkeeping, entity: &Entity, outcome: Outcome) -> PartOutcome {
    PartOutcome { part: bookkeeping.display_name(entity.table), outcome }
}
