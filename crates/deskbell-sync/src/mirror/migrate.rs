//! Checks whose tables these are, and makes what is missing of ours: tables, columns and indexes,
//! each recorded as a step, in one transaction.

use std::collections::HashSet;

use crate::db::{DatabaseError, DbSession, Dialect, Inventory, Limits, Param, Table};
use crate::mirror_target::ConnectError;
use crate::schema::{CHECKPOINTS, MIGRATIONS, SCHEMA_VERSION};
use crate::value::{Kind, Value};

/// The tables that a database must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MigrationPlan<'a> {
    dialect: Dialect,
    schema: &'a str,
    tables: &'a [Table],
}

/// One change to the database.
#[derive(Debug)]
pub(crate) struct MigrationStep {
    /// What it makes, and the name that it is recorded under.
    pub(crate) name: String,
    pub(crate) sql: String,
    /// Whether rows that were written before lack something now.
    pub(crate) refill: bool,
}

impl<'a> MigrationPlan<'a> {
    pub(crate) fn new(dialect: Dialect, schema: &'a str, tables: &'a [Table]) -> Self {
        Self { dialect, schema, tables }
    }

    /// Every step for a database that has nothing.
    pub(crate) fn every_step(&self) -> Vec<MigrationStep> {
        self.missing(&Inventory::default())
    }

