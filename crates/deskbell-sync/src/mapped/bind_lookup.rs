//! Lookups in the tables that they look into, and whether these have what they need.

use std::collections::{BTreeMap, BTreeSet};

use super::fit::MappedTableProblem;
use crate::db::{Dialect, LiveLookup, LiveTable};
use crate::mapping::{Lookup, MappedTable};

impl LiveTable {
    /// Binds the lookups of a mapped table, given the tables that they look into by their names in the
    /// config.
    pub(super) fn bind_lookups(
        &mut self,
        mapped: &MappedTable,
        parents: &BTreeMap<String, LiveTable>,
        dialect: Dialect,
    ) -> Result<(), MappedTableProblem> {
        for (name, lookup) in mapped.lookups() {
            let no_table = || MappedTableProblem::NoTable { into: lookup.table.clone() };
            let parent = parents.get(&lookup.table).ok_or_else(no_table)?;
            let bound = parent.looked_up(mapped, lookup)?;
            let Some(column) = self.columns.iter_mut().find(|column| column.name == name) else {
                continue;
            };
            // SQLite takes any value.
            if let (Dialect::Postgres, Some(found)) = (dialect, parent.column(&lookup.column))
                && found.class != column.class
            {
                return Err(MappedTableProblem::LookupType {
                    column: name.to_owned(),
                    type_name: column.type_name.clone(),
                    found: format!("{}.{}", lookup.table, lookup.column),
                    found_type: found.type_name.clone(),
                });
            }
            column.lookup = Some(bound);
        }
        Ok(())
    }

    /// The lookup, as it is in this table.
    fn looked_up(
        &self,
        mapped: &MappedTable,
        lookup: &Lookup,
    ) -> Result<LiveLookup, MappedTableProblem> {
        let into = &lookup.table;
        let found = |name: &str| {
            self.column(name).ok_or_else(|| {
                let there = self.columns.iter().map(|column| column.name.clone()).collect();
                let (into, column) = (into.clone(), name.to_owned());
                MappedTableProblem::NoColumn { into, column, there }
            })
        };
        found(&lookup.column)?;
        let names: BTreeSet<_> = lookup.by.iter().map(|(name, _)| name.clone()).collect();
        let mut by = Vec::new();
        for (name, expression) in &lookup.by {
            let column = found(name)?;
            column.check_expression(mapped, into, expression)?;
            by.push(column.clone());
        }
        self.check_unique(into, &names)?;
        let index = self.index_of(&by);
        let compared = by.iter().map(|column| match index {
            Some(index) => Self::compared(column, index),
            None => column.clone(),
        });
        let (by, column) = (compared.collect(), lookup.column.clone());
        Ok(LiveLookup { parent: self.name.clone(), by, column })
    }
}
