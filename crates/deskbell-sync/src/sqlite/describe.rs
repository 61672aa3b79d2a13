//! A table of the application's as SQLite has it.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use crate::mapped::{Class, LiveColumn, LiveTable};
use crate::schema::{Dialect, quoted};
use crate::session::DatabaseError;

/// What `pragma_table_xinfo` says of a generated column.
const GENERATED: [i64; 2] = [2, 3];

/// The table of this name; SQLite does not tell names apart by case.
pub(super) async fn table(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<LiveTable>, DatabaseError> {
    let name: Option<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name = $1 COLLATE NOCASE",
    )
    .bind(name.strip_prefix("main.").unwrap_or(name))
    .fetch_optional(&mut *connection)
    .await?;
    let Some(name) = name else { return Ok(None) };
    let columns = columns(connection, &name).await?;
    let unique = unique(connection, &name, &columns).await?;
    let columns = columns.into_iter().map(|(column, _)| column).collect();
    Ok(Some(LiveTable { name: quoted(&name), columns, unique }))
}

/// The columns, each with its place in the primary key, from 1.
async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<(LiveColumn, i64)>, DatabaseError> {
    type Row = (String, String, i64, Option<String>, i64, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo($1)",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let only_key = rows.iter().filter(|(.., key, _)| *key > 0).count() == 1;
    let column = |(name, type_name, not_null, default, key, hidden): Row| {
        // Filled by SQLite where it is left out.
        let row_id = only_key && key == 1 && type_name.eq_ignore_ascii_case("integer");
        let column = LiveColumn {
            class: Class::of(Dialect::Sqlite, &type_name),
            not_null: not_null != 0 && !row_id,
            generated: GENERATED.contains(&hidden),
            name,
            type_name,
            default,
        };
        (column, key)
    };
    Ok(rows.into_iter().map(column).collect())
}

async fn unique(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[(LiveColumn, i64)],
) -> Result<Vec<BTreeSet<String>>, DatabaseError> {
    let rows: Vec<(String, Option<String>)> = sqlx::query_as(
        "SELECT list.name, info.name FROM pragma_index_list($1) AS list,
         pragma_index_info(list.name) AS info WHERE list.\"unique\" = 1 AND list.partial = 0",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let names: BTreeSet<_> = rows.iter().map(|(index, _)| index).collect();
    let mut unique: Vec<BTreeSet<String>> = Vec::new();
    for index in names {
        let of_index = rows.iter().filter(|(name, _)| name == index);
        // An expression has no name, and tells rows apart by something else than columns.
        let of_index: Option<BTreeSet<_>> = of_index.map(|(_, column)| column.clone()).collect();
        unique.extend(of_index);
    }
    let key = columns.iter().filter(|(_, place)| *place > 0);
    let key: BTreeSet<_> = key.map(|(column, _)| column.name.clone()).collect();
    if !key.is_empty() && !unique.contains(&key) {
        unique.push(key);
    }
    Ok(unique)
}