    /// Refuses a database that is not ours or newer than this program. Writes nothing. The steps
    /// that it lacks.
    pub(crate) async fn check(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Vec<MigrationStep>, ConnectError> {
        session.begin_to_read().await?;
        let found = self.look(session).await?;
        session.rollback().await?;
        Ok(self.missing(&found))
    }

    /// Refuses a database that lacks anything.
    pub(crate) async fn require_nothing(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<(), ConnectError> {
        let missing = self.check(session).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let missing = missing.into_iter().map(|step| step.name).collect();
        Err(ConnectError::NotMigrated { missing })
    }

    /// Makes what is missing. Safe to run again, and beside another process that does the same.
    /// The names of the steps that were taken.
    pub(crate) async fn migrate(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<Vec<String>, ConnectError> {
        session.begin(self.schema, Limits::Unlimited).await?;
        let found = self.look(session).await?;
        let missing = self.missing(&found);
        for step in &missing {
            session.execute(&step.sql.as_str().into(), &[]).await?;
        }
        for step in &missing {
            self.record(session, step).await?;
        }
        if missing.iter().any(|step| step.refill) {
            self.refill(session).await?;
        }
        session.commit().await?;
        Ok(missing.into_iter().map(|step| step.name).collect())
    }

    /// Whether the schema itself was made by one of our steps.
    pub(crate) async fn made_schema(
        &self,
        session: &mut dyn DbSession,
    ) -> Result<bool, ConnectError> {
        let record = self.local_name(MIGRATIONS);
        let found = session.inventory(self.schema, &[record]).await?;
        let steps = self.recorded(session, &found).await?;
        Ok(steps.contains(&format!("schema {}", self.schema)))
    }

    async fn look(&self, session: &mut dyn DbSession) -> Result<Inventory, ConnectError> {
        let names: Vec<_> = self.tables.iter().map(|table| self.local_name(table.name)).collect();
        let found = session.inventory(self.schema, &names).await?;
        let steps = self.recorded(session, &found).await?;
        for table in self.tables {
            let name = self.local_name(table.name);
            if found.objects.contains(&name) && !steps.contains(&format!("table {name}")) {
                return Err(self.not_ours(table.name));
            }
        }
        Ok(found)
    }

    /// The names of the steps that were taken before.
    pub(super) async fn recorded(
        &self,
        session: &mut dyn DbSession,
        found: &Inventory,
    ) -> Result<HashSet<String>, ConnectError> {
        let record = self.local_name(MIGRATIONS);
        if !found.objects.contains(&record) {
            return Ok(HashSet::new());
        }
        let columns = found.columns.get(&record);
        let has = |column: &str| columns.is_some_and(|columns| columns.contains(column));
        if !["step", "version", "applied_at"].into_iter().all(has) {
            return Err(self.not_ours(MIGRATIONS));
        }
        let sql = format!("SELECT step, version FROM {}", self.table(MIGRATIONS));
        let rows = session.fetch(&sql.into(), &[], &[Kind::Id, Kind::Integer]).await?;
        let mut steps = HashSet::new();
        for row in rows {
            if let [Value::Text(step), Value::Integer(version)] = &row[..] {
                if *version > SCHEMA_VERSION {
                    return Err(ConnectError::Newer { found: *version, known: SCHEMA_VERSION });
                }
                steps.insert(step.clone());
            }
        }
        Ok(steps)
    }

    fn missing(&self, found: &Inventory) -> Vec<MigrationStep> {
        let mut steps = Vec::new();
        if !found.schema
            && let Some(sql) = self.dialect.create_schema(self.schema)
        {
            steps.push(MigrationStep {
                name: format!("schema {}", self.schema),
                sql,
                refill: false,
            });
        }
        for table in self.tables {
            self.missing_of(table, found, &mut steps);
        }
        steps
    }

    fn missing_of(&self, table: &Table, found: &Inventory, steps: &mut Vec<MigrationStep>) {
        let name = self.local_name(table.name);
        let refill = !table.name.starts_with('_');
        match found.columns.get(&name) {
            None => {
                let sql = self.dialect.create_table(self.schema, table);
                steps.push(MigrationStep { name: format!("table {name}"), sql, refill });
            }
            Some(there) if table.primary_key.iter().any(|column| !there.contains(*column)) => {
                steps.extend(self.keyed_anew(table, there));
            }
            Some(there) => {
                for column in table.columns.iter().filter(|column| !there.contains(column.name)) {
                    let sql = self.dialect.add_column(self.schema, table, column);
                    let name = format!("column {name}.{}", column.name);
                    steps.push(MigrationStep { name, sql, refill });
                }
            }
        }
        for columns in &table.indexes {
            let index = self.dialect.index_name(self.schema, table, columns);
            if !found.objects.contains(&index) {
                let sql = self.dialect.create_index(self.schema, table, columns);
                steps.push(MigrationStep { name: format!("index {index}"), sql, refill: false });
            }
        }
    }

    /// The statement that records a step of this name, as people can run it.
    pub(crate) fn record_sql(&self, step: &str) -> String {
        let step = step.replace('\'', "''");
        self.record_values(&format!("'{step}'"), &SCHEMA_VERSION.to_string())
    }

    /// The statement that has every destination read its log again: revision 0 is no mapping's.
    pub(crate) fn refill_sql(&self) -> String {
        format!("UPDATE {} SET mapping_rev = 0", self.table(CHECKPOINTS))
    }

    fn record_values(&self, step: &str, version: &str) -> String {
        format!(
            "INSERT INTO {} (step, version, applied_at) VALUES ({step}, {version}, {})\n\
             ON CONFLICT (step) DO UPDATE\n\
             SET version = excluded.version, applied_at = excluded.applied_at",
            self.table(MIGRATIONS),
            self.dialect.now(),
        )
    }

    async fn record(
        &self,
        session: &mut dyn DbSession,
        step: &MigrationStep,
    ) -> Result<(), DatabaseError> {
        let sql = self.record_values("$1", "$2");
        let parameters = [Param::Text(&step.name), Param::Integer(SCHEMA_VERSION)];
        session.execute(&sql.into(), &parameters).await?;
        tracing::debug!(step = step.name, "migrated the mirror");
        Ok(())
    }

    async fn refill(&self, session: &mut dyn DbSession) -> Result<(), DatabaseError> {
        session.execute(&self.refill_sql().into(), &[]).await.map(drop)
    }

    pub(super) fn create_table(&self, table: &Table) -> String {
        self.dialect.create_table(self.schema, table)
    }

    pub(super) fn now(&self) -> &'static str {
        self.dialect.now()
    }

    pub(super) fn table(&self, table: &str) -> String {
        self.dialect.table(self.schema, table)
    }

    pub(super) fn local_name(&self, table: &str) -> String {
        self.dialect.local_name(self.schema, table)
    }

    fn not_ours(&self, table: &str) -> ConnectError {
        ConnectError::NotOurs { table: self.dialect.display_name(self.schema, table) }
    }
}
