//! A table of the application's, and a statement's parameters, as PostgreSQL has them.

use std::sync::Arc;

use sqlx::postgres::PgTypeInfo;
use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, SqlSafeStr, Statement};

use crate::db::dialect::{Dialect, quoted};
use crate::db::error::DatabaseError;
use crate::db::live_table::{
    ColumnClass, Deferrable, ForeignKey, LiveColumn, LiveTable, UniqueIndex,
};
use crate::db::parameter::Sql;

/// The table of this name; without a schema, the one that a statement would find.
pub(super) async fn table(
    connection: &mut PgConnection,
    name: &str,
) -> Result<Option<LiveTable>, DatabaseError> {
    let parts: Vec<_> = name.split('.').map(quoted).collect();
    // Only what happens at an insert (4) or an update (16) may store something else.
    let found: Option<(Oid, String, String, String, bool)> = sqlx::query_as(
        "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text,
                EXISTS (SELECT 1 FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
                            AND t.tgenabled IN ('O', 'A') AND t.tgtype & 20 <> 0)
                OR EXISTS (SELECT 1 FROM pg_rewrite r WHERE r.ev_class = c.oid
                            AND r.ev_enabled IN ('O', 'A') AND r.ev_type IN ('2', '3'))
                OR row_security_active(c.oid)
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.oid = to_regclass($1)",
    )
    .bind(parts.join("."))
    .fetch_optional(&mut *connection)
    .await?;
    let Some((oid, schema, table, kind, rewrites)) = found else { return Ok(None) };
    Ok(Some(LiveTable {
        name: format!("{}.{}", quoted(&schema), quoted(&table)),
        columns: columns(connection, oid).await?,
        unique: unique(connection, oid).await?,
        foreign_keys: foreign_keys(connection, oid).await?,
        rewrites,
        row_ids: false,
        other_than_a_table: other_kind(&kind),
    }))
}

fn other_kind(kind: &str) -> Option<&'static str> {
    match kind {
        "r" | "p" => None,
        "v" => Some("a view"),
        "m" => Some("a materialized view"),
        "f" => Some("a foreign table"),
        _ => Some("no table"),
    }
}

async fn columns(
    connection: &mut PgConnection,
    table: Oid,
) -> Result<Vec<LiveColumn>, DatabaseError> {
    // The type without its length: a value that is too long is refused then, and not cut. -1 and not
    // null, as the `character` that the latter gives is of length 1.
    let rows: Vec<ColumnRow> = sqlx::query_as(
        "SELECT a.attname::text, format_type(a.atttypid, -1),
                CASE WHEN base.typname = 'citext' THEN 'citext' ELSE format_type(base.oid, -1) END,
                CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4
                     THEN a.atttypmod - 4 END,
                a.attnotnull,
                CASE WHEN a.attidentity = 'd'
                     THEN format('nextval(%L::regclass)',
                         pg_get_serial_sequence(a.attrelid::regclass::text, a.attname))
                     WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END,
                a.attgenerated <> '' OR a.attidentity = 'a',
                CASE WHEN NOT c.collisdeterministic THEN format('%I.%I', cn.nspname, c.collname) END,
                (SELECT format('OPERATOR(%I.%s)', n.nspname, o.oprname)
                 FROM pg_opclass oc JOIN pg_am am ON am.oid = oc.opcmethod AND am.amname = 'btree'
                 JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
                     AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
                 JOIN pg_operator o ON o.oid = ao.amopopr
                 JOIN pg_namespace n ON n.oid = o.oprnamespace AND n.nspname <> 'pg_catalog'
                 WHERE oc.opcintype = base.oid AND oc.opcdefault LIMIT 1)
         FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
         LEFT JOIN pg_collation c ON c.oid = a.attcollation
         LEFT JOIN pg_namespace cn ON cn.oid = c.collnamespace
         CROSS JOIN LATERAL (WITH RECURSIVE behind (oid) AS (SELECT a.atttypid
                 UNION ALL SELECT t.typbasetype FROM behind JOIN pg_type t USING (oid)
                     WHERE t.typtype = 'd')
             SELECT t.oid, t.typname FROM behind JOIN pg_type t USING (oid)
             WHERE t.typtype <> 'd') AS base
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(column).collect())
}

