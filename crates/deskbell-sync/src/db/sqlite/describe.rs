//! A table of the application's as SQLite has it.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use crate::db::dialect::{Dialect, quoted};
use crate::db::error::DatabaseError;
use crate::db::live_table::{ColumnClass, ForeignKey, LiveColumn, LiveTable, UniqueIndex};
use crate::db::tokens::tokens;

/// What `pragma_table_xinfo` says of a generated column.
const GENERATED: [i64; 2] = [2, 3];
/// How SQLite compares texts where nothing else is said.
const BINARY: &str = "BINARY";

/// The table of this name; SQLite does not tell names apart by case.
pub(super) async fn table(
    connection: &mut SqliteConnection,
    name: &str,
) -> Result<Option<LiveTable>, DatabaseError> {
    let found: Option<(String, String, bool)> = sqlx::query_as(
        "SELECT made.name, made.type,
                EXISTS (SELECT 1 FROM pragma_table_list(made.name) AS list
                    WHERE list.schema = 'main' AND list.wr = 0)
         FROM sqlite_schema AS made
         WHERE made.type IN ('table', 'view') AND made.name = $1 COLLATE NOCASE",
    )
    .bind(name.strip_prefix("main.").unwrap_or(name))
    .fetch_optional(&mut *connection)
    .await?;
    let Some((name, kind, row_ids)) = found else { return Ok(None) };
    let columns = columns(connection, &name).await?;
    let unique = unique(connection, &name, &columns).await?;
    Ok(Some(LiveTable {
        name: quoted(&name),
        unique,
        foreign_keys: foreign_keys(connection, &name).await?,
        columns: columns.into_iter().map(|(column, _)| column).collect(),
        rewrites: rewrites(connection, &name).await?,
        row_ids,
        other_than_a_table: (kind == "view").then_some("a view"),
    }))
}

/// Whether a trigger may store something else than what is written.
async fn rewrites(connection: &mut SqliteConnection, table: &str) -> Result<bool, DatabaseError> {
    let triggers: Vec<String> = sqlx::query_scalar(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = $1 COLLATE NOCASE",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    Ok(!triggers.iter().all(|trigger| is_of_deletes(trigger)))
}

/// Whether the text of a trigger says that it is for deletes alone: the last word of what happens before
/// the `ON` of its table.
fn is_of_deletes(trigger: &str) -> bool {
    let words = tokens(trigger, Dialect::Sqlite).filter_map(|(_, token)| token.word());
    let words = words.take_while(|word| !word.eq_ignore_ascii_case("on"));
    let is_event = |word: &&str| {
        ["insert", "update", "delete"].iter().any(|event| word.eq_ignore_ascii_case(event))
    };
    words.filter(is_event).last().is_some_and(|event| event.eq_ignore_ascii_case("delete"))
}

/// The columns, each with its position in the primary key, from 1.
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
            lookup: None,
            class: ColumnClass::of(Dialect::Sqlite, &type_name),
            not_null: not_null != 0 && !row_id,
            generated: GENERATED.contains(&hidden),
            name,
            base: type_name.clone(),
            type_name,
            default,
            length: None,
            collation: None,
            deterministic: true,
            equals: "=".to_owned(),
        };
        (column, key)
    };
    Ok(rows.into_iter().map(column).collect())
}

