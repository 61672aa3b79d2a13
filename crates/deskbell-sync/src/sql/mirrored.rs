//! What happens to the rows of one entity beside their upsert: deletes, their parents' deletes,
//! and dead letters that are overtaken.

use super::elements::ElementStatements;
use super::names::{SqlNames, not_older};
use crate::config::OnDelete;
use crate::db::{Bulk, Sql, quoted};
use crate::entity::{Entity, Parent};
use crate::mapping::Mapping;
use crate::schema::{DEAD_LETTERS, DELETED_AT, SUPPRESSED, TOMBSTONES, VERSION_COLUMNS};

/// The statements of one entity's table. The parameters are lists of its ids, if not said
/// otherwise.
#[derive(Debug)]
pub(crate) struct TableStatements {
    pub(crate) entity: &'static Entity,
    pub(crate) upsert: Bulk,
    pub(crate) elements: Vec<ElementStatements>,
    /// Removes the rows of entities that are gone, their elements, and what else is known about
    /// them.
    pub(crate) delete: Vec<Sql>,
    /// By the entity of the parent or of elements, with its ids for a parameter: what is to be done
    /// with the children or the elements.
    pub(crate) parent_gone: Vec<(&'static str, Vec<Sql>)>,
    /// By the entity of the parent or of elements, with its ids for a parameter: the ids of the
    /// children, or of the rows that hold the elements.
    pub(crate) children_of: Vec<(&'static str, Sql)>,
    /// What follows a batch, with every id that it says anything about: rows whose parent is gone
    /// go, elements that are gone by themselves, and dead letters that a later version or a
    /// tombstone has overtaken.
    pub(crate) settle: Vec<Sql>,
    /// Without a parameter, and over the whole table: takes away what went while this entity was
    /// not mirrored here.
    pub(crate) sweep: Vec<Sql>,
    /// Without a parameter: the ids of what `sweep` is about, each with the message that deleted it,
    /// but for those that the database is known to keep.
    pub(crate) rows_gone: Sql,
}

impl SqlNames<'_> {
    pub(super) fn table_statements(&self, mapping: &Mapping) -> TableStatements {
        let entity = mapping.entity;
        let children = entity.children.iter();
        let mut statements = TableStatements {
            entity,
            upsert: self.upsert(mapping),
            elements: children.map(|list| self.element_statements(mapping, list)).collect(),
            delete: Vec::new(),
            parent_gone: Vec::new(),
            children_of: self.children_of(entity),
            settle: Vec::new(),
            sweep: Vec::new(),
            rows_gone: self.rows_gone(entity),
        };
        match self.on_delete {
            OnDelete::Delete => self.rows_go(&mut statements),
            OnDelete::Mark => self.rows_are_marked(&mut statements),
        }
        let gone = statements.elements.iter().filter_map(|list| list.element_gone.clone());
        let gone = gone.map(|(of, sql)| (of, vec![sql]));
        statements.parent_gone.extend(gone.collect::<Vec<_>>());
        statements.settle.extend(statements.elements.iter().filter_map(|list| list.settle.clone()));
        statements.settle.push(self.resolve(entity));
        let elements = statements.elements.iter().flat_map(|list| &list.sweep);
        statements.sweep.extend(elements.cloned());
        statements
    }

    fn children_of(&self, entity: &Entity) -> Vec<(&'static str, Sql)> {
        let table = self.table(entity.table);
        let parents = entity.parents.iter().map(|parent| {
            let listed = self.dialect.is_listed(&quoted(parent.column));
            (parent.entity, format!("SELECT id FROM {table} WHERE {listed}").into())
        });
        let owners = entity.children.iter().filter_map(|list| {
            let (owner, table) = (quoted(list.parent), self.table(list.table));
            let listed = self.dialect.is_listed("id");
            Some((list.of?, format!("SELECT {owner} FROM {table} WHERE {listed}").into()))
        });
        parents.chain(owners).collect()
    }

    fn rows_gone(&self, entity: &Entity) -> Sql {
        let (table, tombstones) = (self.table(entity.table), self.table(TOMBSTONES));
        let ends = [Parent { entity: entity.name, column: "id" }];
        let ends = ends.iter().chain(entity.parents).map(|end| {
            let (of, column) = (end.entity, quoted(end.column));
            format!(
                "SELECT child.id, gone.message_id FROM {table} AS child JOIN {tombstones} AS gone
                 ON gone.entity = '{of}' AND gone.id = child.{column}"
            )
        });
        let elements = entity.children.iter().filter_map(|list| {
            let (of, owner, list) = (list.of?, quoted(list.parent), self.table(list.table));
            Some(format!(
                "SELECT element.{owner} AS id, gone.message_id FROM {list} AS element
                 JOIN {tombstones} AS gone ON gone.entity = '{of}' AND gone.id = element.id"
            ))
        });
        format!(
            "SELECT id, min(message_id) FROM ({}) AS gone
             WHERE NOT EXISTS (SELECT 1 FROM {} AS letter WHERE letter.destination = '{}'
                 AND letter.entity = '{}' AND letter.id = gone.id AND letter.part = ''
                 AND letter.kind = 'delete')
             GROUP BY id ORDER BY id",
            ends.chain(elements).collect::<Vec<_>>().join(" UNION ALL "),
            self.table(DEAD_LETTERS),
            self.destination.replace('\'', "''"),
            entity.name,
        )
        .into()
    }

    fn rows_go(&self, statements: &mut TableStatements) {
        let entity = statements.entity;
        let table = self.table(entity.table);
        let listed = self.dialect.is_listed("id");
        statements.delete.push(format!("DELETE FROM {table} WHERE {listed}").into());
        let elements = statements.elements.iter().map(|list| Sql::clone(&list.prune));
        statements.delete.extend(elements.collect::<Vec<_>>());
        if !entity.parents.is_empty() {
            let (suppressed, name) = (self.table(SUPPRESSED), entity.name);
            let forget = format!("DELETE FROM {suppressed} WHERE entity = '{name}' AND {listed}");
            statements.delete.push(forget.into());
        }
        for parent in entity.parents {
            let children = self.dialect.is_listed(&format!("child.{}", quoted(parent.column)));
            statements.parent_gone.push((parent.entity, self.suppress(entity, &children)));
        }
        statements.settle.extend(self.suppress_orphans(entity));
        let gone = self.tombstone_of(entity.name, "child.id");
        let sweep = format!("DELETE FROM {table} AS child WHERE EXISTS ({gone})");
        statements.sweep.push(sweep.into());
        if !entity.parents.is_empty() {
            statements.sweep.extend(self.suppress(entity, &self.orphaned(entity)));
        }
    }

    fn suppress_orphans(&self, entity: &Entity) -> Vec<Sql> {
        if entity.parents.is_empty() {
            return Vec::new();
        }
        let listed = self.dialect.is_listed("child.id");
        let mut statements =
            self.suppress(entity, &format!("{listed} AND ({})", self.orphaned(entity)));
        // What has a row again is no longer suppressed.
        statements.push(
            format!(
                "DELETE FROM {} AS hidden WHERE hidden.entity = '{}' AND {}
                 AND EXISTS (SELECT 1 FROM {} AS child WHERE child.id = hidden.id)",
                self.table(SUPPRESSED),
                entity.name,
                self.dialect.is_listed("hidden.id"),
                self.table(entity.table),
            )
            .into(),
        );
        statements
    }

    /// Takes the rows that meet the condition away, and keeps their versions: a later version
    /// whose parents are there may come, an earlier one may not.
    fn suppress(&self, entity: &Entity, condition: &str) -> Vec<Sql> {
        let table = self.table(entity.table);
        let version = VERSION_COLUMNS.join(", ");
        let set = VERSION_COLUMNS.map(|column| format!("{column} = excluded.{column}")).join(", ");
        let keep = format!(
            "INSERT INTO {} (entity, id, {version})
             SELECT '{}', id, {version} FROM {table} AS child WHERE {condition}
             ON CONFLICT (entity, id) DO UPDATE SET {set}",
            self.table(SUPPRESSED),
            entity.name,
        );
        let mut statements: Vec<Sql> = vec![keep.into()];
        for list in entity.children {
            statements.push(
                format!(
                    "DELETE FROM {} WHERE {} IN
                     (SELECT child.id FROM {table} AS child WHERE {condition})",
                    self.table(list.table),
                    quoted(list.parent),
                )
                .into(),
            );
        }
        statements.push(format!("DELETE FROM {table} AS child WHERE {condition}").into());
        statements
    }

    fn rows_are_marked(&self, statements: &mut TableStatements) {
        let entity = statements.entity;
        let mark = self.mark(entity);
        let listed = self.dialect.is_listed("child.id");
        let of_ids: Sql = format!("{mark} AND {listed}").into();
        statements.settle.push(of_ids);
        for parent in entity.parents {
            let children = self.dialect.is_listed(&format!("child.{}", quoted(parent.column)));
            let of_parents = format!("{mark} AND {children}").into();
            statements.parent_gone.push((parent.entity, vec![of_parents]));
        }
        statements.sweep.push(mark.into());
        // Left from when deleted rows went.
        let suppressed = self.table(SUPPRESSED);
        let forget = format!("DELETE FROM {suppressed} WHERE entity = '{}'", entity.name);
        statements.sweep.push(forget.into());
    }

    /// Writes when the row `child` was deleted: the earliest tombstone of its own or of a parent.
    fn mark(&self, entity: &Entity) -> String {
        let own = [Parent { entity: entity.name, column: "id" }];
        let ends = own.iter().chain(entity.parents).map(|parent| {
            format!(
                "SELECT gone.occurred_at FROM {} AS gone
                 WHERE gone.entity = '{}' AND gone.id = child.{}",
                self.table(TOMBSTONES),
                parent.entity,
                quoted(parent.column),
            )
        });
        let ends = ends.collect::<Vec<_>>().join(" UNION ALL ");
        let earliest = format!("(SELECT min(ends.occurred_at) FROM ({ends}) AS ends)");
        format!(
            "UPDATE {} AS child SET {DELETED_AT} = {earliest}
             WHERE child.{DELETED_AT} IS DISTINCT FROM {earliest}",
            self.table(entity.table),
        )
    }

    fn resolve(&self, entity: &Entity) -> Sql {
        let letters = self.table(DEAD_LETTERS);
        let newer = |table: &str, condition: &str| {
            format!(
                "EXISTS (SELECT 1 FROM {} AS newer
                 WHERE newer.id = letter.id {condition} AND {})",
                self.table(table),
                not_older("newer.", "letter."),
            )
        };
        let mut overtaken = vec![
            format!("EXISTS ({})", self.tombstone_of(entity.name, "letter.id")),
            newer(entity.table, ""),
        ];
        if !entity.parents.is_empty() {
            overtaken.push(newer(SUPPRESSED, &format!("AND newer.entity = '{}'", entity.name)));
        }
        format!(
            "DELETE FROM {letters} AS letter
             WHERE letter.destination = '{}' AND letter.entity = '{}' AND letter.part = ''
                 AND letter.kind <> 'delete' AND {} AND ({})",
            self.destination.replace('\'', "''"),
            entity.name,
            self.dialect.is_listed("letter.id"),
            overtaken.join(" OR "),
        )
        .into()
    }
}
