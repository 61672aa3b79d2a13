//! The SQL of the mirror on SQLite, written once when it is opened.
//!
//! Sets of ids come as one JSON array, so that a statement's text does not depend on their number.
//! Rows come as lists of values: measured, these are twice as fast as JSON for wide rows.

use std::sync::Arc;

use crate::entity::{Entity, Parent};
use crate::mapping::{Mapping, Mappings};
use crate::schema::{
    CHECKPOINTS, DEAD_LETTERS, Dialect, MAPPING_REV, RAW, SUPPRESSED, TOMBSTONES, VERSION_COLUMNS,
};

/// Rows in the largest upsert. More rows make it no faster, and its parameters must stay below
/// SQLite's limit of 32,766.
const CHUNK_ROWS_MAX: usize = 128;

pub(super) type Sql = Arc<str>;

#[derive(Debug)]
pub(super) struct Statements {
    pub(super) checkpoints: Sql,
    pub(super) swap_checkpoint: Sql,
    pub(super) insert_checkpoint: Sql,
    /// Parameter: rows of entity, id, occurred_at, message id.
    pub(super) bury: Sql,
    /// Parameter: rows of the table's columns.
    pub(super) dead_letter: Sql,
    pub(super) tables: Vec<TableStatements>,
}

/// What concerns the table of one entity. The parameters are arrays of its ids, if not said
/// otherwise.
#[derive(Debug)]
pub(super) struct TableStatements {
    pub(super) entity: &'static Entity,
    /// Upserts of this many rows, the largest first and the last of one.
    upserts: Vec<(usize, Sql)>,
    /// Removes the rows of entities that are gone, and what else is known about them.
    pub(super) delete: Vec<Sql>,
    /// By the parent's entity, with its ids for a parameter: what is to be done with the children.
    pub(super) parent_gone: Vec<(&'static str, Vec<Sql>)>,
    /// What follows a batch, with every id that it says anything about: rows whose parent is gone
    /// go, and so do dead letters that a later version or a tombstone has overtaken.
    pub(super) settle: Vec<Sql>,
    /// Without a parameter, and over the whole table: takes away what went while this entity was
    /// not mirrored here.
    pub(super) sweep: Vec<Sql>,
}

impl TableStatements {
    /// The upsert for as many of `rows` rows as one statement takes, and how many these are.
    pub(super) fn upsert(&self, rows: usize) -> Option<(usize, Sql)> {
        let fits = self.upserts.iter().find(|(chunk, _)| *chunk <= rows)?;
        Some((fits.0, Arc::clone(&fits.1)))
    }
}

impl Statements {
    pub(super) fn new(schema: &str, mappings: &Mappings) -> Self {
        let names = Names { schema };
        let checkpoints = names.table(CHECKPOINTS);
        let now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";
        Self {
            checkpoints: select_checkpoints(schema).into(),
            swap_checkpoint: format!(
                "UPDATE {checkpoints}
                 SET seq = ?1, message_id = ?2, token = ?3, mapping_rev = ?4, updated_at = {now}
                 WHERE destination = ?5 AND log_id = ?6 AND seq = ?7 AND token = ?8"
            )
            .into(),
            insert_checkpoint: format!(
                "INSERT INTO {checkpoints}
                 (destination, log_id, seq, message_id, token, mapping_rev, updated_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, {now}) ON CONFLICT DO NOTHING"
            )
            .into(),
            bury: names.bury(),
            dead_letter: names.dead_letter(),
            tables: mappings.iter().map(|mapping| names.table_statements(mapping)).collect(),
        }
    }
}

/// A destination's checkpoints, the one that was moved last first.
pub(super) fn select_checkpoints(schema: &str) -> String {
    format!(
        "SELECT log_id, seq, message_id, token, mapping_rev FROM {}
         WHERE destination = ?1 ORDER BY updated_at DESC",
        Names { schema }.table(CHECKPOINTS)
    )
}

/// An identifier as SQL takes it whatever it is.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Writes statements about the tables of one schema.
struct Names<'a> {
    schema: &'a str,
}

