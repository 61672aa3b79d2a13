//! One batch on its way into one mapped table.

use std::collections::{BTreeMap, BTreeSet};

use super::bound_table::BoundTable;
use super::execute::{Executor, TaskOutcome, no_parent};
use super::keys::Keys;
use super::lookups::Obstacle;
use super::plan::{Gone, Plan, Task, plan};
use super::record::Record;
use super::records::DUE_MAX;
use super::wait::RefusedTask;
use crate::batch::{MappedChanges, Tombstone};
use crate::db::{DatabaseError, DbSession, Refusal};

/// A batch takes one waiting row for so many rows of its own, so that they cost it little.
const ROWS_FOR_ONE_DUE: usize = 40;
/// And so many where it has few rows.
const DUE_MIN: i64 = 20;
/// Rows that turn out to wait for each other are planned together; rings and chains that are longer
/// than this are solved by later batches.
const ROUNDS_MAX: usize = 6;

/// The state while a batch is applied.
pub(super) struct Pass<'a> {
    pub(super) target: &'a BoundTable,
    pub(super) session: &'a mut dyn DbSession,
    pub(super) known: BTreeMap<String, Record>,
    keys: Keys,
    /// The entities whose records are written.
    pub(super) touched: BTreeSet<String>,
    /// The entities that only wait: nothing new is known of them.
    pub(super) waiting: BTreeSet<String>,
    /// The keys whose rows are planned.
    planned: BTreeSet<String>,
    /// The keys whose records have been read.
    asked: BTreeSet<String>,
    pub(super) gone: BTreeMap<String, Gone>,
    /// The number of records when deletes were last loaded.
    asked_who_is_gone: usize,
    /// The entities whose tasks are done.
    pub(super) well: Vec<String>,
    /// Rows that were written, where other tables refer to them: the key, and whose values these are.
    pub(super) written: Vec<(String, String)>,
    /// By the task's key.
    pub(super) refused: BTreeMap<String, (Task, RefusedTask)>,
    /// Of `refused`, those that were not even tried.
    pub(super) skipped: BTreeSet<String>,
    pub(super) rows_written: u64,
    pub(super) rows_removed: u64,
    /// Refusals that may mean that the table itself is at fault, if there are many.
    pub(super) refusals: Vec<Refusal>,
}

/// The result of a plan.
#[derive(Default)]
struct Attempt {
    is_any_done: bool,
    obstacles: BTreeSet<String>,
    /// The keys that turned out to be others.
    learned: Vec<(String, String)>,
    /// The keys of what was left for later.
    deferred: BTreeSet<String>,
}

/// An entity's keys before the batch.
#[derive(Default)]
struct KeyState {
    key: Option<String>,
    given_key: Option<String>,
    shown: Option<String>,
}

impl KeyState {
    fn of(record: Option<&Record>) -> Self {
        let state = |record: &Record| Self {
            key: record.key.clone(),
            given_key: record.given_key.clone(),
            shown: record.shown.clone(),
        };
        record.map_or_else(Self::default, state)
    }
}

impl<'a> Pass<'a> {
    pub(super) fn new(target: &'a BoundTable, session: &'a mut dyn DbSession) -> Self {
        Self {
            target,
            session,
            known: BTreeMap::new(),
            keys: Keys::default(),
            touched: BTreeSet::new(),
            waiting: BTreeSet::new(),
            planned: BTreeSet::new(),
            asked: BTreeSet::new(),
            gone: BTreeMap::new(),
            asked_who_is_gone: 0,
            well: Vec::new(),
            written: Vec::new(),
            refused: BTreeMap::new(),
            skipped: BTreeSet::new(),
            rows_written: 0,
            rows_removed: 0,
            refusals: Vec::new(),
        }
    }

    pub(super) fn has_nothing_to_do(&self) -> bool {
        self.touched.is_empty() && self.waiting.is_empty()
    }

