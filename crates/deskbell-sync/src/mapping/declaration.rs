//! What is wrong with a declaration of the config, and compiling its expressions.

use deskbell_expr::{Expression, ExpressionError};

use super::statement_text::StatementTextError;

/// A declaration that makes no sense.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{declared_at}: {problem}")]
pub struct DeclarationError {
    /// Where the config declares it.
    pub declared_at: String,
    /// What is wrong.
    pub problem: DeclarationProblem,
}

/// What is wrong with a declaration.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeclarationProblem {
    /// There is no such entity.
    #[error("there is no entity {name:?}")]
    UnknownEntity {
        /// The name that was given.
        name: String,
    },
    /// There is no key.
    #[error("a mapped table needs a key of at least one column")]
    NoKey,
    /// A column is filled from two places.
    #[error("the column {column:?} is named twice")]
    ColumnTwice {
        /// The column.
        column: String,
    },
    /// An expression cannot be compiled.
    #[error("{location}: {source}")]
    Expression {
        /// Which one, such as `columns.email`.
        location: String,
        /// What is wrong with it.
        source: ExpressionError,
    },
    /// The statement's text is not one statement, or one that cannot be.
    #[error(transparent)]
    StatementText(#[from] StatementTextError),
    /// Two statements are known by one name, or say the same on the same events.
    #[error(
        "it is the same statement as {other}, and what has run is kept by that: give each a `name` of its own"
    )]
    StatementTwice {
        /// Where the config declares the other one.
        other: String,
    },
    /// The statement has a `:name` that `params` does not have.
    #[error("the statement's parameter :{name} is not in params")]
    MissingParameter {
        /// The name.
        name: String,
    },
    /// `params` has a name that the statement does not use.
    #[error("params has {name:?}, and the statement has no :{name}")]
    UnusedParameter {
        /// The name.
        name: String,
    },
}

pub(super) fn compile_all(
    section: &str,
    texts: &[(String, String)],
) -> Result<Vec<(String, Expression)>, DeclarationProblem> {
    let compile = |(name, text): &(String, String)| match Expression::compile(text) {
        Ok(expression) => Ok((name.clone(), expression)),
        Err(source) => {
            Err(DeclarationProblem::Expression { location: format!("{section}.{name}"), source })
        }
    };
    texts.iter().map(compile).collect()
}