impl Names<'_> {
    fn table(&self, table: &str) -> String {
        quoted(&Dialect::Sqlite.table_name(self.schema, table))
    }

    /// The earliest delete is kept, so that the order of arrival leaves no trace.
    fn bury(&self) -> Sql {
        let tombstones = self.table(TOMBSTONES);
        format!(
            "INSERT INTO {tombstones} AS kept (entity, id, occurred_at, message_id)
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1) WHERE true
             ON CONFLICT (entity, id) DO UPDATE
             SET occurred_at = excluded.occurred_at, message_id = excluded.message_id
             WHERE (excluded.occurred_at, excluded.message_id) < (kept.occurred_at, kept.message_id)"
        )
        .into()
    }

    fn dead_letter(&self) -> Sql {
        let [updated_at, occurred_at, message_id] = VERSION_COLUMNS;
        format!(
            "INSERT INTO {} (source, message_id, event_type, entity, id, reason,
                             {updated_at}, {occurred_at}, {message_id})
             SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
                    value ->> 6, value ->> 7, value ->> 1
             FROM json_each(?1) WHERE true
             ON CONFLICT DO NOTHING",
            self.table(DEAD_LETTERS)
        )
        .into()
    }

    fn table_statements(&self, mapping: &Mapping) -> TableStatements {
        let entity = mapping.entity;
        let sizes = std::iter::successors(Some(CHUNK_ROWS_MAX), |rows| Some(rows / 2));
        let upserts =
            sizes.take_while(|rows| *rows > 0).map(|rows| (rows, self.upsert(mapping, rows)));
        let suppressed = self.table(SUPPRESSED);
        let table = self.table(entity.table);
        let name = entity.name;
        let mut delete: Vec<Sql> = vec![format!("DELETE FROM {table} WHERE id IN ({IDS})").into()];
        if !entity.parents.is_empty() {
            delete.push(
                format!("DELETE FROM {suppressed} WHERE entity = '{name}' AND id IN ({IDS})")
                    .into(),
            );
        }
        let parent_gone = entity.parents.iter().map(|parent| {
            let children = format!("{} IN ({IDS})", quoted(parent.column));
            (parent.entity, self.suppress(entity, &children).into())
        });
        TableStatements {
            entity,
            upserts: upserts.collect(),
            delete,
            parent_gone: parent_gone.collect(),
            settle: self.settle(entity),
            sweep: self.sweep(entity),
        }
    }

    /// `INSERT … SELECT`, so that a tombstone and a suppressed version stand in the way of the
    /// insert as the row's own version stands in the way of the update.
    fn upsert(&self, mapping: &Mapping, rows: usize) -> Sql {
        let table = self.table(mapping.entity.table);
        let columns: Vec<_> = mapping
            .columns
            .iter()
            .map(|column| column.name)
            .chain([RAW])
            .chain(VERSION_COLUMNS)
            .map(quoted)
            .collect();
        let row = format!("({})", vec!["?"; columns.len()].join(", "));
        let set: Vec<_> =
            columns[1..].iter().map(|name| format!("{name} = excluded.{name}")).collect();
        let first_of_version = columns.len() - 2;
        let given = version_of("given.column", [0, 1, 2].map(|part| first_of_version + part));
        let (old, new) =
            (version_of("kept.", VERSION_COLUMNS), version_of("excluded.", VERSION_COLUMNS));
        format!(
            "INSERT INTO {table} AS kept ({}, {MAPPING_REV})
             SELECT given.*, {revision} FROM (VALUES {}) AS given
             WHERE NOT EXISTS ({}){}
             ON CONFLICT (id) DO UPDATE SET {}, {MAPPING_REV} = excluded.{MAPPING_REV}
             WHERE {new} > {old}
                OR ({new} = {old} AND excluded.{MAPPING_REV} <> kept.{MAPPING_REV})",
            columns.join(", "),
            vec![row; rows].join(", "),
            self.tombstone_of(mapping.entity.name, "given.column1"),
            self.unless_suppressed(mapping.entity, &given),
            set.join(", "),
            revision = mapping.revision,
        )
        .into()
    }

    fn unless_suppressed(&self, entity: &Entity, given: &str) -> String {
        if entity.parents.is_empty() {
            return String::new();
        }
        format!(
            " AND NOT EXISTS (SELECT 1 FROM {} AS hidden WHERE hidden.entity = '{}'
                 AND hidden.id = given.column1 AND {} > {given})",
            self.table(SUPPRESSED),
            entity.name,
            version_of("hidden.", VERSION_COLUMNS),
        )
    }

    fn tombstone_of(&self, entity: &str, id: &str) -> String {
        format!(
            "SELECT 1 FROM {} AS gone WHERE gone.entity = '{entity}' AND gone.id = {id}",
            self.table(TOMBSTONES)
        )
    }

    fn settle(&self, entity: &Entity) -> Vec<Sql> {
        let mut statements = self.suppress_orphans(entity);
        statements.push(self.resolve(entity));
        statements
    }

    fn suppress_orphans(&self, entity: &Entity) -> Vec<Sql> {
        if entity.parents.is_empty() {
            return Vec::new();
        }
        let orphaned = format!("id IN ({IDS}) AND ({})", self.orphaned(entity));
        let mut statements = self.suppress(entity, &orphaned).to_vec();
        // What has a row again is no longer suppressed.
        statements.push(
            format!(
                "DELETE FROM {} WHERE entity = '{}' AND id IN
                 (SELECT child.id FROM {} AS child WHERE child.id IN ({IDS}))",
                self.table(SUPPRESSED),
                entity.name,
                self.table(entity.table),
            )
            .into(),
        );
        statements
    }

    /// The condition that a parent of the row `child` is gone.
    fn orphaned(&self, entity: &Entity) -> String {
        let orphaned = entity.parents.iter().map(|Parent { entity, column }| {
            format!("EXISTS ({})", self.tombstone_of(entity, &format!("child.{}", quoted(column))))
        });
        orphaned.collect::<Vec<_>>().join(" OR ")
    }

    fn sweep(&self, entity: &Entity) -> Vec<Sql> {
        let gone = self.tombstone_of(entity.name, "child.id");
        let table = self.table(entity.table);
        let mut sweep: Vec<Sql> =
            vec![format!("DELETE FROM {table} AS child WHERE EXISTS ({gone})").into()];
        if !entity.parents.is_empty() {
            sweep.extend(self.suppress(entity, &self.orphaned(entity)));
        }
        sweep
    }

    /// Takes the rows that meet the condition away, and keeps their versions: a later version
    /// whose parents are there may come, an earlier one may not.
    fn suppress(&self, entity: &Entity, condition: &str) -> [Sql; 2] {
        let table = self.table(entity.table);
        let [updated_at, occurred_at, message_id] = VERSION_COLUMNS;
        let keep = format!(
            "INSERT INTO {} (entity, id, {updated_at}, {occurred_at}, {message_id})
             SELECT '{}', id, {updated_at}, {occurred_at}, {message_id} FROM {table} AS child
             WHERE {condition}
             ON CONFLICT (entity, id) DO UPDATE SET {updated_at} = excluded.{updated_at},
             {occurred_at} = excluded.{occurred_at}, {message_id} = excluded.{message_id}",
            self.table(SUPPRESSED),
            entity.name,
        );
        [keep.into(), format!("DELETE FROM {table} AS child WHERE {condition}").into()]
    }

    fn resolve(&self, entity: &Entity) -> Sql {
        let letters = self.table(DEAD_LETTERS);
        let newer = |table: &str, condition: &str| {
            let (theirs, its) =
                (version_of("newer.", VERSION_COLUMNS), version_of("letter.", VERSION_COLUMNS));
            format!(
                "EXISTS (SELECT 1 FROM {} AS newer
                 WHERE newer.id = letter.id {condition} AND {theirs} >= {its})",
                self.table(table)
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
            "DELETE FROM {letters} AS letter WHERE entity = '{}' AND id IN ({IDS}) AND ({})",
            entity.name,
            overtaken.join(" OR "),
        )
        .into()
    }
}

