//! Upserts of mirrored rows, guarded by their versions.

use super::names::{SqlNames, version_of};
use crate::config::OnDelete;
use crate::db::{Bulk, given, quoted};
use crate::entity::Entity;
use crate::mapping::Mapping;
use crate::schema::{MAPPING_REV, RAW, SUPPRESSED, VERSION_COLUMNS};
use crate::value::Kind;

/// The kinds of the columns behind an entity's own: `raw` and the version.
pub(super) const LAST_KINDS: [Kind; 5] =
    [Kind::Json, Kind::Integer, Kind::Integer, Kind::Integer, Kind::Id];

impl SqlNames<'_> {
    /// `INSERT … SELECT`, so that a tombstone and a suppressed version prevent the insert as the
    /// row's own version prevents the update. Rows of the mapping's columns, `raw` and the version.
    pub(super) fn upsert(&self, mapping: &Mapping) -> Bulk {
        let kinds = mapping.columns.iter().map(|column| column.kind).chain(LAST_KINDS);
        let kinds: Vec<_> = kinds.collect();
        let columns: Vec<_> = mapping
            .columns
            .iter()
            .map(|column| column.name)
            .chain([RAW])
            .chain(VERSION_COLUMNS)
            .map(quoted)
            .collect();
        let set: Vec<_> =
            columns[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let version_at = columns.len() - 3;
        let blocked = self.blocked(mapping.entity, version_at);
        let table = self.table(mapping.entity.table);
        Bulk::idempotent(self.dialect, kinds, |given| {
            format!(
                "INSERT INTO {table} AS kept ({}, {MAPPING_REV})
                 SELECT given.*, {revision} FROM {given}
                 WHERE {blocked}
                 ON CONFLICT (id) DO UPDATE SET {}, {MAPPING_REV} = excluded.{MAPPING_REV}
                 WHERE {}",
                columns.join(", "),
                set.join(", "),
                replaces(),
                revision = mapping.revision,
            )
        })
    }

    /// The condition under which a given row may be there at all.
    fn blocked(&self, entity: &Entity, version_at: usize) -> String {
        if self.on_delete == OnDelete::Mark {
            return "true".to_owned();
        }
        let gone = self.tombstone_of(entity.name, &given(1));
        let mut condition = format!("NOT EXISTS ({gone})");
        let [.., message_id] = VERSION_COLUMNS;
        if !entity.parents.is_empty() {
            condition += &format!(
                " AND NOT EXISTS (SELECT 1 FROM {} AS hidden WHERE hidden.entity = '{}'
                     AND hidden.id = {} AND {} > {} AND hidden.{message_id} <> {})",
                self.table(SUPPRESSED),
                entity.name,
                given(1),
                version_of("hidden.", VERSION_COLUMNS),
                version_of("", [0, 1, 2, 3].map(|part| given(version_at + part))),
                given(version_at + 3),
            );
        }
        condition
    }
}

/// [`Version::replaces`](crate::Version::replaces), of the row `excluded` and the row `kept`.
fn replaces() -> String {
    let [new, old] = ["excluded.", "kept."].map(|row| version_of(row, VERSION_COLUMNS));
    let [updated_at, occurred_at, rank, message_id] = VERSION_COLUMNS;
    format!(
        "{new} > {old} OR (excluded.{MAPPING_REV} <> kept.{MAPPING_REV}
             AND (excluded.{updated_at}, excluded.{occurred_at})
                 = (kept.{updated_at}, kept.{occurred_at})
             AND (excluded.{message_id} = kept.{message_id} OR excluded.{rank} >= kept.{rank}))"
    )
}
