//! A mapped table in a database that it fits.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fit::MappedTableProblem;
use super::lookups::reference;
use super::plan::DeleteActionKind;
use super::records::{RecordScope, RecordStatements};
use super::table_sql::TableSql;
use super::wait::{RefusedTask, dead_letter};
use crate::batch::{Batch, DeadLetter};
use crate::db::{DatabaseError, DbSession, ForeignKey, LiveTable};
use crate::mapping::{DeleteAction, MappedTable};

/// A mapped table in a database that it fits.
#[derive(Debug)]
pub(crate) struct BoundTable {
    pub(super) table: Arc<MappedTable>,
    pub(super) sql: TableSql,
    pub(super) records: RecordStatements,
    /// Its name as statements write it.
    live_name: String,
    foreign: Vec<ForeignKey>,
    /// Mapped tables with foreign keys to this one.
    pub(super) dependents: Vec<Dependent>,
}

/// A mapped table with a foreign key to another one, or a lookup in it.
#[derive(Debug)]
pub(super) struct Dependent {
    records: RecordStatements,
    parent: String,
    /// The positions of the values that it refers to in a row of the key and the mapped columns.
    positions: Vec<usize>,
}

impl BoundTable {
    /// Checks the mapping against the table as it is.
    pub(crate) fn new(
        scope: RecordScope<'_>,
        table: Arc<MappedTable>,
        live: &LiveTable,
        parents: &BTreeMap<String, LiveTable>,
    ) -> Result<Self, MappedTableProblem> {
        let mut live = live.clone();
        live.check(&table)?;
        live.bind_lookups(&table, parents, scope.dialect)?;
        Ok(Self {
            sql: TableSql::new(scope.dialect, &table, &live),
            records: RecordStatements::new(scope, &table.name),
            table,
            live_name: live.name.clone(),
            foreign: live.foreign_keys.clone(),
            dependents: Vec::new(),
        })
    }

    /// Lets each of these tables know which of the others refer to it.
    pub(crate) fn link(scope: RecordScope<'_>, targets: &mut [Self]) {
        for index in 0..targets.len() {
            let mut dependents = Vec::new();
            let parent = &targets[index];
            for target in targets.iter() {
                for columns in target.references_to(&parent.live_name) {
                    let positions = columns.iter().map(|column| parent.sql.position(column));
                    let Some(positions) = positions.collect() else { continue };
                    dependents.push(Dependent {
                        records: RecordStatements::new(scope, target.name()),
                        parent: parent.live_name.clone(),
                        positions,
                    });
                }
            }
            targets[index].dependents = dependents;
        }
    }

    /// The columns of this table by which rows refer to it: of foreign keys, and of lookups.
    fn references_to(&self, parent: &str) -> Vec<Vec<&str>> {
        let foreign = self.foreign.iter().filter(|key| key.parent == parent);
        let foreign = foreign.map(|key| key.parent_columns.iter().map(String::as_str).collect());
        let lookups = self.sql.looked_up().filter(|lookup| lookup.parent == parent);
        let lookups = lookups.map(|lookup| lookup.by.iter().map(|column| &*column.name).collect());
        foreign.chain(lookups).collect()
    }

    /// The indexes of these tables, each behind those that it refers to; and of them those that refer to
    /// another one. Where tables refer to each other in a ring, the order is the config's.
    pub(crate) fn in_order_of_references(targets: &[(usize, &Self)]) -> (Vec<usize>, Vec<usize>) {
        let refers = |one: &Self, other: &Self| {
            one.live_name != other.live_name && !one.references_to(&other.live_name).is_empty()
        };
        let mut left = targets.to_vec();
        let mut order = Vec::new();
        while !left.is_empty() {
            let is_free =
                |(_, one): &&(usize, &Self)| !left.iter().any(|(_, other)| refers(one, other));
            let next = left.iter().find(is_free).or(left.first()).map(|(index, _)| *index);
            order.extend(next);
            left.retain(|(index, _)| Some(*index) != next);
        }
        let is_referring = |index: &usize| {
            let one = targets.iter().find(|(other, _)| other == index);
            one.is_some_and(|(_, one)| targets.iter().any(|(_, other)| refers(one, other)))
        };
        let referring = order.iter().copied().filter(is_referring).collect();
        (order, referring)
    }

    pub(crate) fn name(&self) -> &str {
        &self.table.name
    }

    /// Whether the batch says anything about the mapped table with this index.
    pub(crate) fn concerns(&self, batch: &Batch, index: usize) -> bool {
        let of_table = batch.mapped.get(index);
        let ends: Vec<_> = self.table.entity.parents.iter().map(|parent| parent.entity).collect();
        of_table.is_some_and(|changes| !changes.rows.is_empty() || !changes.ends.is_empty())
            || batch.tombstones.iter().any(|gone| ends.contains(&gone.entity))
    }

    /// Runs every statement about the table without rows: what is refused now is refused for every row.
    pub(crate) async fn probe(&self, session: &mut dyn DbSession) -> Result<(), DatabaseError> {
        self.sql.probe(session).await
    }

    pub(super) fn delete_action(&self) -> DeleteActionKind {
        match self.table.on_delete {
            DeleteAction::Delete => DeleteActionKind::Delete,
            DeleteAction::Keep => DeleteActionKind::Keep,
            DeleteAction::Set(_) => DeleteActionKind::Set,
        }
    }

    /// Makes rows of other tables due that wait for one of these rows.
    pub(super) async fn wake_dependents(
        &self,
        session: &mut dyn DbSession,
        rows: &[super::texts::RowTexts],
    ) -> Result<(), DatabaseError> {
        for dependent in &self.dependents {
            let references = rows.iter().map(|row| {
                let row = row.json(self.sql.dialect);
                let values = dependent.positions.iter().map(|at| row.get(*at).cloned());
                let values: Vec<_> = values.map(Option::unwrap_or_default).collect();
                reference(&dependent.parent, &serde_json::Value::Array(values).to_string())
            });
            let references: Vec<_> = references.collect();
            let references: Vec<_> = references.iter().map(String::as_str).collect();
            dependent.records.wake(session, &references).await?;
        }
        Ok(())
    }

    pub(super) fn dead_letter(
        &self,
        record: &super::record::Record,
        why: &RefusedTask,
    ) -> DeadLetter {
        dead_letter(&self.table.name, self.table.entity, record, why)
    }
}
