//! The names and conditions that the statements of one schema share.

use crate::config::OnDelete;
use crate::db::Dialect;
use crate::entity::{Entity, Parent};
use crate::schema::{TOMBSTONES, VERSION_COLUMNS};

/// Writes statements about the tables of one schema.
#[derive(Clone, Copy)]
pub(super) struct SqlNames<'a> {
    pub(super) dialect: Dialect,
    pub(super) schema: &'a str,
    pub(super) destination: &'a str,
    pub(super) on_delete: OnDelete,
}

impl SqlNames<'_> {
    pub(super) fn table(&self, table: &str) -> String {
        self.dialect.table(self.schema, table)
    }

    pub(super) fn tombstone_of(&self, entity: &str, id: &str) -> String {
        format!(
            "SELECT 1 FROM {} AS gone WHERE gone.entity = '{entity}' AND gone.id = {id}",
            self.table(TOMBSTONES)
        )
    }

    /// The condition that a parent of the row `child` is gone.
    pub(super) fn orphaned(&self, entity: &Entity) -> String {
        let orphaned = entity.parents.iter().map(|Parent { entity, column }| {
            format!("EXISTS ({})", self.tombstone_of(entity, &format!("child.{column}")))
        });
        orphaned.collect::<Vec<_>>().join(" OR ")
    }
}

/// A version as one value that is compared part by part, text as bytes.
pub(super) fn version_of<T: std::fmt::Display>(prefix: &str, columns: [T; 4]) -> String {
    let [updated_at, occurred_at, rank, message_id] = columns;
    format!("({prefix}{updated_at}, {prefix}{occurred_at}, {prefix}{rank}, {prefix}{message_id})")
}

/// The condition that the version of the row `one` is at least that of `other`. Those of one message
/// are the same, also where one was stored before there were ranks.
pub(super) fn not_older(one: &str, other: &str) -> String {
    let [mine, theirs] = [one, other].map(|row| version_of(row, VERSION_COLUMNS));
    let [.., message_id] = VERSION_COLUMNS;
    format!("({mine} >= {theirs} OR {one}{message_id} = {other}{message_id})")
}