    /// Takes in what the batch says. `again`: also where it says nothing new.
    pub(super) async fn take_in(
        &mut self,
        changes: &MappedChanges,
        again: bool,
    ) -> Result<(), DatabaseError> {
        let rows = changes.rows.iter().map(|row| row.id.as_str());
        let ids: BTreeSet<_> = rows.chain(changes.ends.iter().map(|end| end.id.as_str())).collect();
        let ids: Vec<_> = ids.into_iter().collect();
        let records = &self.target.records;
        let found = records.fetch(self.session, &records.by_id, &ids).await?;
        self.add(found).await?;
        let given = changes.rows.iter().map(|row| row.key.as_deref());
        let given = given.chain(changes.ends.iter().map(|end| end.key.as_deref())).flatten();
        let given = given.map(str::to_owned).collect();
        self.keys.learn(self.session, &self.target.sql, &given).await?;
        let mut changed = BTreeMap::new();
        for end in &changes.ends {
            let before = KeyState::of(self.known.get(&end.id));
            let known = self.known.entry(end.id.clone());
            if known.or_insert_with(|| Record::new(&end.id)).end(end) || again {
                changed.entry(end.id.as_str()).or_insert(before);
            }
        }
        let revision = self.target.table.revision;
        for row in &changes.rows {
            let before = KeyState::of(self.known.get(&row.id));
            let known = self.known.entry(row.id.clone());
            if known.or_insert_with(|| Record::new(&row.id)).offer(row, revision) || again {
                changed.entry(row.id.as_str()).or_insert(before);
            }
        }
        for (id, before) in changed {
            self.make_canonical(id, &before);
            // An entity that leaves a key may have been another's only obstacle there.
            self.planned.extend([before.key, before.shown].into_iter().flatten());
            self.touched.insert(id.to_owned());
        }
        Ok(())
    }

    /// Gives a record whose key was just given the one that the database has instead.
    fn make_canonical(&mut self, id: &str, before: &KeyState) {
        let sql = &self.target.sql;
        let Some(record) = self.known.get_mut(id).filter(|record| record.given_key.is_none())
        else {
            return;
        };
        let Some(given) = record.key.clone() else { return };
        // What the table made of this key before holds, unless it has a row with exactly this one.
        let learned = before.key.clone().filter(|_| before.given_key.as_ref() == Some(&given));
        let learned = learned.filter(|_| self.keys.row(&given).is_none());
        record.key = Some(learned.unwrap_or_else(|| self.keys.canonical(&given)));
        if !sql.bytewise || sql.rewrites {
            record.given_key = Some(given);
        }
    }

    /// Touches the children of entities that were deleted in this batch.
    pub(super) async fn touch_orphans(
        &mut self,
        tombstones: &[Tombstone],
    ) -> Result<(), DatabaseError> {
        for (index, parent) in self.target.table.entity.parents.iter().enumerate() {
            let gone = tombstones.iter().filter(|gone| gone.entity == parent.entity);
            let gone: Vec<_> = gone.map(|gone| gone.id.as_str()).collect();
            let found = self.target.records.by_parent(self.session, index, &gone).await?;
            self.touched.extend(found.iter().map(|record| record.id.clone()));
            self.add(found).await?;
        }
        Ok(())
    }

    /// Takes rows that have waited long enough, some for each row that the batch has.
    pub(super) async fn take_what_is_due(&mut self, rows: usize) -> Result<(), DatabaseError> {
        let share = i64::try_from(rows / ROWS_FOR_ONE_DUE).unwrap_or(DUE_MAX);
        let at_most = if rows == 0 { DUE_MAX } else { share.clamp(DUE_MIN, DUE_MAX) };
        let due = self.target.records.due(self.session, at_most).await?;
        self.wait_no_more(due).await
    }

    async fn wait_no_more(&mut self, records: Vec<Record>) -> Result<(), DatabaseError> {
        let ids = records.iter().map(|record| record.id.clone());
        let ids: Vec<_> = ids.filter(|id| !self.touched.contains(id)).collect();
        self.waiting.extend(ids);
        self.add(records).await
    }

    /// Adds records that were read, unless they are known already.
    async fn add(&mut self, mut records: Vec<Record>) -> Result<(), DatabaseError> {
        records.retain(|record| !self.known.contains_key(&record.id));
        let sql = &self.target.sql;
        let changed = self.keys.make_canonical(self.session, sql, &mut records).await?;
        self.touched.extend(changed);
        self.known.extend(records.into_iter().map(|record| (record.id.clone(), record)));
        Ok(())
    }

