//! What the evaluator's errors mean, without the values that they print.

use cel::{ExecutionError, Value as CelValue};

use crate::error::EvaluationErrorKind;
use crate::roots;

const NULL_TYPE: &str = "null_type";

/// Whether an operation failed since it was given null.
pub(crate) fn is_of_null(error: &ExecutionError) -> bool {
    let is_null = |value: &CelValue| matches!(value, CelValue::Null);
    match error {
        ExecutionError::NoSuchOverload(error) => {
            error.argument_types().iter().any(|t| t == NULL_TYPE)
        }
        ExecutionError::UnexpectedType { got, .. } => got == NULL_TYPE,
        ExecutionError::UnsupportedBinaryOperator(_, left, right)
        | ExecutionError::ValuesNotComparable(left, right)
        | ExecutionError::UnsupportedIndex(left, right) => is_null(left) || is_null(right),
        ExecutionError::UnsupportedTargetType { target }
        | ExecutionError::NotSupportedAsMethod { target, .. } => is_null(target),
        ExecutionError::UnsupportedKeyType(key) => is_null(key),
        _ => false,
    }
}

pub(crate) fn kind(error: ExecutionError) -> EvaluationErrorKind {
    match error {
        ExecutionError::NoSuchOverload(error) => EvaluationErrorKind::WrongTypes {
            operation: error.function().to_owned(),
            types: error.argument_types().to_vec(),
        },
        ExecutionError::UnsupportedBinaryOperator(operation, left, right) => {
            EvaluationErrorKind::WrongTypes {
                operation: operation.to_owned(),
                types: vec![left.type_of().to_string(), right.type_of().to_string()],
            }
        }
        ExecutionError::DivisionByZero(_)
        | ExecutionError::RemainderByZero(_)
        | ExecutionError::Overflow(..) => EvaluationErrorKind::OutOfRange,
        ExecutionError::DuplicateKey(_) => EvaluationErrorKind::DuplicateKey,
        ExecutionError::FunctionError { function, .. } if is_known(&function) => {
            EvaluationErrorKind::FunctionFailed { function }
        }
        _ => EvaluationErrorKind::WrongType,
    }
}

/// Whether a name is one that we know, and so no value.
fn is_known(function: &str) -> bool {
    roots::FUNCTIONS.contains(&function) || roots::METHODS.contains(&function)
}
