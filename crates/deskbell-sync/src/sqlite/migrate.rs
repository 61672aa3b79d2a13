//! Checks whose tables these are, and makes what is missing of ours: tables, columns and indexes,
//! each recorded as a step, in one transaction.

use std::collections::HashSet;

use sqlx::{AssertSqlSafe, Connection, SqliteConnection};

use super::database_error;
use super::statements::quoted;
use crate::connect::ConnectError;
use crate::schema::{CHECKPOINTS, Dialect, MIGRATIONS, SCHEMA_VERSION, Table};

const DIALECT: Dialect = Dialect::Sqlite;

/// Refuses a database that is not ours or newer than this program. Writes nothing.
pub(super) async fn check(
    connection: &mut SqliteConnection,
    schema: &str,
    tables: &[Table],
) -> Result<(), ConnectError> {
    let mut transaction = connection.begin().await.map_err(database_error)?;
    look(&mut transaction, schema, tables).await?;
    transaction.rollback().await.map_err(database_error)
}

/// Makes what is missing. Safe to run again, and beside another process that does the same.
pub(super) async fn migrate(
    connection: &mut SqliteConnection,
    schema: &str,
    tables: &[Table],
) -> Result<(), ConnectError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(database_error)?;
    let found = look(&mut transaction, schema, tables).await?;
    let missing = missing(schema, tables, &found);
    for step in &missing {
        run(&mut transaction, schema, step).await.map_err(database_error)?;
    }
    if missing.iter().any(|step| step.refill) {
        refill(&mut transaction, schema).await.map_err(database_error)?;
    }
    transaction.commit().await.map_err(database_error)
}

/// What the database has under our names.
struct Found {
    objects: HashSet<String>,
    /// `table.column`, for each of our tables that is there.
    columns: HashSet<String>,
}

async fn look(
    connection: &mut SqliteConnection,
    schema: &str,
    tables: &[Table],
) -> Result<Found, ConnectError> {
    let found = inventory(connection, schema, tables).await.map_err(database_error)?;
    let record = DIALECT.table_name(schema, MIGRATIONS);
    let steps = if found.objects.contains(&record) {
        let wanted = ["step", "version", "applied_at"];
        if !wanted.iter().all(|column| found.columns.contains(&format!("{record}.{column}"))) {
            return Err(ConnectError::NotOurs { table: record });
        }
        check_version(connection, &record).await?;
        recorded_steps(connection, &record).await.map_err(database_error)?
    } else {
        HashSet::new()
    };
    for table in tables {
        let name = DIALECT.table_name(schema, table.name);
        if found.objects.contains(&name) && !steps.contains(&format!("table {name}")) {
            return Err(ConnectError::NotOurs { table: name });
        }
    }
    Ok(found)
}

async fn check_version(
    connection: &mut SqliteConnection,
    record: &str,
) -> Result<(), ConnectError> {
    let sql = format!("SELECT max(version) FROM {}", quoted(record));
    let version: Option<i64> = sqlx::query_scalar(AssertSqlSafe(sql))
        .fetch_one(connection)
        .await
        .map_err(database_error)?;
    match version {
        Some(found) if found > SCHEMA_VERSION => {
            Err(ConnectError::Newer { found, known: SCHEMA_VERSION })
        }
        _ => Ok(()),
    }
}

async fn inventory(
    connection: &mut SqliteConnection,
    schema: &str,
    tables: &[Table],
) -> Result<Found, sqlx::Error> {
    let names: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema").fetch_all(&mut *connection).await?;
    // SQLite does not tell names apart by case.
    let objects: HashSet<_> = names.into_iter().map(|name| name.to_ascii_lowercase()).collect();
    let mut columns = HashSet::new();
    for table in tables {
        let name = DIALECT.table_name(schema, table.name);
        let of_table: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info(?1)")
            .bind(&name)
            .fetch_all(&mut *connection)
            .await?;
        columns.extend(of_table.iter().map(|column| format!("{name}.{column}")));
    }
    Ok(Found { objects, columns })
}

async fn recorded_steps(
    connection: &mut SqliteConnection,
    record: &str,
) -> Result<HashSet<String>, sqlx::Error> {
    let sql = format!("SELECT step FROM {}", quoted(record));
    let steps: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(connection).await?;
    Ok(steps.into_iter().collect())
}

/// One change to the database.
struct Step {
    /// What it makes, and the name that it is recorded under.
    name: String,
    sql: String,
    /// Whether rows that were written before lack something now.
    refill: bool,
}

fn missing(schema: &str, tables: &[Table], found: &Found) -> Vec<Step> {
    let mut steps = Vec::new();
    for table in tables {
        let name = DIALECT.table_name(schema, table.name);
        let mirrored = !table.name.starts_with('_');
        if found.objects.contains(&name) {
            for column in &table.columns {
                let column_name = format!("{name}.{}", column.name);
                if !found.columns.contains(&column_name) {
                    let sql = DIALECT.add_column(schema, table, column);
                    steps.push(Step {
                        name: format!("column {column_name}"),
                        sql,
                        refill: mirrored,
                    });
                }
            }
        } else {
            let sql = DIALECT.create_table(schema, table);
            steps.push(Step { name: format!("table {name}"), sql, refill: mirrored });
        }
        for columns in &table.indexes {
            let index = DIALECT.index_name(schema, table, columns);
            if !found.objects.contains(&index) {
                let sql = DIALECT.create_index(schema, table, columns);
                steps.push(Step { name: format!("index {index}"), sql, refill: false });
            }
        }
    }
    steps
}

/// Does the step and records it; the first one makes the record itself.
async fn run(
    connection: &mut SqliteConnection,
    schema: &str,
    step: &Step,
) -> Result<(), sqlx::Error> {
    sqlx::query(AssertSqlSafe(step.sql.clone())).execute(&mut *connection).await?;
    let record = format!(
        "INSERT INTO {} (step, version, applied_at)
         VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
         ON CONFLICT (step) DO UPDATE
         SET version = excluded.version, applied_at = excluded.applied_at",
        quoted(&DIALECT.table_name(schema, MIGRATIONS))
    );
    sqlx::query(AssertSqlSafe(record))
        .bind(&step.name)
        .bind(SCHEMA_VERSION)
        .execute(connection)
        .await?;
    tracing::debug!(step = step.name, "migrated the mirror");
    Ok(())
}

/// Has every destination read its log again: revision 0 is no mapping's.
async fn refill(connection: &mut SqliteConnection, schema: &str) -> Result<(), sqlx::Error> {
    let checkpoints = quoted(&DIALECT.table_name(schema, CHECKPOINTS));
    let sql = format!("UPDATE {checkpoints} SET mapping_rev = 0");
    sqlx::query(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}