    /// Plans and does what is to be done, and again as long as that shows that there is more.
    pub(super) async fn run(&mut self) -> Result<(), DatabaseError> {
        let changed: Vec<_> = self.touched.iter().chain(&self.waiting).cloned().collect();
        self.planned.extend(self.keys_of(&changed));
        let woken: Vec<_> = self.planned.iter().map(String::as_str).collect();
        let records = &self.target.records;
        let woken = records.fetch(self.session, &records.waiting_for, &woken).await?;
        let ids: Vec<_> = woken.iter().map(|record| record.id.clone()).collect();
        self.wait_no_more(woken).await?;
        self.planned.extend(self.keys_of(&ids));
        self.load_claimants().await?;
        let mut skipped = self.skip_what_still_waits().await?;
        let mut defers = true;
        for round in 1..=ROUNDS_MAX {
            self.load_claimants().await?;
            let attempt = self.try_all_but(&skipped, defers).await?;
            // What is deferred is tried once nothing else makes progress.
            defers = attempt.is_any_done && round + 1 < ROUNDS_MAX;
            if !self.widen(&attempt) {
                break;
            }
            // What is tried now may be what they waited for.
            skipped.clear();
        }
        self.skipped = skipped;
        Ok(())
    }

    /// Plans and does what is to be done, but for what is skipped.
    async fn try_all_but(
        &mut self,
        skipped: &BTreeSet<String>,
        defers: bool,
    ) -> Result<Attempt, DatabaseError> {
        let Plan { tasks, deferred } = self.plan(defers);
        let tried: Vec<_> = tasks.iter().filter(|task| !skipped.contains(&task.key)).collect();
        let executor = Executor {
            table: &self.target.table,
            sql: &self.target.sql,
            records: &self.known,
            keys: &self.keys,
        };
        let outcome = executor.work(self.session, &tried).await?;
        let TaskOutcome { done, refused, learned, obstacles_by_key, rows_written, rows_removed } =
            outcome;
        self.rows_written += rows_written;
        self.rows_removed += rows_removed;
        self.refused.retain(|key, _| skipped.contains(key));
        self.refusals.clear();
        self.note_learned(&learned);
        let is_any_done = !done.is_empty();
        for task in done {
            self.note(task, &learned);
        }
        let obstacles = obstacles_by_key.values().flatten().map(|obstacle| obstacle.what.clone());
        let obstacles: BTreeSet<_> = obstacles.collect();
        self.records_at(&obstacles.difference(&self.asked).cloned().collect()).await?;
        for (task, refusal) in refused {
            self.note_refused(task, refusal, obstacles_by_key.get(&task.key));
        }
        Ok(Attempt { is_any_done, obstacles, learned, deferred })
    }

    /// Plans further rows, where obstacles have to move themselves, and where keys turned out to be
    /// others; whether there are any.
    fn widen(&mut self, attempt: &Attempt) -> bool {
        let Attempt { obstacles, learned, deferred, .. } = attempt;
        let mut more: BTreeSet<String> = learned.iter().map(|(_, stored)| stored.clone()).collect();
        let waiting = self.known.values().filter(|record| {
            record.waiting_since.is_some()
                && record.shown.as_ref().is_some_and(|shown| obstacles.contains(shown))
        });
        let waiting: Vec<_> = waiting.map(|record| record.id.clone()).collect();
        more.extend(self.keys_of(&waiting));
        more.retain(|key| !self.planned.contains(key) || learned.iter().any(|(_, to)| to == key));
        more.extend(deferred.iter().cloned());
        if more.is_empty() {
            return false;
        }
        self.touched.extend(waiting);
        // What was refused is planned again with these.
        self.planned = more;
        self.planned.extend(self.refused.keys().cloned());
        true
    }

    /// The records of every entity that maps to a planned key, or is shown there.
    async fn load_claimants(&mut self) -> Result<(), DatabaseError> {
        let mut listed = self.planned.clone();
        listed.extend(self.keys.others().cloned());
        listed.extend(self.known.values().filter_map(|record| record.given_key.clone()));
        listed.retain(|key| !self.asked.contains(key));
        self.records_at(&listed).await?;
        let sql = &self.target.sql;
        if sql.rewrites && !sql.bytewise {
            let given = self.known.values().filter_map(|record| record.given_key.clone()).collect();
            self.keys.learn(self.session, sql, &given).await?;
        }
        if self.known.len() > self.asked_who_is_gone {
            self.load_gone().await?;
            self.asked_who_is_gone = self.known.len();
        }
        Ok(())
    }

