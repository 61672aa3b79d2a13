//! The mirror's tables, declared once for every database: the entities' and the bookkeeping's.

use crate::config::OnDelete;
use crate::db::{Table, TableColumn};
use crate::entity::{Children, Column, Entity};
use crate::mapping::{Mapping, Mappings};
use crate::value::Kind;

/// Raised with every change of the tables, so that a program can tell that a database is newer
/// than itself.
pub const SCHEMA_VERSION: i64 = 2;

/// The bookkeeping columns of every mirrored row, behind its own and `raw`, in the order in which
/// versions are compared.
pub(crate) const VERSION_COLUMNS: [&str; 4] =
    ["_updated_at_ms", "_occurred_at_ms", "_rank", "_message_id"];
/// The [rank](crate::Rank) of rows that were written before there were ranks.
pub(crate) const RANK_BEFORE: &str = "1";
/// The column that holds the entity's JSON.
pub(crate) const RAW: &str = "raw";
/// The column that says when an entity was deleted, where deleted rows are kept.
pub(crate) const DELETED_AT: &str = "deleted_at";
/// The column that says by which mapping a row was made.
pub(crate) const MAPPING_REV: &str = "_mapping_rev";

/// The column of a checkpoint that says of which mapping every row is, those among them that the log
/// no longer has.
pub(crate) const REMADE_REV: &str = "remade_rev";

/// The migrations of this database: one row for each table, column and index.
pub(crate) const MIGRATIONS: &str = "_migrations";
/// Each destination's checkpoint.
pub(crate) const CHECKPOINTS: &str = "_checkpoints";
/// Entities that are gone.
pub(crate) const TOMBSTONES: &str = "_tombstones";
/// The versions of entities whose parent is gone: they have no row, and older versions stay out.
pub(crate) const SUPPRESSED: &str = "_suppressed";
/// The records of mapped tables and statements.
pub(crate) const VERSIONS: &str = "_versions";
/// Events that cannot be applied, and what waits for other rows or for other people's locks.
pub(crate) const DEAD_LETTERS: &str = "_dead_letters";
/// Tables and statements that the database refuses whatever the row, each with a checkpoint of its
/// own.
pub(crate) const BLOCKED: &str = "_blocked";

/// Every table that a mirror of these entities needs, the record of migrations first.
pub(crate) fn tables(mappings: &Mappings) -> Vec<Table> {
    let on_delete = mappings.on_delete();
    let mut tables = bookkeeping();
    for mapping in mappings.iter() {
        tables.push(mirrored(mapping, on_delete));
        let children = mapping.entity.children.iter();
        tables.extend(children.map(|children| element_table(children, on_delete)));
    }
    tables
}

fn mirrored(mapping: &Mapping, on_delete: OnDelete) -> Table {
    let Entity { table, columns: declared, .. } = mapping.entity;
    let mut columns: Vec<_> = mapping.columns.iter().map(|column| own(column)).collect();
    columns.extend(last_columns(on_delete));
    let kept = |name: &str| mapping.columns.iter().any(|column| column.name == name);
    let indexed = declared.iter().filter(|column| column.indexed && kept(column.name));
    let indexes = indexed.map(|column| vec![column.name]).collect();
    Table { name: table, columns, primary_key: vec!["id"], indexes, keyed: false }
}

fn element_table(children: &Children, on_delete: OnDelete) -> Table {
    let mut columns = vec![required(children.parent, Kind::Id)];
    columns.extend(children.columns.iter().map(own));
    columns.extend(last_columns(on_delete));
    Table {
        name: children.table,
        columns,
        primary_key: vec![children.parent, "id"],
        // Deletes of what the elements are look them up.
        indexes: children.of.map(|_| vec!["id"]).into_iter().collect(),
        keyed: false,
    }
}

fn own(column: &Column) -> TableColumn {
    TableColumn { not_null: column.name == "id", ..optional(column.name, column.kind) }
}

/// The last columns of every mirrored table.
pub(crate) fn last_columns(on_delete: OnDelete) -> Vec<TableColumn> {
    let mut columns = vec![required(RAW, Kind::Json)];
    if on_delete == OnDelete::Mark {
        columns.push(optional(DELETED_AT, Kind::Time));
    }
    columns.extend(version_columns());
    columns.push(required(MAPPING_REV, Kind::Integer));
    columns
}

fn version_columns() -> [TableColumn; 4] {
    let [updated_at, occurred_at, rank, message_id] = VERSION_COLUMNS;
    [
        required(updated_at, Kind::Integer),
        required(occurred_at, Kind::Integer),
        TableColumn { default: Some(RANK_BEFORE), ..required(rank, Kind::Integer) },
        required(message_id, Kind::Id),
    ]
}

