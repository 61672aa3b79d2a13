//! Statements: run in the order of the log, each event once in effect.

use std::sync::Arc;

use deskbell_expr::Value;

use super::fit::MappedTableProblem;
use super::records::{RecordScope, RecordStatements};
use crate::batch::StatementRun;
use crate::config::Stale;
use crate::db::{ColumnClass, DatabaseError, DbSession, Dialect, Param, Refusal, RefusalKind, Sql};
use crate::mapping::CompiledStatement;

/// The statements in the config's order; `None` where one does not fit the database as it is.
pub(crate) type StatementTargets = [Option<Arc<PreparedStatement>>];

/// The statements that fit, by their indexes.
pub(crate) fn present(
    targets: &StatementTargets,
) -> impl Iterator<Item = (usize, &PreparedStatement)> {
    targets.iter().enumerate().filter_map(|(index, target)| Some((index, target.as_deref()?)))
}

pub(super) fn target_of<'a>(
    targets: &'a StatementTargets,
    run: &StatementRun,
) -> Option<&'a PreparedStatement> {
    targets.get(run.statement)?.as_deref()
}

/// A statement that the database has prepared.
#[derive(Debug)]
pub(crate) struct PreparedStatement {
    statement: Arc<CompiledStatement>,
    dialect: Dialect,
    sql: Sql,
    classes: Vec<ColumnClass>,
    pub(super) records: RecordStatements,
}

impl PreparedStatement {
    /// Has the database look at the statement, and compares the types.
    pub(crate) async fn new(
        session: &mut dyn DbSession,
        scope: RecordScope<'_>,
        statement: Arc<CompiledStatement>,
    ) -> Result<Result<Self, MappedTableProblem>, DatabaseError> {
        let dialect = scope.dialect;
        let plain = statement.numbered.sql(|number| format!("${number}")).into();
        let types = match session.parameter_types(&plain).await {
            Ok(types) => types,
            Err(error) => match error.complaint() {
                Some(reason) => return Ok(Err(MappedTableProblem::Statement { reason })),
                None => return Err(error),
            },
        };
        let classes: Vec<_> = types.iter().map(|name| ColumnClass::of(dialect, name)).collect();
        let sql = statement.numbered.sql(|number| match (dialect, types.get(number - 1)) {
            (Dialect::Postgres, Some(name)) => format!("CAST(${number}::text AS {name})"),
            _ => format!("${number}"),
        });
        let records = RecordStatements::new(scope, &statement.name);
        let target = Self { dialect, sql: sql.into(), classes, records, statement };
        Ok(target.check(&types).map(|()| target))
    }

    fn check(&self, types: &[String]) -> Result<(), MappedTableProblem> {
        let params = self.statement.params.iter().zip(&self.classes).zip(types);
        for (((name, expression), class), type_name) in params {
            let checked = expression.check(&self.statement.on);
            if let Some((event_type, error)) = checked.failures.first() {
                let reason = format!("on {event_type}: {error}");
                return Err(MappedTableProblem::Expression { column: name.clone(), reason });
            }
            let untyped = self.dialect == Dialect::Sqlite;
            if let Some(gives) = checked.kinds.into_iter().find(|kind| !class.holds(*kind))
                && !untyped
            {
                return Err(MappedTableProblem::WrongParameter {
                    name: name.clone(),
                    type_name: type_name.clone(),
                    gives,
                });
            }
        }
        Ok(())
    }

    /// What it is known by.
    pub(crate) fn name(&self) -> &str {
        &self.statement.name
    }

    /// Has the database plan the statement: what it refuses now it refuses for every event.
    pub(crate) async fn probe(&self, session: &mut dyn DbSession) -> Result<(), DatabaseError> {
        session.explain(&self.sql, self.classes.len()).await
    }

    /// Whether it runs for events that are older than one that it has run for.
    pub(super) fn runs_when_stale(&self) -> bool {
        self.statement.stale == Stale::Run
    }

    pub(super) fn is_on(&self, event_type: &str) -> bool {
        self.statement.is_on(event_type)
    }

    pub(super) async fn run(
        &self,
        session: &mut dyn DbSession,
        run: &StatementRun,
    ) -> Result<(), DatabaseError> {
        let rows = self.execute(session, run).await.map_err(|error| self.explained(error))?;
        let Some(expected) = self.statement.expect_rows.filter(|expected| rows != *expected) else {
            return Ok(());
        };
        let said = if rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let reason = format!("the statement matched {said}, and expect_rows is {expected}");
        let mut refusal = Refusal::missing("expect_rows", reason);
        if rows > expected {
            refusal.kind = RefusalKind::Lasting;
        }
        Err(DatabaseError::refused(refusal))
    }

    /// A null that a subselect gave is the want of a row, which may come.
    fn explained(&self, mut error: DatabaseError) -> DatabaseError {
        if let DatabaseError::Refused { refusal, .. } = &mut error
            && refusal.is_of_a_null()
            && self.statement.selects
        {
            refusal.kind = RefusalKind::Conflict;
        }
        error
    }

    async fn execute(
        &self,
        session: &mut dyn DbSession,
        run: &StatementRun,
    ) -> Result<u64, DatabaseError> {
        let texts: Vec<_> = run
            .params
            .iter()
            .enumerate()
            .map(|(index, value)| {
                self.classes.get(index).copied().unwrap_or(ColumnClass::Other).text(value)
            })
            .collect();
        let parameters =
            run.params.iter().zip(&texts).map(|(value, text)| match (self.dialect, value) {
                (Dialect::Sqlite, Value::Int(integer)) => Param::Integer(*integer),
                (Dialect::Sqlite, Value::Float(float)) => Param::Float(*float),
                (Dialect::Sqlite, Value::Bool(boolean)) => Param::Boolean(*boolean),
                _ => Param::OptionalText(text.as_deref()),
            });
        session.execute(&self.sql, &parameters.collect::<Vec<_>>()).await
    }
}
