//! A statement of the application's, as the config declares it.

use std::sync::Arc;

use deskbell_config::takes_type;
use deskbell_expr::{Condition, EventParts, EventView, Expression, Value};
use deskbell_store::StoredEvent;

use super::declaration::{DeclarationError, DeclarationProblem, compile, compile_all};
use super::named::Numbered;
use super::revision::revision_of;
use super::statement_text::{check_statement, first_words, selects};
use crate::config::{Stale, StatementConfig};
use crate::db::Dialect;
use crate::scalar::cleaned;

/// A statement with its expressions.
#[derive(Debug)]
pub(crate) struct CompiledStatement {
    /// Its name in `_versions` and in dead letters.
    pub(crate) name: String,
    /// The name that people are shown.
    pub(crate) title: String,
    pub(crate) on: Vec<String>,
    pub(crate) numbered: Numbered,
    /// In the order of the numbers.
    pub(crate) params: Vec<(String, Expression)>,
    when: Option<Expression>,
    pub(crate) stale: Stale,
    /// The rows that it must match.
    pub(crate) expect_rows: Option<u64>,
    /// Whether it selects rows of any table.
    pub(crate) selects: bool,
    pub(crate) declared_at: String,
}

impl CompiledStatement {
    pub(crate) fn compile(
        options: &StatementConfig,
        dialect: Dialect,
    ) -> Result<Self, DeclarationError> {
        let declared_at = options.declared_at();
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
        let when = options.when.as_deref();
        let when = when.map(|text| compile(text, || "statement.when".to_owned())).transpose();
        Ok(Self {
            name: identity(options),
            title: title(options),
            on: options.on.clone(),
            numbered,
            params,
            when: when.map_err(problem)?,
            stale: options.stale,
            expect_rows: options.expect_rows,
            selects: selects(&options.sql, dialect),
            declared_at,
        })
    }

    /// Compiles all of them. Their identities must differ, as each records what it has run for.
    pub(crate) fn compile_all(
        options: &[StatementConfig],
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

    /// Its identity and its title.
    pub(crate) fn names(&self) -> (String, String) {
        (self.name.clone(), self.title.clone())
    }

    /// Whether it runs for events of this type.
    pub(crate) fn is_on(&self, event_type: &str) -> bool {
        takes_type(&self.on, event_type)
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

/// The identity of a statement across restarts: its name, or what it says, so that statements may
/// change their order.
pub(crate) fn identity(options: &StatementConfig) -> String {
    let unnamed =
        || format!("statement {:016x}", revision_of(format!("{:?} {}", options.on, options.sql)));
    options.name.clone().unwrap_or_else(unnamed)
}

/// The title of a statement: its name, or where the config declares it and its first words.
pub(crate) fn title(options: &StatementConfig) -> String {
    let unnamed = || format!("{}: {}", options.declared_at(), first_words(&options.sql));
    options.name.clone().unwrap_or_else(unnamed)
}
