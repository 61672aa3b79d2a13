//! `kysely`: the interface `Database` for Kysely, whose columns can only be selected.

use super::header::header;
use super::names::pascal;
use super::row_type::{JSON, explanation, row_type};
use super::tables::{ModelTables, columns_to_read};
use crate::db::{Dialect, Table};

/// A column with a default can be left out of an insert, and a column that may not be in one must be.
const IMPORTS: &str = "
import type { ColumnType } from 'kysely'

/** A column that Deskbell alone writes: neither `insertInto` nor `updateTable` takes it. */
export type ReadOnly<T> = ColumnType<T, never, never>
";

pub(super) fn write(tables: &ModelTables<'_>) -> String {
    let database = tables
        .mirrored()
        .map(|table| format!("  '{}': {}\n", tables.display_name(table), interface_name(table)));
    let mut text = header(tables, "kysely", &more(tables.dialect));
    text += IMPORTS;
    if tables.dialect == Dialect::Postgres {
        text += &format!("\n{JSON}");
    }
    text += &format!("\nexport interface Database {{\n{}}}\n", database.collect::<String>());
    for table in tables.mirrored() {
        text += &interface(tables.dialect, table);
    }
    text
}

fn more(dialect: Dialect) -> String {
    format!(
        "Beside tables of your own: `new Kysely<Database & YourDatabase>(…)`. With CamelCasePlugin, names are others.\n{}",
        explanation(dialect)
    )
}

fn interface_name(table: &Table) -> String {
    format!("{}Table", pascal(table.name))
}

fn interface(dialect: Dialect, table: &Table) -> String {
    let fields = columns_to_read(table)
        .map(|column| format!("  {}: ReadOnly<{}>\n", column.name, row_type(dialect, column)));
    format!("\nexport interface {} {{\n{}}}\n", interface_name(table), fields.collect::<String>())
}