fn bookkeeping() -> Vec<Table> {
    let id = |name| required(name, Kind::Id);
    let integer = |name| required(name, Kind::Integer);
    let keyed = |name, primary_key: &[&'static str], columns: Vec<TableColumn>| Table {
        name,
        columns,
        primary_key: primary_key.to_vec(),
        indexes: Vec::new(),
        keyed: true,
    };
    let migrations = [id("step"), integer("version"), required("applied_at", Kind::Time)];
    let checkpoint = [
        id("log_id"),
        id("destination"),
        integer("seq"),
        id("message_id"),
        integer("token"),
        integer("mapping_rev"),
        required("updated_at", Kind::Time),
        // Below zero: the statements are held back.
        TableColumn { default: Some("0"), ..integer("statements_seq") },
        TableColumn { default: Some("0"), ..integer(REMADE_REV) },
    ];
    let tombstone = [id("entity"), id("id"), required("occurred_at", Kind::Time), id("message_id")];
    vec![
        keyed(MIGRATIONS, &["step"], migrations.to_vec()),
        keyed(CHECKPOINTS, &["destination", "log_id"], checkpoint.to_vec()),
        keyed(TOMBSTONES, &["entity", "id"], tombstone.to_vec()),
        keyed(
            SUPPRESSED,
            &["entity", "id"],
            [id("entity"), id("id")].into_iter().chain(version_columns()).collect(),
        ),
        versions(),
        dead_letters(),
        keyed(BLOCKED, &["destination", "kind", "part"], blocked()),
    ]
}

/// Of a row of `_versions` that was read from the API because of an event, the event's message id.
pub(crate) const CAUSED_BY: &str = "caused_by";

pub(crate) fn versions() -> Table {
    let [updated_at, occurred_at, rank, message_id] = version_columns();
    let nullable = |column| TableColumn { not_null: false, ..column };
    let integer = |name| optional(name, Kind::Integer);
    let id = |name| optional(name, Kind::Id);
    let flag = |name| TableColumn { default: Some("false"), ..required(name, Kind::Boolean) };
    Table {
        name: VERSIONS,
        columns: vec![
            required("destination", Kind::Id),
            required("mapping", Kind::Id),
            required("id", Kind::Id),
            // Null where only a delete is known.
            nullable(updated_at),
            nullable(occurred_at),
            rank,
            nullable(message_id),
            integer("created_at_ms"),
            id("parent_1"),
            id("parent_2"),
            // As the database has the key, so that equal keys are equal texts.
            id("key"),
            // As the expressions gave it; null where that is known to be the same text.
            id("given_key"),
            optional("columns", Kind::Text),
            integer("ended_at_ms"),
            id("ended_by"),
            id("shown"),
            flag("flagged"),
            optional("parked_since", Kind::Time),
            flag("given_up"),
            // While it waits: when it is tried again, how often it was, and what it waits for.
            optional("retry_at", Kind::Time),
            TableColumn { default: Some("0"), ..required("tries", Kind::Integer) },
            optional("reason", Kind::Text),
            id("constraint_name"),
            id("waits_for"),
            id("source"),
            id("event_type"),
            id(CAUSED_BY),
            integer("mapping_rev"),
        ],
        primary_key: vec!["destination", "mapping", "id"],
        indexes: vec![
            vec!["destination", "mapping", "key"],
            vec!["destination", "mapping", "shown"],
            vec!["destination", "mapping", "parent_1"],
            vec!["destination", "mapping", "parent_2"],
            vec!["destination", "mapping", "retry_at"],
            vec!["destination", "mapping", "waits_for"],
        ],
        keyed: false,
    }
}

fn blocked() -> Vec<TableColumn> {
    let id = |name| required(name, Kind::Id);
    vec![
        id("destination"),
        // `mirror`, `mapped` or `statement`.
        id("kind"),
        // The mirror's table, the mapped table or the statement.
        id("part"),
        // The last event that was applied to it.
        required("seq", Kind::Integer),
        required("since", Kind::Time),
        required("reason", Kind::Text),
        id("cause"),
        required("retry_at", Kind::Time),
    ]
}

fn dead_letters() -> Table {
    let id = |name| required(name, Kind::Id);
    let columns = [
        id("destination"),
        id("source"),
        id("message_id"),
        id("event_type"),
        // Which mapped table or statement refused it; empty for the mirror.
        id("part"),
        id("entity"),
        // Empty where the event names none that a row could have.
        id("id"),
        required("reason", Kind::Text),
        TableColumn { default: Some("false"), ..required("retry", Kind::Boolean) },
        optional("failed_at", Kind::Time),
        // What was refused: `row`, `delete`, `statement`, or the `event` itself.
        TableColumn { default: Some("'row'"), ..required("kind", Kind::Text) },
        // Not null while it is retried automatically: it is no dead letter yet.
        optional("waiting_since", Kind::Time),
        optional("retry_at", Kind::Time),
        TableColumn { default: Some("0"), ..required("tries", Kind::Integer) },
        // The database's code, and what it names.
        optional("cause", Kind::Id),
        optional("constraint_name", Kind::Id),
        optional("table_name", Kind::Id),
        // Of a statement: its event's seq in the log, and that of the event which it queues behind.
        optional("seq", Kind::Integer),
        optional("behind_seq", Kind::Integer),
    ];
    Table {
        name: DEAD_LETTERS,
        columns: columns.into_iter().chain(version_columns()).collect(),
        primary_key: vec!["destination", "source", "message_id", "part", "entity", "id"],
        indexes: vec![
            vec!["entity", "id"],
            vec!["destination", "retry_at"],
            vec!["destination", "entity", "id", "seq"],
        ],
        keyed: false,
    }
}

fn required(name: &'static str, kind: Kind) -> TableColumn {
    TableColumn { not_null: true, ..optional(name, kind) }
}

fn optional(name: &'static str, kind: Kind) -> TableColumn {
    TableColumn { name, kind, not_null: false, default: None }
}