type ColumnRow = (
    String,
    String,
    String,
    Option<i32>,
    bool,
    Option<String>,
    bool,
    Option<String>,
    Option<String>,
);

fn column(row: ColumnRow) -> LiveColumn {
    let (name, type_name, base, length, not_null, default, generated, collation, equals) = row;
    LiveColumn {
        lookup: None,
        class: ColumnClass::of(Dialect::Postgres, &base),
        length: length.and_then(|length| usize::try_from(length).ok()),
        name,
        type_name,
        base,
        not_null,
        default,
        generated,
        deterministic: collation.is_none(),
        collation,
        equals: equals.unwrap_or_else(|| "=".to_owned()),
    }
}

async fn unique(
    connection: &mut PgConnection,
    table: Oid,
) -> Result<Vec<UniqueIndex>, DatabaseError> {
    // The columns of expressions are known by what the index depends on.
    type Row = (Vec<String>, bool, bool, Option<String>, bool, Option<String>, bool);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = i.indrelid
                  AND (a.attnum = ANY((i.indkey::int2[])[0:i.indnkeyatts - 1])
                       OR i.indexprs IS NOT NULL AND EXISTS (SELECT 1 FROM pg_depend d
                           WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                             AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))),
                i.indisvalid, i.indimmediate, pg_get_expr(i.indpred, i.indrelid), i.indexprs IS NOT NULL,
                CASE WHEN c.condeferrable
                     THEN format('%I.%I', n.nspname, c.conname) END,
                coalesce(c.condeferred, false)
         FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('u', 'p')
         LEFT JOIN pg_namespace n ON n.oid = c.connamespace
         WHERE i.indrelid = $1 AND i.indisunique ORDER BY i.indexrelid",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let index = |row: Row| {
        let (columns, valid, immediate, predicate, expression, deferrable, deferred) = row;
        let flaw = match () {
            () if predicate.is_some() => Some("it is a partial index"),
            () if expression => Some("it is on an expression"),
            () if !immediate => Some("it is DEFERRABLE, and an upsert finds no conflict there"),
            () if !valid => Some("it is invalid, because its creation failed"),
            () => None,
        };
        let deferrable = deferrable.map(|name| Deferrable { name, deferred });
        let columns = columns.into_iter().collect();
        UniqueIndex { columns, predicate, flaw, deferrable, ..UniqueIndex::default() }
    };
    Ok(rows.into_iter().map(index).collect())
}

async fn foreign_keys(
    connection: &mut PgConnection,
    table: Oid,
) -> Result<Vec<ForeignKey>, DatabaseError> {
    // One whose table may not be read, or not whole, is of no help: nobody can ask what is missing there.
    let rows: Vec<(String, Vec<String>, Vec<String>)> = sqlx::query_as(
        "SELECT format('\"%s\".\"%s\"', replace(n.nspname, '\"', '\"\"'), replace(p.relname, '\"', '\"\"')),
                ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(num, at)
                      JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.num ORDER BY k.at),
                ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(num, at)
                      JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.num ORDER BY k.at)
         FROM pg_constraint c JOIN pg_class p ON p.oid = c.confrelid
         JOIN pg_namespace n ON n.oid = p.relnamespace
         WHERE c.conrelid = $1 AND c.contype = 'f'
             AND has_any_column_privilege(c.confrelid, 'SELECT')
             AND NOT row_security_active(c.confrelid) ORDER BY c.conname",
    )
    .bind(table)
    .fetch_all(connection)
    .await?;
    let key = |(parent, columns, parent_columns)| ForeignKey { parent, columns, parent_columns };
    Ok(rows.into_iter().map(key).collect())
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
        let name = sqlx::query_scalar("SELECT format_type($1, -1)").bind(oid);
        names.push(name.fetch_one(&mut *connection).await?);
    }
    Ok(names)
}
