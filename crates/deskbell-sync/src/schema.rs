//! The mirror's tables, declared once for every database: the entities' and the bookkeeping's.

mod dialect;

use crate::entity::{Entity, Kind};
use crate::mapping::{Mapping, Mappings};

pub(crate) use dialect::Dialect;

/// Raised with every change of the tables, so that a program can tell that a database is newer
/// than itself.
pub const SCHEMA_VERSION: i64 = 1;

/// The bookkeeping columns of every mirrored row, behind its own and `raw`.
pub(crate) const VERSION_COLUMNS: [&str; 3] = ["_updated_at_ms", "_occurred_at_ms", "_message_id"];
/// The column that holds the entity's JSON.
pub(crate) const RAW: &str = "raw";
/// The column that says by which mapping a row was made.
pub(crate) const MAPPING_REV: &str = "_mapping_rev";

/// A table, as every dialect can make it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name, without schema or prefix.
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<TableColumn>,
    pub(crate) primary_key: &'static [&'static str],
    /// The columns of each index; none is unique.
    pub(crate) indexes: Vec<&'static [&'static str]>,
    /// Small rows that are looked up by their key alone.
    pub(crate) keyed: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TableColumn {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) not_null: bool,
}

/// What has been done to this database: a row a table, column and index.
pub(crate) const MIGRATIONS: &str = "_migrations";
/// How far each destination has come.
pub(crate) const CHECKPOINTS: &str = "_checkpoints";
/// Entities that are gone.
pub(crate) const TOMBSTONES: &str = "_tombstones";
/// The versions of entities whose parent is gone: they have no row, and older versions stay out.
pub(crate) const SUPPRESSED: &str = "_suppressed";
/// Events that cannot be applied.
pub(crate) const DEAD_LETTERS: &str = "_dead_letters";

/// Every table that a mirror of these entities needs, the record of migrations first.
pub(crate) fn tables(mappings: &Mappings) -> Vec<Table> {
    let mut tables = bookkeeping();
    tables.extend(mappings.iter().map(mirrored));
    tables
}

fn mirrored(mapping: &Mapping) -> Table {
    let Entity { table, columns: declared, .. } = mapping.entity;
    let mut columns: Vec<_> = mapping
        .columns
        .iter()
        .map(|column| TableColumn {
            name: column.name,
            kind: column.kind,
            not_null: column.name == "id",
        })
        .collect();
    columns.extend([
        required(RAW, Kind::Json),
        required(VERSION_COLUMNS[0], Kind::Integer),
        required(VERSION_COLUMNS[1], Kind::Integer),
        required(VERSION_COLUMNS[2], Kind::Text),
        required(MAPPING_REV, Kind::Integer),
    ]);
    let kept = |name: &str| mapping.columns.iter().any(|column| column.name == name);
    let indexed = declared.iter().filter(|column| column.indexed && kept(column.name));
    let indexes = indexed.map(|column| std::slice::from_ref(&column.name)).collect();
    Table { name: table, columns, primary_key: &["id"], indexes, keyed: false }
}

fn bookkeeping() -> Vec<Table> {
    let text = |name| required(name, Kind::Text);
    let integer = |name| required(name, Kind::Integer);
    let time = |name| required(name, Kind::Time);
    let table = |name, primary_key, columns| Table {
        name,
        columns,
        primary_key,
        indexes: Vec::new(),
        keyed: true,
    };
    vec![
        table(MIGRATIONS, &["step"], vec![text("step"), integer("version"), time("applied_at")]),
        table(
            CHECKPOINTS,
            &["destination", "log_id"],
            vec![
                text("log_id"),
                text("destination"),
                integer("seq"),
                text("message_id"),
                integer("token"),
                integer("mapping_rev"),
                time("updated_at"),
            ],
        ),
        table(
            TOMBSTONES,
            &["entity", "id"],
            vec![text("entity"), text("id"), time("occurred_at"), text("message_id")],
        ),
        table(
            SUPPRESSED,
            &["entity", "id"],
            vec![
                text("entity"),
                text("id"),
                integer(VERSION_COLUMNS[0]),
                integer(VERSION_COLUMNS[1]),
                text(VERSION_COLUMNS[2]),
            ],
        ),
        Table {
            indexes: vec![&["entity", "id"]],
            keyed: false,
            ..table(
                DEAD_LETTERS,
                &["source", "message_id", "entity"],
                vec![
                    text("source"),
                    text("message_id"),
                    text("event_type"),
                    text("entity"),
                    TableColumn { name: "id", kind: Kind::Text, not_null: false },
                    text("reason"),
                    integer(VERSION_COLUMNS[0]),
                    integer(VERSION_COLUMNS[1]),
                    text(VERSION_COLUMNS[2]),
                ],
            )
        },
    ]
}

fn required(name: &'static str, kind: Kind) -> TableColumn {
    TableColumn { name, kind, not_null: true }
}
