//! A batch applied to the application's tables: load what is known, take in what is new, plan, do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::execute::{Outcome, Workshop};
use super::plan::{Gone, OnEnd, Task, Work, plan};
use super::record::Record;
use super::records::RecordStatements;
use super::table_sql::TableSql;
use super::{Ending, LiveTable, MappedChanges, MappedTable, MappedTableProblem, park};
use crate::batch::{Batch, DeadLetter, Tombstone};
use crate::refusal::Refusal;
use crate::schema::Dialect;
use crate::session::{DatabaseError, Session};

/// A mapped table in a database that it fits.
#[derive(Debug)]
pub(crate) struct MappedTarget {
    table: Arc<MappedTable>,
    sql: TableSql,
    records: RecordStatements,
}

/// What applying a batch to the mapped tables came to.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    pub(crate) rows_written: u64,
    /// What is given up.
    pub(crate) dead_letters: Vec<DeadLetter>,
    /// What the database refused, in order.
    pub(crate) refusals: Vec<Refusal>,
    /// What is well now: the mapped table, the entity, and the ids whose dead letters go.
    pub(crate) resolved: Vec<(String, &'static str, Vec<String>)>,
}

impl MappedTarget {
    /// Checks the mapping against the table as it is.
    pub(crate) fn new(
        dialect: Dialect,
        schema: &str,
        table: Arc<MappedTable>,
        live: &LiveTable,
    ) -> Result<Self, MappedTableProblem> {
        live.check(&table)?;
        let sql = TableSql::new(dialect, &table, live);
        let records = RecordStatements::new(dialect, schema, &table.name);
        Ok(Self { table, sql, records })
    }

    pub(crate) fn name(&self) -> &str {
        &self.table.name
    }
}

impl MappedTarget {
    /// Applies the batch's share of the mapped table with this index. The batch's tombstones are there
    /// already.
    pub(crate) async fn apply(
        &self,
        session: &mut dyn Session,
        batch: &Batch,
        index: usize,
        patience: park::Patience,
    ) -> Result<Applied, DatabaseError> {
        let mut applied = Applied::default();
        let none = MappedChanges::default();
        let changes = batch.mapped.get(index).unwrap_or(&none);
        self.apply_changes(session, changes, &batch.tombstones, patience, &mut applied).await?;
        Ok(applied)
    }

    /// Whether the batch says anything about the mapped table with this index.
    pub(crate) fn concerns(&self, batch: &Batch, index: usize) -> bool {
        let of_table = batch.mapped.get(index);
        let ends: Vec<_> = self.table.entity.parents.iter().map(|parent| parent.entity).collect();
        of_table.is_some_and(|changes| !changes.rows.is_empty() || !changes.ends.is_empty())
            || batch.tombstones.iter().any(|gone| ends.contains(&gone.entity))
    }

    /// Runs every statement about the table without rows: what is refused now is refused for every row.
    pub(crate) async fn probe(&self, session: &mut dyn Session) -> Result<(), DatabaseError> {
        self.sql.probe(session).await
    }

    async fn apply_changes(
        &self,
        session: &mut dyn Session,
        changes: &MappedChanges,
        tombstones: &[Tombstone],
        patience: park::Patience,
        applied: &mut Applied,
    ) -> Result<(), DatabaseError> {
        let mut known = self.load(session, changes).await?;
        // An entity that leaves a key may have been all that stood in another's way there.
        let left = known.clone();
        let mut touched = self.take_in(&mut known, changes);
        self.touch_orphans(session, &mut known, &mut touched, tombstones).await?;
        for record in self.records.parked(session).await? {
            touched.insert(record.id.clone());
            known.entry(record.id.clone()).or_insert(record);
        }
        if touched.is_empty() {
            return Ok(());
        }
        let mut keys = keys_of(&known, &touched);
        keys.extend(keys_of(&left, &touched));
        let listed: Vec<_> = keys.iter().map(String::as_str).collect();
        for record in self.records.by_key(session, &listed).await? {
            known.entry(record.id.clone()).or_insert(record);
        }
        let gone = self.gone(session, &known).await?;
        let tasks = plan(&known, &keys, |record| gone.get(&record.id).cloned(), self.on_end());
        let workshop = Workshop { table: &self.table, sql: &self.sql, records: &known };
        let Outcome { done, refused, rows_written } = workshop.work(session, &tasks).await?;
        applied.rows_written += rows_written;
        let done: Vec<Task> = done.into_iter().cloned().collect();
        for task in &done {
            self.note(&mut known, &gone, task, &mut touched);
        }
        let now = patience.now(session).await?;
        for (task, refusal) in refused {
            let id = task.responsible();
            let Some(record) = known.get_mut(id) else { continue };
            touched.insert(id.to_owned());
            applied.refusals.push(refusal.clone());
            if record.refuse(now, patience, refusal.may_pass()) {
                applied.dead_letters.push(self.letter(record, &refusal.reason));
            }
        }
        let well = done.iter().map(|task| task.responsible().to_owned()).collect();
        applied.resolved.push((self.table.name.clone(), self.table.entity.name, well));
        self.records.write(session, touched.iter().filter_map(|id| known.get(id))).await
    }