/// The ids that came as the statement's first parameter.
const IDS: &str = "SELECT value FROM json_each(?1)";

/// A version as one value that SQLite compares part by part, text as bytes.
fn version_of<T: std::fmt::Display>(prefix: &str, columns: [T; 3]) -> String {
    let [updated_at, occurred_at, message_id] = columns;
    format!("({prefix}{updated_at}, {prefix}{occurred_at}, {prefix}{message_id})")
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

    use super::*;
    use crate::entity;
    use crate::schema::tables;

    /// What a statement reads without an index costs more with every row that the mirror has.
    #[tokio::test]
    async fn no_statement_reads_a_whole_table() {
        let every = entity::ALL.iter().map(|entity| entity.name.to_owned()).collect::<Vec<_>>();
        let mappings = Mappings::new(&every, None).unwrap();
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for table in tables(&mappings) {
            let mut made = vec![Dialect::Sqlite.create_table("clerk", &table)];
            let indexes = table.indexes.iter();
            made.extend(
                indexes.map(|columns| Dialect::Sqlite.create_index("clerk", &table, columns)),
            );
            for sql in made {
                sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            }
        }
        let statements = Statements::new("clerk", &mappings);
        let mut all = vec![
            statements.checkpoints,
            statements.swap_checkpoint,
            statements.insert_checkpoint,
            statements.bury,
            statements.dead_letter,
        ];
        for table in statements.tables {
            all.extend(table.upserts.into_iter().map(|(_, sql)| sql));
            all.extend(table.delete.into_iter().chain(table.settle));
            all.extend(table.parent_gone.into_iter().flat_map(|(_, sql)| sql));
        }
        assert!(all.len() > 40, "{}", all.len());
        for sql in all {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let plan =
                sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut connection).await.unwrap();
            for step in plan.iter().map(|row| row.get::<String, _>(3)) {
                let given = ["json_each", "VALUES CLAUSE", "CONSTANT ROW", "SCAN given"];
                let harmless = given.iter().any(|given| step.contains(given));
                assert!(harmless || !step.contains("SCAN"), "{step}: {sql}");
            }
        }
    }
}
