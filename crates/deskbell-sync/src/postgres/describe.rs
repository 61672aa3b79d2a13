//! A table of the application's, and a statement's parameters, as PostgreSQL has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::postgres::PgTypeInfo;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, SqlSafeStr, Statement};

use crate::mapped::{Class, LiveColumn, LiveTable};
use crate::schema::{Dialect, quoted};
use crate::session::{DatabaseError, Sql};

/// The table of this name; without a schema, the one that a statement would find.
pub(super) async fn table(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<LiveTable>, DatabaseError> {
    let parts: Vec<_> = name.split('.').map(quoted).collect();
    let found: Option<(Oid, String, String)> = sqlx::query_as(
        "SELECT c.oid, n.nspname::text, c.relname::text
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = to_regclass($1) AND c.relkind IN ('r', 'p')",
    )
    .bind(parts.join("."))
    .fetch_optional(&mut *connection)
    .await?;
    let Some((oid, schema, table)) = found else { return Ok(None) };
    Ok(Some(LiveTable {
        name: format!("{}.{}", quoted(&schema), quoted(&table)),
        columns: columns(connection, oid).await?,
        unique: unique(connection, oid).await?,
    }))
}

async fn columns(
    connection: &mut PgConnection,
    table: Oid,
) -> Result<Vec<LiveColumn>, DatabaseError> {
    // Without its length: a value that is too long is refused then, and not cut.
    type Row = (String, String, bool, Option<String>, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT a.attname::text, format_type(a.atttypid, NULL), a.attnotnull,
                CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                a.attgenerated <> '' OR a.attidentity = 'a'
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let column = |(name, type_name, not_null, default, generated): Row| LiveColumn {
        class: Class::of(Dialect::Postgres, &type_name),
        name,
        type_name,
        not_null,
        default,
        generated,
    };
    Ok(rows.into_iter().map(column).collect())
}

async fn unique(
    connection: &mut PgConnection,
    table: Oid,
) -> Result<Vec<BTreeSet<String>>, DatabaseError> {
    // Neither a part of the rows nor an expression, nor checked only at the commit: an upsert finds
    // no conflict there.
    let rows: Vec<(Oid, String)> = sqlx::query_as(
        "SELECT i.indexrelid, a.attname::text FROM pg_index i
         JOIN pg_attribute a ON a.attrelid = i.indrelid
         AND a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1])
         WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indimmediate
           AND i.indpred IS NULL AND i.indexprs IS NULL",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let mut indexes: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for (index, column) in rows {
        indexes.entry(index.0).or_default().insert(column);
    }
    Ok(indexes.into_values().collect())
}

/// The types that the server gives to the parameters of a statement, in its own words.
pub(super) async fn parameter_types(
    connection: &mut PgConnection,
    sql: &Sql,
) -> Result<Vec<String>, DatabaseError> {
    let sql = AssertSqlSafe(Arc::clone(sql)).into_sql_str();
    let statement = (&mut *connection).prepare(sql).await?;
    let oids: Vec<Oid> = match statement.parameters() {
        Some(Either::Left(types)) => types.iter().filter_map(PgTypeInfo::oid).collect(),
        _ => Vec::new(),
    };
    let mut names = Vec::new();
    for oid in oids {
        let name = sqlx::query_scalar("SELECT format_type($1, NULL)").bind(oid);
        names.push(name.fetch_one(&mut *connection).await?);
    }
    Ok(names)
}
