//! Making a live table the same as one that was built beside it.

use super::names::{not_older, version_of};
use crate::db::{Dialect, Sql, Table, quoted};
use crate::entity::Entity;
use crate::schema::{DEAD_LETTERS, VERSION_COLUMNS};

const MESSAGE_ID: &str = VERSION_COLUMNS[3];

/// The two statements that make a live table the same as its shadow.
#[derive(Debug)]
pub(crate) struct MergeStatements {
    pub(crate) remove: Sql,
    pub(crate) write: Sql,
}

/// Two schemas of one database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schemas<'a> {
    pub(crate) dialect: Dialect,
    pub(crate) live: &'a str,
    pub(crate) shadow: &'a str,
}

impl MergeStatements {
    /// For this table. `of`: the entity whose rows these are, by the table's column that has its id.
    /// Its dead letters stay out, as the live database has refused their rows, and so do versions that
    /// are older than one from Clerk's API, which no log has. `has_gaps`: the shadow may have older
    /// versions than the live table, which stay out too.
    pub(crate) fn new(
        schemas: Schemas<'_>,
        table: &Table,
        of: Option<(&Entity, &str)>,
        has_gaps: bool,
    ) -> Self {
        let Schemas { dialect, live, shadow } = schemas;
        let (live_table, shadow) =
            (dialect.table(live, table.name), dialect.table(shadow, table.name));
        let same = table.primary_key.iter().map(|column| {
            let column = quoted(column);
            format!("made.{column} = kept.{column}")
        });
        let mut remove = format!(
            "DELETE FROM {live_table} AS kept WHERE NOT EXISTS
             (SELECT 1 FROM {shadow} AS made WHERE {})",
            same.collect::<Vec<_>>().join(" AND ")
        );
        let mut wanted = "true".to_owned();
        if let Some((entity, column)) = of {
            let column = quoted(column);
            let fetched = format!(
                "SELECT 1 FROM {} AS fetched WHERE fetched.{MESSAGE_ID} = '' AND fetched.id = ",
                dialect.table(live, entity.table)
            );
            remove += &format!(" AND NOT EXISTS ({fetched} kept.{column})");
            let [newer, older] = ["fetched.", "made."].map(|row| version_of(row, VERSION_COLUMNS));
            wanted = format!(
                "NOT EXISTS (SELECT 1 FROM {} AS letter WHERE letter.part = ''
                 AND letter.entity = '{}' AND letter.id = made.{column})
                 AND NOT EXISTS ({fetched} made.{column} AND {newer} > {older})",
                dialect.table(live, DEAD_LETTERS),
                entity.name,
            );
        }
        let write = write(table, &live_table, &shadow, &wanted, has_gaps);
        Self { remove: remove.into(), write: write.into() }
    }
}

fn write(table: &Table, live: &str, shadow: &str, wanted: &str, has_gaps: bool) -> String {
    let columns: Vec<_> = table.columns.iter().map(|column| quoted(column.name)).collect();
    let key: Vec<_> = table.primary_key.iter().map(|column| quoted(column)).collect();
    let others: Vec<_> = columns.iter().filter(|column| !key.contains(column)).collect();
    let set = others.iter().map(|column| format!("{column} = excluded.{column}"));
    let differs =
        others.iter().map(|column| format!("kept.{column} IS DISTINCT FROM excluded.{column}"));
    let mut changed = format!("({})", differs.collect::<Vec<_>>().join(" OR "));
    let has_version = table.columns.iter().any(|column| column.name == VERSION_COLUMNS[0]);
    if has_gaps && has_version {
        changed += &format!(" AND {}", not_older("excluded.", "kept."));
    }
    let made = columns.iter().map(|column| format!("made.{column}"));
    format!(
        "INSERT INTO {live} AS kept ({}) SELECT {} FROM {shadow} AS made WHERE {wanted}
         ON CONFLICT ({}) DO UPDATE SET {} WHERE {}",
        columns.join(", "),
        made.collect::<Vec<_>>().join(", "),
        key.join(", "),
        set.collect::<Vec<_>>().join(", "),
        changed,
    )
}
