//! Why an expression cannot be compiled or evaluated. No message contains a value of an event.

use std::sync::Arc;

use crate::unknown::UnknownPath;
use crate::value::Kind;

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    #[error("the expression has {bytes} bytes, expected at most {max}", max = crate::EXPRESSION_BYTES_MAX)]
    TooLong { bytes: usize },
    #[error("the expression is nested deeper than {max}", max = crate::EXPRESSION_DEPTH_MAX)]
    TooDeep,
    #[error("syntax error at line {line}, column {column}: {reason}")]
    Syntax {
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        reason: String,
    },
    /// A variable that an event does not have.
    #[error("unknown name `{name}` at column {column}{}", did_you_mean(nearest.as_deref()))]
    UnknownName {
        name: String,
        /// Where it stands, in characters from the text's beginning, from 1.
        column: usize,
        /// The known name that is most like it.
        nearest: Option<&'static str>,
    },
    /// A field that the entity of its root does not have.
    #[error("{0}")]
    UnknownField(Box<UnknownPath>),
    #[error("unknown function `{name}` at column {column}{}", did_you_mean(nearest.as_deref()))]
    UnknownFunction {
        name: String,
        /// Where it stands, in characters from the text's beginning, from 1.
        column: usize,
        /// The known function that is most like it.
        nearest: Option<&'static str>,
    },
    /// The pattern of a `matches` is no regular expression.
    #[error("invalid regular expression in `matches` at column {column}: {reason}")]
    Pattern {
        /// Where it stands, in characters from the text's beginning, from 1.
        column: usize,
        reason: String,
    },
    /// The pattern of a `matches` needs more than [`PATTERN_BYTES_MAX`](crate::PATTERN_BYTES_MAX).
    #[error(
        "the pattern of `matches` at column {column} is too large: it needs more than {max} \
         bytes. Use fewer repetitions, or `[0-9A-Za-z_]` instead of `\\w`",
        max = crate::PATTERN_BYTES_MAX
    )]
    PatternTooLarge {
        /// Where it stands, in characters from the text's beginning, from 1.
        column: usize,
    },
    /// A part of CEL that is left out here.
    #[error("not supported at column {column}: {what}")]
    Unsupported {
        /// Where it stands, in characters from the text's beginning, from 1.
        column: usize,
        what: &'static str,
    },
    /// A fault in the parser, or no thread to run it on.
    #[error("cannot parse the expression")]
    ParserFailed,
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// Why an expression gives no value for an event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("evaluate `{expression}`: {kind}")]
pub struct EvaluationError {
    pub expression: Arc<str>,
    pub kind: EvaluationErrorKind,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationErrorKind {
    /// An operator or a function was given types that it does not take.
    #[error("`{operation}` does not take ({})", types.join(", "))]
    WrongTypes {
        /// The operator or function, as CEL names it (`_+_`).
        operation: String,
        types: Vec<String>,
    },
    /// A value has another type than its context needs.
    #[error("a value has a type that does not fit its context")]
    WrongType,
    /// A whole number, time or duration ran over, or was divided by zero.
    #[error("a division by zero, or a number or time out of range")]
    OutOfRange,
    /// A map was written with the same key twice.
    #[error("a map has the same key twice")]
    DuplicateKey,
    /// A function could not do its work, such as `timestamp()` of a text that is no time.
    #[error("`{function}` failed with these arguments")]
    FunctionFailed { function: String },
    /// A condition gave something else than true or false.
    #[error("expected true or false, found {0}")]
    NotABoolean(Kind),
    /// The result has no form that could be stored.
    #[error("the result is {0}, which cannot be stored")]
    NotStorable(&'static str),
    #[error("takes more work than is allowed for one event")]
    TooMuchWork,
    #[error("the evaluator failed")]
    EvaluatorFailed,
}
