//! What a column's value is in TypeScript when a driver has read it.

use crate::db::{Dialect, TableColumn};
use crate::value::Kind;

/// The type of every JSON value.
pub(super) const JSON: &str = "\
export type Json = string | number | boolean | null | Json[] | { [member: string]: Json }
";

/// As node-postgres and postgres.js, or better-sqlite3 and node:sqlite, return it.
pub(super) fn row_type(dialect: Dialect, column: &TableColumn) -> String {
    let name = match (dialect, column.kind) {
        (_, Kind::Id | Kind::Text | Kind::Decimal) | (Dialect::Sqlite, Kind::Time | Kind::Json) => {
            "string"
        }
        // A bigint, which may be larger than a number of JavaScript's.
        (Dialect::Postgres, Kind::Integer) => "string",
        (Dialect::Sqlite, Kind::Integer | Kind::Boolean) => "number",
        (Dialect::Postgres, Kind::Boolean) => "boolean",
        (Dialect::Postgres, Kind::Time) => "Date",
        (Dialect::Postgres, Kind::Json) => "Json",
    };
    if column.not_null { name.to_owned() } else { format!("{name} | null") }
}

/// What the values are, for the header.
pub(super) fn explanation(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "The types are those that node-postgres (`pg`) returns: whole numbers are `bigint` in the database and\n\
             texts in a row, so that no digit is lost (`Number(row.members_count)`); times are `Date`."
        }
        Dialect::Sqlite => {
            "The types are those that better-sqlite3 and node:sqlite return: true is 1, times are texts such as\n\
             2026-01-05T09:04:22.417Z, which sort as the times do, and JSON is text (`JSON.parse(row.raw)`)."
        }
    }
}
