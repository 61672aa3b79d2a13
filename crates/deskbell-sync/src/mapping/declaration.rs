//! Errors in declarations of the config, and the compilation of their expressions.

use deskbell_expr::{Expression, ExpressionError};

use super::statement_text::StatementTextError;
use crate::config::Expressions;

/// A declaration that makes no sense.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{declared_at}: {problem}")]
pub struct DeclarationError {
    /// Where the config declares it.
    pub declared_at: String,
    pub problem: DeclarationProblem,
}

#[derive(Debug, Clone, thiserror::Error)]
pub enum DeclarationProblem {
    #[error("unknown entity {name:?}")]
    UnknownEntity { name: String },
    #[error("a mapped table needs a key of at least one column")]
    NoKey,
    #[error("column {column:?} is mapped twice")]
    ColumnTwice { column: String },
    #[error("{location}: {source}")]
    Expression { location: String, source: ExpressionError },
    /// The statement's text is not one statement, or one that cannot be.
    #[error(transparent)]
    StatementText(#[from] StatementTextError),
    /// Two statements are known by one name, or say the same on the same events.
    #[error(
        "same statement as {other}; give each its own `name`, because what has run is recorded by \
         statement"
    )]
    StatementTwice { other: String },
    /// The statement has a `:name` that `params` does not have.
    #[error("the statement's parameter :{name} is not in params")]
    MissingParameter { name: String },
    /// `params` has a name that the statement does not use.
    #[error("params has {name:?}, and the statement has no :{name}")]
    UnusedParameter { name: String },
}

pub(super) fn compile_all(
    section: &str,
    texts: &Expressions,
) -> Result<Vec<(String, Expression)>, DeclarationProblem> {
    let compile = |(name, text): (&str, &String)| {
        Ok((name.to_owned(), compile(text, || format!("{section}.{name}"))?))
    };
    texts.iter().map(compile).collect()
}

pub(super) fn compile(
    text: &str,
    location: impl FnOnce() -> String,
) -> Result<Expression, DeclarationProblem> {
    Expression::compile(text)
        .map_err(|source| DeclarationProblem::Expression { location: location(), source })
}
