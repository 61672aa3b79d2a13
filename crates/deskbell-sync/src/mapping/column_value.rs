//! The value of a mapped column: an expression's, or what another table has.

use deskbell_expr::{EvaluationError, EventView, Expression, Value};

use super::declaration::{DeclarationProblem, compile, compile_all};
use crate::config::{ColumnValue, ColumnValues};
use crate::scalar::as_text;

/// The value of a column, compiled.
#[derive(Debug)]
pub(crate) enum MappedValue {
    Expression(Expression),
    Lookup(Lookup),
}

/// A value that is looked up when a row is written.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// The table that has it.
    pub(crate) table: String,
    /// The columns by which its row is found.
    pub(crate) by: Vec<(String, Expression)>,
    /// The column that has it.
    pub(crate) column: String,
}

impl MappedValue {
    pub(super) fn compile_all(
        section: &str,
        values: &ColumnValues,
    ) -> Result<Vec<(String, Self)>, DeclarationProblem> {
        let compiled = values.iter().map(|(name, value)| {
            let place = format!("{section}.{name}");
            let value = match value {
                ColumnValue::Expression(text) => Self::Expression(compile(text, || place)?),
                ColumnValue::Lookup(lookup) => Self::Lookup(Lookup {
                    table: lookup.lookup.clone(),
                    by: compile_all(&format!("{place}.where"), &lookup.by)?,
                    column: lookup.column.clone(),
                }),
            };
            Ok((name.to_owned(), value))
        });
        compiled.collect()
    }

    /// The value for an event. Of a lookup it is the list of what the row is found by, as texts; null
    /// where one of these is null.
    pub(crate) fn evaluate(&self, view: &EventView<'_>) -> Result<Value, EvaluationError> {
        let lookup = match self {
            Self::Expression(expression) => return expression.evaluate(view),
            Self::Lookup(lookup) => lookup,
        };
        let mut list = Vec::new();
        for (_, expression) in &lookup.by {
            match as_text(&expression.evaluate(view)?) {
                Some(text) => list.push(serde_json::Value::from(text)),
                None => return Ok(Value::Null),
            }
        }
        Ok(Value::Text(serde_json::Value::Array(list).to_string()))
    }

    pub(crate) fn lookup(&self) -> Option<&Lookup> {
        match self {
            Self::Expression(_) => None,
            Self::Lookup(lookup) => Some(lookup),
        }
    }
}