    async fn load(
        &self,
        session: &mut dyn Session,
        changes: &MappedChanges,
    ) -> Result<BTreeMap<String, Record>, DatabaseError> {
        let rows = changes.rows.iter().map(|row| row.id.as_str());
        let ids: BTreeSet<_> = rows.chain(changes.ends.iter().map(|end| end.id.as_str())).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let found = self.records.by_id(session, &ids).await?;
        Ok(found.into_iter().map(|record| (record.id.clone(), record)).collect())
    }

    /// Takes in what the batch says; the entities about which that changed anything.
    fn take_in(
        &self,
        known: &mut BTreeMap<String, Record>,
        changes: &MappedChanges,
    ) -> BTreeSet<String> {
        let mut touched = BTreeSet::new();
        for end in &changes.ends {
            let record = known.entry(end.id.clone()).or_insert_with(|| Record::new(&end.id));
            if record.end(end) {
                touched.insert(end.id.clone());
            }
        }
        for row in &changes.rows {
            let record = known.entry(row.id.clone()).or_insert_with(|| Record::new(&row.id));
            if record.offer(row, self.table.revision) {
                touched.insert(row.id.clone());
            }
        }
        touched
    }

    /// What ends with an entity that was deleted in this batch.
    async fn touch_orphans(
        &self,
        session: &mut dyn Session,
        known: &mut BTreeMap<String, Record>,
        touched: &mut BTreeSet<String>,
        tombstones: &[Tombstone],
    ) -> Result<(), DatabaseError> {
        for (index, parent) in self.table.entity.parents.iter().enumerate() {
            let gone = tombstones.iter().filter(|gone| gone.entity == parent.entity);
            let gone: Vec<_> = gone.map(|gone| gone.id.as_str()).collect();
            for record in self.records.by_parent(session, index, &gone).await? {
                touched.insert(record.id.clone());
                known.entry(record.id.clone()).or_insert(record);
            }
        }
        Ok(())
    }

    /// The earliest delete that ends each of these entities.
    async fn gone(
        &self,
        session: &mut dyn Session,
        known: &BTreeMap<String, Record>,
    ) -> Result<BTreeMap<String, Gone>, DatabaseError> {
        let entity = self.table.entity;
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (kind, id) in known.values().flat_map(|record| record.ends_with(entity)) {
            wanted.entry(kind).or_default().insert(id);
        }
        let mut stones: BTreeMap<(&str, String), Gone> = BTreeMap::new();
        for (kind, ids) in wanted {
            let ids: Vec<_> = ids.into_iter().collect();
            for (id, occurred_at_ms, message_id) in
                self.records.tombstones(session, kind, &ids).await?
            {
                stones.insert((kind, id), Gone { occurred_at_ms, message_id });
            }
        }
        let mut gone = BTreeMap::new();
        for record in known.values() {
            let ends = record.ends_with(entity);
            let ends = ends.filter_map(|(kind, id)| stones.get(&(kind, id.to_owned())));
            if let Some(earliest) = ends.min() {
                gone.insert(record.id.clone(), earliest.clone());
            }
        }
        Ok(gone)
    }

    /// Notes what the application's table has now.
    fn note(
        &self,
        known: &mut BTreeMap<String, Record>,
        gone: &BTreeMap<String, Gone>,
        task: &Task,
        touched: &mut BTreeSet<String>,
    ) {
        if let Some(before) = task.before.as_ref().and_then(|id| known.get_mut(id))
            && before.shown.as_ref() == Some(&task.key)
        {
            before.hide();
            touched.insert(before.id.clone());
        }
        let Some(owner) = task.owner().and_then(|id| known.get_mut(id)) else { return };
        match &task.work {
            Work::Remove { .. } => owner.settle(),
            Work::Write { .. } => owner.show(&task.key, false),
            Work::Flag { content: Some(_), .. } => owner.show(&task.key, true),
            // The row, if there is one, is not ours.
            Work::Flag { content: None, .. } => {
                owner.flagged = true;
                owner.settle();
            }
        }
        if gone.contains_key(&owner.id) && self.on_end() == OnEnd::Delete {
            owner.values.clear();
        }
        touched.insert(owner.id.clone());
    }

    fn on_end(&self) -> OnEnd {
        match self.table.on_delete {
            Ending::Delete => OnEnd::Delete,
            Ending::Keep => OnEnd::Keep,
            Ending::Set(_) => OnEnd::Set,
        }
    }

    fn letter(&self, record: &Record, reason: &str) -> DeadLetter {
        park::letter(&self.table.name, self.table.entity, record, reason)
    }
}

fn keys_of(known: &BTreeMap<String, Record>, touched: &BTreeSet<String>) -> BTreeSet<String> {
    let touched = touched.iter().filter_map(|id| known.get(id));
    touched.flat_map(|record| [record.key.clone(), record.shown.clone()]).flatten().collect()
}
