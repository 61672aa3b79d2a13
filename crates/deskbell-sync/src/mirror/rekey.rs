//! The migration of a table whose primary key has a new column: it is made anew, and its rows are copied.

use std::collections::HashSet;

use super::migrate::{MigrationPlan, MigrationStep};
use crate::db::{Table, quoted};
use crate::schema::{CHECKPOINTS, VERSIONS};

/// Stands behind the name of the table that is replaced, while its rows are copied.
const REPLACED: &str = "_1";

impl MigrationPlan<'_> {
    /// The steps for a table that has only these columns. The one new column that a key ever got is
    /// `destination`: what is there belongs to every destination that has a checkpoint in this schema.
    pub(super) fn keyed_anew(&self, table: &Table, there: &HashSet<String>) -> Vec<MigrationStep> {
        let local = self.local_name(table.name);
        let replaced = format!("{local}{REPLACED}");
        let old = self.table(&format!("{}{REPLACED}", table.name));
        let new = self.table(table.name);
        let step = |name: String, sql: String| MigrationStep { name, sql, refill: false };
        vec![
            step(
                format!("replaced {replaced}"),
                format!("ALTER TABLE {new} RENAME TO {}", quoted(&replaced)),
            ),
            step(format!("table {local}"), self.create_table(table)),
            step(format!("rows of {replaced}"), self.copy(table, there, &old, &new)),
            step(format!("dropped {replaced}"), format!("DROP TABLE {old}")),
        ]
    }

    fn copy(&self, table: &Table, there: &HashSet<String>, old: &str, new: &str) -> String {
        let columns = table.columns.iter().map(|column| column.name);
        let mut copied: Vec<(&str, String)> = columns
            .filter(|column| there.contains(*column))
            .map(|column| (column, format!("old.{}", quoted(column))))
            .collect();
        copied.push(("destination", "filled.destination".to_owned()));
        if table.name == VERSIONS {
            // What waits is tried at once, and what was asked for waits again.
            let waits = "old.parked_since IS NOT NULL AND (old.retry OR NOT old.given_up)";
            copied.retain(|(column, _)| *column != "given_up");
            copied.push(("given_up", "old.given_up AND NOT old.retry".to_owned()));
            copied.push(("retry_at", format!("CASE WHEN {waits} THEN {} END", self.now())));
        }
        let names: Vec<_> = copied.iter().map(|(column, _)| quoted(column)).collect();
        let values: Vec<_> = copied.iter().map(|(_, value)| value.as_str()).collect();
        format!(
            "INSERT INTO {new} ({}) SELECT {} FROM {old} AS old
             CROSS JOIN (SELECT DISTINCT destination FROM {}) AS filled",
            names.join(", "),
            values.join(", "),
            self.table(CHECKPOINTS),
        )
    }
}
