//! Expressions of the config: compiled, and their paths compared with what events are known to have.

use crate::error::ExpressionError;
use crate::expression::Expression;
use deskbell_config::{Fault, Step};

/// What there is to use instead.
const DELETED_EVENT_HAS: &str =
    "an event of a delete has `data.id`, `subject`, `occurred_at` and others";

/// Compiles an expression that is evaluated on events of these types; none where they are not all
/// known. `what` is what errors call it.
///
/// # Errors
/// It cannot be used.
pub fn check(
    what: &str,
    text: &str,
    event_types: &[&str],
    at: Vec<Step>,
    warnings: &mut Vec<Fault>,
) -> Result<Expression, Fault> {
    let expression = match Expression::compile(text) {
        Ok(expression) => expression,
        Err(error) => {
            let fault = Fault::at(at, format!("{what} cannot be used: {error}"));
            return Err(match byte_of(&error, text) {
                Some(byte) => fault.within(byte),
                None => fault,
            });
        }
    };
    let unknown = expression.unknown_paths(event_types);
    if unknown.is_empty() && expression.absent_root(event_types).is_none() {
        for path in expression.absent_in_deletes(event_types) {
            let message = format!("{what} uses `{path}`, which no delete has: it is always null");
            warnings.push(Fault::at(at.clone(), message).with_help(DELETED_EVENT_HAS));
        }
    }
    for unknown in unknown {
        let message = format!("{what}: {unknown}");
        let fault = Fault::at(at.clone(), message).with_help("it is null where it is missing");
        warnings.push(fault.within(byte_at(text, 1, unknown.column)));
    }
    Ok(expression)
}

/// A fault where an expression uses a root that none of these events has.
#[must_use]
pub fn absent_root(
    what: &str,
    expression: &Expression,
    event_types: &[&str],
    at: Vec<Step>,
) -> Option<Fault> {
    let root = expression.absent_root(event_types)?;
    let message = format!("{what} uses `{root}`, which none of its events has: it is always null");
    Some(Fault::at(at, message).with_help("every event has `data`, `subject`, `type` and others"))
}

/// The byte of the text at which the mistake is.
fn byte_of(error: &ExpressionError, text: &str) -> Option<usize> {
    let (line, column) = match error {
        ExpressionError::Syntax { line, column, .. } => (*line, *column),
        ExpressionError::UnknownName { column, .. }
        | ExpressionError::UnknownFunction { column, .. }
        | ExpressionError::Unsupported { column, .. } => (1, *column),
        ExpressionError::UnknownField(unknown) => (1, unknown.column),
        _ => return None,
    };
    Some(byte_at(text, line, column))
}

fn byte_at(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text.get(before..).unwrap_or_default();
    let nth = rest.char_indices().nth(column.saturating_sub(1));
    before + nth.map_or(rest.len(), |(byte, _)| byte)
}