async fn unique(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[(LiveColumn, i64)],
) -> Result<Vec<UniqueIndex>, DatabaseError> {
    type Row = (String, bool, Option<String>, String, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT list.name, list.partial, info.name, coalesce(info.coll, 'BINARY'), made.sql
         FROM pragma_index_list($1) AS list, pragma_index_xinfo(list.name) AS info
         LEFT JOIN sqlite_schema AS made ON made.type = 'index' AND made.name = list.name
         WHERE list.\"unique\" = 1 AND info.key = 1",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut indexes: BTreeMap<String, UniqueIndex> = BTreeMap::new();
    for (index, partial, column, collation, sql) in rows {
        let entry = indexes.entry(index).or_default();
        if partial {
            entry.flaw = Some("it is a partial index");
            // Of any row, where it is not known which.
            entry.predicate = Some(sql.as_deref().and_then(predicate).unwrap_or("1").to_owned());
        }
        let Some(name) = column else {
            entry.flaw = Some("it is on an expression");
            let sql = sql.unwrap_or_default();
            let named = columns.iter().map(|(column, _)| &column.name);
            entry.columns.extend(named.filter(|name| sql.contains(name.as_str())).cloned());
            continue;
        };
        if !collation.eq_ignore_ascii_case(BINARY) {
            entry.collations.insert(name.clone(), collation.to_ascii_uppercase());
        }
        entry.columns.insert(name);
    }
    let mut unique: Vec<_> = indexes.into_values().collect();
    let key = columns.iter().filter(|(_, position)| *position > 0);
    let key: BTreeSet<_> = key.map(|(column, _)| column.name.clone()).collect();
    if !key.is_empty() && !unique.iter().any(|index| index.columns == key) {
        unique.push(UniqueIndex { columns: key, ..UniqueIndex::default() });
    }
    Ok(unique)
}

/// The text after `WHERE` in the definition of an index.
fn predicate(index: &str) -> Option<&str> {
    let mut words =
        tokens(index, Dialect::Sqlite).filter_map(|(at, token)| Some((at, token.word()?)));
    let (at, word) = words.find(|(_, word)| word.eq_ignore_ascii_case("where"))?;
    Some(&index[at + word.len()..])
}

async fn foreign_keys(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<ForeignKey>, DatabaseError> {
    // Without its columns, a foreign key is to the other table's primary key.
    let rows: Vec<(i64, String, String, Option<String>)> = sqlx::query_as(
        "SELECT list.id, coalesce(made.name, list.\"table\"), list.\"from\",
                coalesce(list.\"to\", (SELECT info.name FROM pragma_table_info(list.\"table\") AS info
                                       WHERE info.pk = list.seq + 1))
         FROM pragma_foreign_key_list($1) AS list LEFT JOIN sqlite_schema AS made
         ON made.type = 'table' AND made.name = list.\"table\" COLLATE NOCASE
         ORDER BY list.id, list.seq",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut keys: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    for (id, parent, column, parent_column) in rows {
        let key = keys.entry(id).or_default();
        key.parent = quoted(&parent);
        key.columns.push(column);
        key.parent_columns.extend(parent_column);
    }
    let whole = |key: &ForeignKey| key.columns.len() == key.parent_columns.len();
    Ok(keys.into_values().filter(whole).collect())
}

#[cfg(test)]
mod tests {
    use super::{is_of_deletes, predicate};

    #[test]
    fn a_trigger_of_deletes_is_known_by_its_text() {
        for (trigger, expected) in [
            ("CREATE TRIGGER a AFTER DELETE ON t BEGIN INSERT INTO log VALUES (1); END", true),
            (
                "create trigger if not exists \"on delete\" before insert on t begin select 1; end",
                false,
            ),
            ("CREATE TRIGGER main.deletes\nDELETE\nON t BEGIN SELECT 1; END", true),
            ("CREATE TRIGGER a AFTER UPDATE OF \"delete\" ON t BEGIN DELETE FROM log; END", false),
        ] {
            assert_eq!(is_of_deletes(trigger), expected, "{trigger}");
        }
    }

    #[test]
    fn the_predicate_of_an_index_is_behind_its_columns() {
        for (index, expected) in [
            ("CREATE UNIQUE INDEX one ON t (a) WHERE b = 1", Some(" b = 1")),
            (
                "create unique index \"o (n\" on t(lower(a), [b)]) where(c <> ')')",
                Some("(c <> ')')"),
            ),
            ("CREATE UNIQUE INDEX one ON t (a COLLATE NOCASE)", None),
            ("CREATE UNIQUE INDEX one ON t (a) -- where all\nWHERE b", Some(" b")),
        ] {
            assert_eq!(predicate(index), expected, "{index}");
        }
    }
}
