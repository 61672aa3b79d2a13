//! The mirror's tables as a person looks at them before the program makes them.

use std::sync::Arc;

use crate::config::DatabaseConfig;
use crate::db::{Dialect, MirrorDatabase, Table};
use crate::mapping::Mappings;
use crate::mirror::{MigrationPlan, MigrationStep};
use crate::mirror_target::{ConnectError, check_schema_name, database};
use crate::schema;

/// One change to a database that the mirror needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it makes, such as `table users` or `column users.locale`.
    pub name: String,
    /// The statement that makes it.
    pub sql: String,
    /// Whether rows that were written before lack something now.
    refill: bool,
}

impl Step {
    fn new(step: MigrationStep) -> Self {
        Self { name: step.name, sql: step.sql, refill: step.refill }
    }
}

/// The steps that make these tables in a database that has nothing, in order.
///
/// # Errors
/// The config makes no sense.
pub fn from_nothing(dialect: Dialect, config: &DatabaseConfig) -> Result<Vec<Step>, ConnectError> {
    let tables = tables(config)?;
    let steps = MigrationPlan::new(dialect, &config.schema, &tables).every_step();
    Ok(steps.into_iter().map(Step::new).collect())
}

/// The steps that the mirror's database still lacks, in order. Changes nothing, but makes an empty
/// file where SQLite has none.
///
/// # Errors
/// The config makes no sense, the tables are somebody else's or newer than this program, or the
/// database is away.
pub async fn missing(config: &DatabaseConfig) -> Result<Vec<Step>, ConnectError> {
    let (database, tables) = target(config)?;
    let mut session = database.connect().await?;
    let plan = MigrationPlan::new(database.dialect(), &config.schema, &tables);
    let steps = plan.check(session.as_mut()).await?;
    session.close().await?;
    Ok(steps.into_iter().map(Step::new).collect())
}

/// Takes every step that is missing, in one transaction; their names.
///
/// # Errors
/// As [`missing`]; nothing was changed then.
pub async fn apply(config: &DatabaseConfig) -> Result<Vec<String>, ConnectError> {
    let (database, tables) = target(config)?;
    let mut session = database.connect().await?;
    let plan = MigrationPlan::new(database.dialect(), &config.schema, &tables);
    let names = plan.migrate(session.as_mut()).await?;
    session.close().await?;
    Ok(names)
}

/// These steps as a script that the database's own shell runs as it is, in one transaction. It
/// records them too, so that the tables count as Deskbell's. Empty where there are no steps.
#[must_use]
pub fn script(dialect: Dialect, config: &DatabaseConfig, steps: &[Step]) -> String {
    if steps.is_empty() {
        return String::new();
    }
    let plan = MigrationPlan::new(dialect, &config.schema, &[]);
    let changes = steps.iter().map(|step| broken_into_lines(&step.sql));
    let records = steps.iter().map(|step| plan.record_sql(&step.name));
    let refill = steps.iter().any(|step| step.refill).then(|| plan.refill_sql());
    let statements = changes.chain(records).chain(refill);
    let body: String = statements.map(|statement| format!("{statement};\n\n")).collect();
    format!("BEGIN;\n\n{body}COMMIT;\n")
}

fn target(config: &DatabaseConfig) -> Result<(Arc<dyn MirrorDatabase>, Vec<Table>), ConnectError> {
    Ok((database(&config.url)?, tables(config)?))
}

fn tables(config: &DatabaseConfig) -> Result<Vec<Table>, ConnectError> {
    check_schema_name(&config.schema)?;
    Ok(schema::tables(&Mappings::for_config(config)?))
}

/// A statement with each column of a table on a line of its own.
fn broken_into_lines(sql: &str) -> String {
    if !sql.starts_with("CREATE TABLE") {
        return sql.to_owned();
    }
    let Some((head, rest)) = sql.split_once('(') else { return sql.to_owned() };
    let Some((columns, tail)) = rest.rsplit_once(')') else { return sql.to_owned() };
    let mut lines = String::new();
    let mut depth = 0_usize;
    for character in columns.trim().chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        lines.push(character);
        if character == ',' && depth == 0 {
            lines.push_str("\n   ");
        }
    }
    format!("{head}(\n    {lines}\n){tail}")
}
