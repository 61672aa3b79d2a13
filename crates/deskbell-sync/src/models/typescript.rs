//! `typescript`: an interface for the rows of each table.

use super::header::header;
use super::names::pascal_singular;
use super::row_type::{JSON, explanation, row_type};
use super::tables::{ModelTables, columns_to_read};
use crate::db::{Dialect, Table};

pub(super) fn write(tables: &ModelTables<'_>) -> String {
    let mut text = header(tables, "typescript", explanation(tables.dialect));
    if tables.dialect == Dialect::Postgres {
        text += &format!("\n{JSON}");
    }
    for table in tables.mirrored() {
        text += &interface(tables, table);
    }
    text
}

fn interface(tables: &ModelTables<'_>, table: &Table) -> String {
    let fields = columns_to_read(table)
        .map(|column| format!("  {}: {}\n", column.name, row_type(tables.dialect, column)));
    format!(
        "\n/** A row of `{}`. */\nexport interface {} {{\n{}}}\n",
        tables.display_name(table),
        pascal_singular(table.name),
        fields.collect::<String>()
    )
}
