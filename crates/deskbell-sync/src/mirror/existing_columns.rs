//! Columns that are left out by default, in a mirror that has them: it keeps them until the config
//! names them.

use std::collections::HashSet;

use super::migrate::MigrationPlan;
use crate::db::{DatabaseError, DbSession, Dialect, Inventory, Param};
use crate::mapping::{Mapping, Mappings};
use crate::mirror_target::ConnectError;
use crate::schema::MIGRATIONS;

/// One schema of a database, and what should be in it.
pub(super) struct ExistingColumns<'a> {
    pub(super) dialect: Dialect,
    pub(super) schema: &'a str,
    pub(super) mappings: &'a Mappings,
}

impl ExistingColumns<'_> {
    /// The columns that the mirror keeps, as `entity.column`: they are there and were never emptied.
    pub(super) async fn kept_columns(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Vec<String>, ConnectError> {
        if self.mappings.iter().all(|mapping| mapping.left_out_by_default.is_empty()) {
            return Ok(Vec::new());
        }
        let (found, steps) = self.look(session).await?;
        let mut kept = Vec::new();
        for mapping in self.mappings.iter() {
            for column in &mapping.left_out_by_default {
                let emptied = self.emptied_step(mapping, column.name);
                if self.has(&found, mapping, column.name) && !steps.contains(&emptied) {
                    kept.push(format!("{}.{}", mapping.entity.name, column.name));
                }
            }
        }
        Ok(kept)
    }

    /// For each mirrored entity, those of its columns that are there and must be empty.
    pub(super) async fn to_empty(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Vec<Vec<&'static str>>, DatabaseError> {
        let found = session.inventory(self.schema, &self.names()).await?;
        let there = |mapping: &Mapping| {
            let names = mapping.emptied.iter().map(|column| column.name);
            names.filter(|name| self.has(&found, mapping, name)).collect()
        };
        Ok(self.mappings.iter().map(there).collect())
    }

    /// Forgets that columns were emptied which are filled again.
    pub(super) async fn forget_emptied(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<(), ConnectError> {
        let (_, steps) = self.look(session).await?;
        let filled = self.mappings.iter().flat_map(|mapping| {
            mapping.columns.iter().map(|column| self.emptied_step(mapping, column.name))
        });
        let forget = format!("DELETE FROM {} WHERE step = $1", self.table(MIGRATIONS));
        let forgotten: Vec<_> = filled.filter(|step| steps.contains(step)).collect();
        for step in &forgotten {
            session.execute(&forget.as_str().into(), &[Param::Text(step)]).await?;
        }
        Ok(())
    }

    /// The step that says that this column was emptied.
    pub(super) fn emptied_step(&self, mapping: &Mapping, column: &str) -> String {
        format!("emptied {}.{column}", self.local_name(mapping))
    }

    async fn look(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<(Inventory, HashSet<String>), ConnectError> {
        let found = session.inventory(self.schema, &self.names()).await?;
        let plan = MigrationPlan::new(self.dialect, self.schema, &[]);
        let steps = plan.recorded(session, &found).await?;
        Ok((found, steps))
    }

    fn names(&self) -> Vec<String> {
        let record = self.dialect.local_name(self.schema, MIGRATIONS);
        self.mappings.iter().map(|mapping| self.local_name(mapping)).chain([record]).collect()
    }

    fn has(&self, found: &Inventory, mapping: &Mapping, column: &str) -> bool {
        let columns = found.columns.get(&self.local_name(mapping));
        columns.is_some_and(|columns| columns.contains(column))
    }

    fn local_name(&self, mapping: &Mapping) -> String {
        self.dialect.local_name(self.schema, mapping.entity.table)
    }

    fn table(&self, table: &str) -> String {
        self.dialect.table(self.schema, table)
    }
}