    async fn records_at(&mut self, keys: &BTreeSet<String>) -> Result<(), DatabaseError> {
        let listed: Vec<_> = keys.iter().map(String::as_str).collect();
        let records = &self.target.records;
        let found = records.fetch(self.session, &records.by_key, &listed).await?;
        self.asked.extend(keys.iter().cloned());
        self.add(found).await
    }

    fn plan(&self, defers: bool) -> Plan {
        let gone = &self.gone;
        plan(
            &self.known,
            &self.planned,
            |record| gone.get(&record.id).cloned(),
            self.target.delete_action(),
            defers,
        )
    }

    /// Of what only waits, what still has an obstacle that this batch does not move; it is not
    /// tried.
    async fn skip_what_still_waits(&mut self) -> Result<BTreeSet<String>, DatabaseError> {
        let mut skipped = BTreeSet::new();
        if self.waiting.is_empty() {
            return Ok(skipped);
        }
        let tasks = self.plan(false).tasks;
        let waits = |task: &&Task| {
            let owner = task.owner().filter(|owner| self.waiting.contains(*owner));
            owner.is_some() && !task.is_removal()
        };
        let waiting: Vec<_> = tasks.iter().filter(waits).collect();
        let executor = Executor {
            table: &self.target.table,
            sql: &self.target.sql,
            records: &self.known,
            keys: &self.keys,
        };
        let obstacles_by_key = executor.obstacles_of(self.session, &waiting).await?;
        let obstacles = obstacles_by_key.values().flatten().map(|obstacle| obstacle.what.clone());
        let obstacles: BTreeSet<_> = obstacles.collect();
        let rows: BTreeSet<_> = self.planned.clone();
        self.records_at(&obstacles.difference(&self.asked).cloned().collect()).await?;
        self.widen(&Attempt { obstacles, ..Attempt::default() });
        self.planned.extend(rows);
        let stays =
            |obstacle: &&Obstacle| obstacle.is_certain && !self.planned.contains(&obstacle.what);
        for task in waiting {
            let Some(obstacles) = obstacles_by_key.get(&task.key) else { continue };
            let Some(obstacle) = obstacles.iter().find(stays) else { continue };
            let Some(record) = self.known.get(task.responsible()) else { continue };
            let refusal = match obstacle.is_parent {
                true => no_parent(obstacles.iter().filter(|obstacle| obstacle.is_parent)),
                false => record.last_refusal(),
            };
            let waits_for = Some(obstacle.what.clone());
            let why = RefusedTask { refusal, removal: false, waits_for };
            self.refused.insert(task.key.clone(), (task.clone(), why));
            skipped.insert(task.key.clone());
        }
        Ok(skipped)
    }

    /// The earliest delete that ends each of the entities that are known.
    async fn load_gone(&mut self) -> Result<(), DatabaseError> {
        let entity = self.target.table.entity;
        let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (kind, id) in self.known.values().flat_map(|record| record.ends_with(entity)) {
            wanted.entry(kind).or_default().insert(id);
        }
        let mut stones: BTreeMap<(&str, String), Gone> = BTreeMap::new();
        for (kind, ids) in wanted {
            let ids: Vec<_> = ids.into_iter().collect();
            let records = &self.target.records;
            for (id, occurred_at_ms, message_id) in
                records.tombstones(self.session, kind, &ids).await?
            {
                stones.insert((kind, id), Gone { occurred_at_ms, message_id });
            }
        }
        for record in self.known.values() {
            let ends = record.ends_with(entity);
            let ends = ends.filter_map(|(kind, id)| stones.get(&(kind, id.to_owned())));
            if let Some(earliest) = ends.min() {
                self.gone.insert(record.id.clone(), earliest.clone());
            }
        }
        Ok(())
    }

    /// The keys that these entities map to, and those that they are shown at.
    fn keys_of(&self, ids: &[String]) -> BTreeSet<String> {
        let records = ids.iter().filter_map(|id| self.known.get(id));
        records.flat_map(|record| [record.key.clone(), record.shown.clone()]).flatten().collect()
    }
}
