//! Statements: run in the order of the log, each event once in effect.

use std::sync::Arc;

use deskbell_expr::{Condition, EventParts, EventView, Expression, Value};
use deskbell_store::{Seq, StoredEvent};

use super::fit::MappedTableProblem;
use super::named::Numbered;
use super::records::{RecordStatements, Scope};
use super::scalar::cleaned;
use super::statement_text::{check_statement, first_words};
use super::{DeclarationError, DeclarationProblem, compile_all};
use crate::db::{Class, DatabaseError, Dialect, Param, Session, Sql};
use crate::mapping::revision_of;
use crate::options::{Stale, StatementOptions};
use crate::version::Version;

/// Types that no pattern matches: they bear one-time codes and must be named.
const NAMED_ONLY: [&str; 2] = ["email.created", "sms.created"];

/// A statement with its expressions.
#[derive(Debug)]
pub(crate) struct CompiledStatement {
    /// Its name in `_versions` and in dead letters.
    pub(crate) name: String,
    /// What people are shown in the place of that.
    pub(crate) title: String,
    on: Vec<String>,
    numbered: Numbered,
    /// In the order of the numbers.
    params: Vec<(String, Expression)>,
    when: Option<Expression>,
    stale: Stale,
    pub(crate) declared_at: String,
}

/// A statement that is to be run for one event.
#[derive(Debug, PartialEq)]
pub(crate) struct StatementRun {
    pub(crate) statement: usize,
    pub(crate) seq: Seq,
    pub(crate) source: Arc<str>,
    pub(crate) event_type: String,
    pub(crate) entity: &'static str,
    pub(crate) id: String,
    pub(crate) version: Version,
    /// The event says that the entity is gone.
    pub(crate) ends: bool,
    pub(crate) params: Vec<Value>,
}

/// What a batch has for statements.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct StatementWork {
    /// In the order of the log.
    pub(crate) runs: Vec<StatementRun>,
    /// The deletes, in the order of the log: place, entity and id.
    pub(crate) ends: Vec<(Seq, &'static str, String)>,
}

impl CompiledStatement {
    pub(crate) fn compile(
        options: &StatementOptions,
        dialect: Dialect,
    ) -> Result<Self, DeclarationError> {
        let declared_at = options.declared_at.clone();
        let problem = |problem| DeclarationError { declared_at: declared_at.clone(), problem };
        check_statement(&options.sql, dialect).map_err(|error| problem(error.into()))?;
        let numbered = Numbered::parse(&options.sql, dialect);
        let mut given = compile_all("params", &options.params).map_err(problem)?;
        let mut params = Vec::new();
        for name in &numbered.names {
            let found = given.iter().position(|(given, _)| given == name);
            let missing = || DeclarationProblem::MissingParameter { name: name.clone() };
            params.push(given.remove(found.ok_or_else(missing).map_err(problem)?));
        }
        if let Some((name, _)) = given.pop() {
            return Err(problem(DeclarationProblem::UnusedParameter { name }));
        }
        let when = options.when.as_ref().map(|text| ("when".to_owned(), text.clone()));
        let mut when = compile_all("statement", when.as_slice()).map_err(problem)?;
        Ok(Self {
            name: identity(options),
            title: title(options),
            on: options.on.clone(),
            numbered,
            params,
            when: when.pop().map(|(_, expression)| expression),
            stale: options.stale,
            declared_at,
        })
    }

    /// Compiles all of them; what each has run for must be told apart from the others'.
    pub(crate) fn compile_all(
        options: &[StatementOptions],
        dialect: Dialect,
    ) -> Result<Vec<Arc<Self>>, DeclarationError> {
        let mut compiled: Vec<Arc<Self>> = Vec::new();
        for options in options {
            let statement = Self::compile(options, dialect)?;
            if let Some(other) = compiled.iter().find(|other| other.name == statement.name) {
                let problem = DeclarationProblem::StatementTwice { other: other.title.clone() };
                return Err(DeclarationError { declared_at: statement.declared_at, problem });
            }
            compiled.push(Arc::new(statement));
        }
        Ok(compiled)
    }

    /// What it is kept by, and what people know it by.
    pub(crate) fn names(&self) -> (String, String) {
        (self.name.clone(), self.title.clone())
    }

    /// Whether it runs for events of this type.
    pub(crate) fn is_on(&self, event_type: &str) -> bool {
        self.on.iter().any(|on| match on.strip_suffix('*') {
            _ if on == event_type => true,
            Some(prefix) => event_type.starts_with(prefix) && !NAMED_ONLY.contains(&event_type),
            None => false,
        })
    }

    /// The parameters for this event, which is about `id`; `None` where `when` does not hold.
    pub(crate) fn evaluate(
        &self,
        event: &StoredEvent,
        id: &str,
    ) -> Result<Option<Vec<Value>>, String> {
        let parts = EventParts {
            id: &event.message_id,
            event_type: &event.event_type,
            source: &event.source,
            subject: event.subject.as_deref().or(Some(id)).filter(|id| !id.is_empty()),
            occurred_at_ms: event.occurred_at_ms,
            instance_id: event.instance_id.as_deref(),
        };
        let view = EventView::of_body(parts, &event.payload);
        if let Some(when) = &self.when
            && when.holds(&view).map_err(|error| error.to_string())? != Condition::True
        {
            return Ok(None);
        }
        let evaluate = |(_, expression): &(String, Expression)| expression.evaluate(&view);
        let params = self.params.iter().map(evaluate).map(|value| value.map(cleaned));
        params.collect::<Result<_, _>>().map(Some).map_err(|error| error.to_string())
    }
}

/// What a statement is known by from one start to the next: its name, or what it says, so that
/// statements may change their order.
pub(crate) fn identity(options: &StatementOptions) -> String {
    let unnamed =
        || format!("statement {:016x}", revision_of(format!("{:?} {}", options.on, options.sql)));
    options.name.clone().unwrap_or_else(unnamed)
}

/// What people know a statement by: its name, or where the config declares it and its first words.
pub(crate) fn title(options: &StatementOptions) -> String {
    let unnamed = || format!("{}: {}", options.declared_at, first_words(&options.sql));
    options.name.clone().unwrap_or_else(unnamed)
}

/// A statement that the database has prepared.
#[derive(Debug)]
pub(crate) struct StatementTarget {
    statement: Arc<CompiledStatement>,
    dialect: Dialect,
    sql: Sql,
    classes: Vec<Class>,
    pub(super) records: RecordStatements,
}

impl StatementTarget {
    /// Has the database look at the statement, and compares the types.
    pub(crate) async fn new(
        session: &mut dyn Session,
        scope: Scope<'_>,
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
        let classes: Vec<_> = types.iter().map(|name| Class::of(dialect, name)).collect();
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
    pub(crate) async fn probe(&self, session: &mut dyn Session) -> Result<(), DatabaseError> {
        session.explain(&self.sql, self.classes.len()).await
    }

    /// Whether it runs for events that are older than one that it has run for.
    pub(super) fn runs_when_stale(&self) -> bool {
        self.statement.stale == Stale::Run
    }

    pub(super) async fn run(
        &self,
        session: &mut dyn Session,
        run: &StatementRun,
    ) -> Result<u64, DatabaseError> {
        let texts: Vec<_> = run
            .params
            .iter()
            .enumerate()
            .map(|(index, value)| {
                self.classes.get(index).copied().unwrap_or(Class::Other).text(value)
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
