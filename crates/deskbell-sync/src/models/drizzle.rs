//! `drizzle`: the tables for Drizzle, in the schema on PostgreSQL.

use std::collections::BTreeSet;

use super::header::header;
use super::names::camel;
use super::tables::{ModelTables, columns_to_read};
use crate::db::{Dialect, Table, TableColumn};
use crate::value::Kind;

pub(super) fn write(tables: &ModelTables<'_>) -> String {
    let mut imports = BTreeSet::new();
    let bodies: Vec<_> = tables.mirrored().map(|table| body(tables, table, &mut imports)).collect();
    let (module, constructor) = match tables.dialect {
        Dialect::Postgres => ("pg-core", "pgSchema"),
        Dialect::Sqlite => ("sqlite-core", "sqliteTable"),
    };
    imports.insert(constructor);
    let imports: Vec<_> = imports.into_iter().collect();
    let mut text = header(tables, "drizzle", MORE);
    text += &format!("\nimport {{ {} }} from 'drizzle-orm/{module}'\n", imports.join(", "));
    if tables.dialect == Dialect::Postgres {
        text += &format!("\nexport const {} = pgSchema('{}')\n", schema(tables), tables.schema);
    }
    text + &bodies.concat()
}

const MORE: &str = "\
Keep this file out of `schema` in drizzle.config.ts, so that drizzle-kit makes no migrations for these tables, and use
it in queries: `import * as clerk from './clerk'`, then `db.select().from(clerk.users)`.
Whole numbers are read as numbers, and columns that end in `_decimal` as texts with every digit.";

/// The constant that is the schema; no table has a name like it.
fn schema(tables: &ModelTables<'_>) -> String {
    format!("{}Schema", camel(tables.schema))
}

fn body(tables: &ModelTables<'_>, table: &Table, imports: &mut BTreeSet<&'static str>) -> String {
    let make = match tables.dialect {
        Dialect::Postgres => format!("{}.table", schema(tables)),
        Dialect::Sqlite => "sqliteTable".to_owned(),
    };
    let key = table.primary_key.as_slice();
    let fields: String =
        columns_to_read(table).map(|column| field(tables.dialect, column, key, imports)).collect();
    let name = tables.local_name(table);
    let head = format!("\nexport const {} = {make}('{name}', {{\n{fields}}}", camel(table.name));
    if key.len() == 1 {
        return head + ")\n";
    }
    imports.insert("primaryKey");
    let columns: Vec<_> = key.iter().map(|column| format!("table.{}", camel(column))).collect();
    let columns = columns.join(", ");
    format!("{head}, (table) => [primaryKey({{ columns: [{columns}] }})])\n")
}

fn field(
    dialect: Dialect,
    column: &TableColumn,
    key: &[&str],
    imports: &mut BTreeSet<&'static str>,
) -> String {
    let (function, options) = function(dialect, column.kind);
    imports.insert(function);
    let name = camel(column.name);
    let own_name = (name != column.name).then(|| format!("'{}'", column.name));
    let options = (!options.is_empty()).then(|| options.to_owned());
    let arguments: Vec<_> = own_name.into_iter().chain(options).collect();
    let constraint = match column.not_null {
        _ if key == [column.name] => ".primaryKey()",
        true => ".notNull()",
        false => "",
    };
    format!("  {name}: {function}({}){constraint},\n", arguments.join(", "))
}

/// The function of a column's type, and its options.
fn function(dialect: Dialect, kind: Kind) -> (&'static str, &'static str) {
    match (dialect, kind) {
        (_, Kind::Id | Kind::Text) | (Dialect::Sqlite, Kind::Decimal | Kind::Time) => ("text", ""),
        (Dialect::Sqlite, Kind::Json) => ("text", "{ mode: 'json' }"),
        (Dialect::Sqlite, Kind::Integer) => ("integer", ""),
        (Dialect::Sqlite, Kind::Boolean) => ("integer", "{ mode: 'boolean' }"),
        (Dialect::Postgres, Kind::Integer) => ("bigint", "{ mode: 'number' }"),
        (Dialect::Postgres, Kind::Decimal) => ("numeric", ""),
        (Dialect::Postgres, Kind::Boolean) => ("boolean", ""),
        (Dialect::Postgres, Kind::Time) => ("timestamp", "{ withTimezone: true }"),
        (Dialect::Postgres, Kind::Json) => ("jsonb", ""),
    }
}
