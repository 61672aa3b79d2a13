//! What the database says of its tables.

use std::collections::BTreeMap;

use super::error::DraftError;
use super::names::without_quotes;
use crate::config::DatabaseConfig;
use crate::db::{DbSession, Dialect, LiveTable, MirrorDatabase, Param};
use crate::mirror_target::ConnectError;
use crate::value::{Kind, Value};

/// A table of the application's.
#[derive(Debug)]
pub(super) struct FoundTable {
    /// As the config names it.
    pub(super) into: String,
    pub(super) dialect: Dialect,
    pub(super) live: LiveTable,
    /// The labels of the columns that are enumerations.
    pub(super) labels: BTreeMap<String, Vec<String>>,
}

/// Every table by the name that a statement finds it by, without those of a mirror.
pub(super) async fn list(database: &dyn MirrorDatabase) -> Result<Vec<String>, ConnectError> {
    let mut session = database.connect_to_read().await?;
    let tables = names(session.as_mut(), database.dialect()).await?;
    session.close().await?;
    Ok(tables)
}

pub(super) async fn find(
    database: &dyn MirrorDatabase,
    table: &str,
) -> Result<FoundTable, DraftError> {
    let failed = |error| DraftError::Database(ConnectError::from(error));
    let dialect = database.dialect();
    let mut session = database.connect_to_read().await.map_err(failed)?;
    let into = without_quotes(table);
    let mut found = session.describe(&into).await.map_err(failed)?.map(|live| (into.clone(), live));
    if found.is_none() {
        // In SQL, a name without quotes may be written in any case.
        let there = names(session.as_mut(), dialect).await?;
        let mut alike = there.iter().filter(|name| name.to_lowercase() == into.to_lowercase());
        if let (Some(name), None) = (alike.next(), alike.next()) {
            let live = session.describe(name).await.map_err(failed)?;
            found = live.map(|live| (name.clone(), live));
        } else {
            return Err(DraftError::NoTable { table: into, there });
        }
    }
    let Some((into, live)) = found else {
        return Err(DraftError::NoTable { table: into, there: Vec::new() });
    };
    if let Some(what) = live.other_than_a_table {
        return Err(DraftError::NotATable { table: into, what });
    }
    let labels = labels(session.as_mut(), dialect, &live).await?;
    session.close().await.map_err(failed)?;
    Ok(FoundTable { into, dialect, live, labels })
}

async fn names(session: &mut dyn DbSession, dialect: Dialect) -> Result<Vec<String>, ConnectError> {
    let mirror = DatabaseConfig::default().schema;
    let (sql, of_mirror) = match dialect {
        Dialect::Postgres => (
            "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN c.relname::text
                    ELSE n.nspname::text || '.' || c.relname::text END
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^pg_'
                 AND n.nspname <> 'information_schema' ORDER BY 1",
            format!("{mirror}."),
        ),
        Dialect::Sqlite => (
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
             ORDER BY name",
            format!("{mirror}_"),
        ),
    };
    let rows = session.fetch(&sql.into(), &[], &[Kind::Text]).await?;
    let names = rows.into_iter().filter_map(|row| row.into_iter().next()?.into_text());
    Ok(names.filter(|name| !name.starts_with(&of_mirror)).collect())
}

async fn labels(
    session: &mut dyn DbSession,
    dialect: Dialect,
    table: &LiveTable,
) -> Result<BTreeMap<String, Vec<String>>, ConnectError> {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if dialect != Dialect::Postgres {
        return Ok(labels);
    }
    let sql = "SELECT a.attname::text, e.enumlabel::text
               FROM pg_attribute a JOIN pg_enum e ON e.enumtypid = a.atttypid
               WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
               ORDER BY a.attnum, e.enumsortorder";
    let kinds = [Kind::Text, Kind::Text];
    for row in session.fetch(&sql.into(), &[Param::Text(&table.name)], &kinds).await? {
        let mut texts = row.into_iter().filter_map(Value::into_text);
        if let (Some(column), Some(label)) = (texts.next(), texts.next()) {
            labels.entry(column).or_default().push(label);
        }
    }
    Ok(labels)
}
