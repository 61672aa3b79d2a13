//! The results of a batch in one mapped table: noted in the records, and written.

use std::collections::{BTreeMap, BTreeSet};

use super::apply::Applied;
use super::execute::is_the_tables_own;
use super::lookups::Obstacle;
use super::pass::Pass;
use super::plan::{Action, DeleteActionKind, Task};
use super::record::Record;
use super::wait::{ConflictTimeout, RefusedTask};
use crate::db::{DatabaseError, Refusal};

impl Pass<'_> {
    /// Notes which key the table stores instead of the one that it was given.
    pub(super) fn note_learned(&mut self, learned: &[(String, String)]) {
        for (given, stored) in learned {
            let claimants = self.known.values_mut();
            for record in claimants.filter(|record| record.key.as_ref() == Some(given)) {
                record.given_key.get_or_insert_with(|| given.clone());
                record.key = Some(stored.clone());
                self.touched.insert(record.id.clone());
            }
        }
    }

    /// Notes what the application's table has now.
    pub(super) fn note(&mut self, task: &Task, learned: &[(String, String)]) {
        self.well.push(task.responsible().to_owned());
        if let Action::Write { content, .. } = &task.action
            && !self.target.dependents.is_empty()
        {
            self.written.push((task.key.clone(), content.clone()));
        }
        let stored = learned.iter().find(|(given, _)| *given == task.key);
        let key = stored.map_or(&task.key, |(_, stored)| stored);
        if let Some(occupant) = task.occupant.as_ref().and_then(|id| self.known.get_mut(id))
            && occupant.shown.as_ref() == Some(&task.key)
        {
            occupant.hide();
            self.touched.insert(occupant.id.clone());
        }
        let Some(owner) = task.owner().and_then(|id| self.known.get_mut(id)) else {
            // The row of a key that its entity has left: what was refused of it is done.
            if let Some(occupant) = task.occupant.as_ref().and_then(|id| self.known.get_mut(id))
                && occupant.key.is_none()
            {
                occupant.settle();
            }
            return;
        };
        match &task.action {
            Action::Remove { .. } => owner.settle(),
            Action::Write { .. } => owner.show(key, false),
            Action::Flag { content: Some(_), .. } => owner.show(key, true),
            // The row, if there is one, is not ours.
            Action::Flag { content: None, .. } => {
                owner.flagged = true;
                owner.settle();
            }
        }
        if self.gone.contains_key(&owner.id)
            && self.target.delete_action() == DeleteActionKind::Delete
        {
            owner.values.clear();
        }
        self.touched.insert(owner.id.clone());
    }

    /// Notes what the database refuses.
    pub(super) fn note_refused(
        &mut self,
        task: &Task,
        refusal: Refusal,
        obstacles: Option<&BTreeSet<Obstacle>>,
    ) {
        if !is_the_tables_own(&refusal) {
            self.refusals.push(refusal.clone());
        }
        let waits_for = obstacles.and_then(|obstacles| self.awaited(obstacles)).cloned();
        let why = RefusedTask { removal: task.is_removal(), refusal, waits_for };
        self.refused.insert(task.key.clone(), (task.clone(), why));
    }

    /// Of the obstacles of a row, the one whose change wakes it.
    fn awaited<'w>(&self, obstacles: &'w BTreeSet<Obstacle>) -> Option<&'w String> {
        let is_ours = |obstacle: &&Obstacle| {
            self.known.values().any(|record| record.shown.as_ref() == Some(&obstacle.what))
        };
        let obstacle = obstacles
            .iter()
            .find(|obstacle| obstacle.is_certain)
            .or_else(|| obstacles.iter().find(is_ours));
        obstacle.or_else(|| obstacles.first()).map(|obstacle| &obstacle.what)
    }

    /// Writes down what is known now, and wakes what waited for it.
    pub(super) async fn settle(
        mut self,
        timeout: ConflictTimeout,
    ) -> Result<Applied, DatabaseError> {
        let target = self.target;
        let mut applied = Applied {
            rows_written: self.rows_written,
            rows_removed: self.rows_removed,
            refusals: std::mem::take(&mut self.refusals),
            ..Applied::default()
        };
        let refused = self.refused_by_entity();
        self.settle_what_waits_no_more(&refused);
        let postponed = self.refuse(refused, timeout, &mut applied).await?;
        let well = std::mem::take(&mut self.well);
        applied.resolved.push((target.table.name.clone(), target.table.entity.name, well));
        let postponed: Vec<_> = postponed.iter().filter_map(|id| self.known.get(id)).collect();
        target.records.postpone(self.session, &postponed).await?;
        let touched = self.touched.iter().filter_map(|id| self.known.get(id));
        target.records.write(self.session, touched).await?;
        self.wake_dependents().await?;
        Ok(applied)
    }

    /// The refusals of each entity, as one; and whether all of it was skipped, as it still waits.
    fn refused_by_entity(&mut self) -> BTreeMap<String, (RefusedTask, bool)> {
        let mut entities: BTreeMap<String, (RefusedTask, bool)> = BTreeMap::new();
        for (key, (task, why)) in std::mem::take(&mut self.refused) {
            let skipped = self.skipped.contains(&key);
            let refused = match entities.remove(task.responsible()) {
                Some((other, also)) => (other.and(why), skipped && also),
                None => (why, skipped),
            };
            entities.insert(task.responsible().to_owned(), refused);
        }
        entities
    }

    /// Entities that waited and have no task left wait no more.
    fn settle_what_waits_no_more(&mut self, refused: &BTreeMap<String, (RefusedTask, bool)>) {
        for id in self.waiting.iter().filter(|id| !refused.contains_key(*id)) {
            let Some(record) = self.known.get_mut(id) else { continue };
            record.settle();
            self.touched.insert(id.clone());
        }
    }

    /// Notes what is refused; the entities of which only the time of the next try is new.
    async fn refuse(
        &mut self,
        refused: BTreeMap<String, (RefusedTask, bool)>,
        timeout: ConflictTimeout,
        applied: &mut Applied,
    ) -> Result<Vec<String>, DatabaseError> {
        let mut postponed = Vec::new();
        if refused.is_empty() {
            return Ok(postponed);
        }
        let now = timeout.now(self.session).await?;
        for (id, (why, skipped)) in refused {
            let Some(record) = self.known.get_mut(&id) else { continue };
            let before = (record.waits_for.clone(), record.reason.clone());
            let over = record.refuse(now, timeout, &why);
            // What it waits for now is what wakes it.
            let same = before == (record.waits_for.clone(), record.reason.clone());
            let letter =
                |record: &Record| (self.target.dead_letter(record, &why), why.refusal.clone());
            if over {
                applied.dead_letters.push(letter(record));
            } else if why.removal {
                applied.refused_removals.push(letter(record));
            }
            if skipped && same && !over && !self.touched.contains(&id) {
                postponed.push(id);
            } else {
                self.touched.insert(id);
            }
        }
        Ok(postponed)
    }

    /// Makes rows due that wait for rows that were written, in other tables.
    async fn wake_dependents(&mut self) -> Result<(), DatabaseError> {
        let target = self.target;
        let written = self.written.iter().filter_map(|(key, content)| {
            let columns = target.sql.column_texts(self.known.get(content)?);
            Some(target.sql.key_texts(key).join(columns))
        });
        let written: Vec<_> = written.collect();
        target.wake_dependents(self.session, &written).await
    }
}
