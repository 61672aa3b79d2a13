//! Child tables: the elements of a list, replaced with the entity that holds it as one.

use super::names::{SqlNames, version_of};
use super::upsert::LAST_KINDS;
use crate::config::OnDelete;
use crate::db::{Bulk, Sql, given, quoted};
use crate::entity::{Children, Entity};
use crate::mapping::Mapping;
use crate::schema::{DELETED_AT, MAPPING_REV, RAW, TOMBSTONES, VERSION_COLUMNS};
use crate::value::Kind;

/// The statements of one child table. Its rows have the version of the entity that they came with.
#[derive(Debug)]
pub(crate) struct ElementStatements {
    /// With ids of entities: removes the elements that are not of the version that the entity's
    /// row has now, or whose entity has no row.
    pub(crate) prune: Sql,
    /// Adds elements whose entity's row has their version.
    pub(crate) insert: Bulk,
    /// With ids of entities: where rows stay, passes on when they were deleted; where rows go, so do
    /// elements that are deleted by themselves. `None` where there is no such thing.
    pub(crate) settle: Option<Sql>,
    /// With ids of what the elements are, where that can be deleted by itself: what its delete does
    /// to them.
    pub(crate) element_gone: Option<(&'static str, Sql)>,
    /// Without a parameter: what `prune` and `settle` do, for all.
    pub(crate) sweep: Vec<Sql>,
}

impl SqlNames<'_> {
    pub(super) fn element_statements(
        &self,
        mapping: &Mapping,
        children: &'static Children,
    ) -> ElementStatements {
        let entity = mapping.entity;
        let table = self.table(children.table);
        let parent = quoted(children.parent);
        let listed = self.dialect.is_listed(&format!("element.{parent}"));
        let (mine, its) =
            (version_of("element.", VERSION_COLUMNS), version_of("owner.", VERSION_COLUMNS));
        let stray = format!(
            "NOT EXISTS (SELECT 1 FROM {} AS owner WHERE owner.id = element.{parent}
                 AND {its} = {mine} AND owner.{MAPPING_REV} = element.{MAPPING_REV})",
            self.table(entity.table),
        );
        let settle = match self.on_delete {
            OnDelete::Delete => self.delete_elements_gone(children),
            OnDelete::Mark => Some(self.pass_on(entity, children)),
        };
        let stray = format!("DELETE FROM {table} AS element WHERE {stray}");
        let prune = format!("{stray} AND {listed}");
        let sweep = [Some(&stray), settle.as_ref()].into_iter().flatten();
        ElementStatements {
            sweep: sweep.map(|sql| sql.as_str().into()).collect(),
            prune: prune.into(),
            insert: self.insert_elements(mapping, children),
            element_gone: children.of.map(|of| (of, self.element_gone(entity, children))),
            settle: settle.map(|sql| format!("{sql} AND {listed}").into()),
        }
    }

    fn delete_elements_gone(&self, children: &Children) -> Option<String> {
        let (table, gone) = (self.table(children.table), children.of?);
        let gone = self.tombstone_of(gone, "element.id");
        Some(format!("DELETE FROM {table} AS element WHERE EXISTS ({gone})"))
    }

    fn element_gone(&self, entity: &Entity, children: &Children) -> Sql {
        let listed = self.dialect.is_listed("element.id");
        match self.on_delete {
            OnDelete::Delete => {
                format!("DELETE FROM {} AS element WHERE {listed}", self.table(children.table))
            }
            OnDelete::Mark => format!("{} AND {listed}", self.pass_on(entity, children)),
        }
        .into()
    }

    fn insert_elements(&self, mapping: &Mapping, children: &Children) -> Bulk {
        let kinds = children.columns.iter().map(|column| column.kind);
        let kinds: Vec<_> = [Kind::Id].into_iter().chain(kinds).chain(LAST_KINDS).collect();
        let columns = children.columns.iter().map(|column| column.name);
        let columns = [children.parent].into_iter().chain(columns).chain([RAW]);
        let columns: Vec<_> = columns.chain(VERSION_COLUMNS).map(quoted).collect();
        let version_at = columns.len() - 3;
        let theirs = version_of("", [0, 1, 2, 3].map(|part| given(version_at + part)));
        let its = version_of("owner.", VERSION_COLUMNS);
        let (table, revision) = (self.table(children.table), mapping.revision);
        let owners = self.table(mapping.entity.table);
        let owner = given(1);
        let gone = children.of.filter(|_| self.on_delete == OnDelete::Delete);
        let gone = gone.map(|of| format!("AND NOT EXISTS ({})", self.tombstone_of(of, &given(2))));
        let there = gone.unwrap_or_default();
        Bulk::idempotent(self.dialect, kinds, |given| {
            format!(
                "INSERT INTO {table} ({}, {MAPPING_REV})
                 SELECT given.*, {revision} FROM {given}
                 WHERE EXISTS (SELECT 1 FROM {owners} AS owner WHERE owner.id = {owner}
                     AND {its} = {theirs} AND owner.{MAPPING_REV} = {revision}) {there}
                 ON CONFLICT DO NOTHING",
                columns.join(", "),
            )
        })
    }

    /// Writes when the row `element` was deleted: with its owner, or by itself.
    fn pass_on(&self, entity: &Entity, children: &Children) -> String {
        let mut owner = format!(
            "SELECT owner.{DELETED_AT} AS ended_at FROM {} AS owner WHERE owner.id = element.{}",
            self.table(entity.table),
            quoted(children.parent),
        );
        if let Some(of) = children.of {
            let own = format!(
                "SELECT gone.occurred_at FROM {} AS gone
                 WHERE gone.entity = '{of}' AND gone.id = element.id",
                self.table(TOMBSTONES)
            );
            owner = format!("SELECT min(ends.ended_at) FROM ({owner} UNION ALL {own}) AS ends");
        }
        format!(
            "UPDATE {} AS element SET {DELETED_AT} = ({owner})
             WHERE element.{DELETED_AT} IS DISTINCT FROM ({owner})",
            self.table(children.table),
        )
    }
}
