//! `Expression`: compiled once, evaluated on many events.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::Expr;
use cel::{Context, Value as CelValue};

use crate::compile::{self, Compiled};
use crate::convert;
use crate::error::{EvaluationError, EvaluationErrorKind, ExpressionError};
use crate::failure;
use crate::functions::ENV;
use crate::path::Found;
use crate::resolver::Resolver;
use crate::value::{Condition, Value};
use crate::view::EventView;

/// A compiled expression; cloning it is cheap.
#[derive(Clone)]
pub struct Expression {
    text: Arc<str>,
    compiled: Arc<Compiled>,
}

impl Expression {
    /// Compiles a text.
    ///
    /// # Errors
    ///
    /// [`ExpressionError`] when it is too long or too deep, does not follow the grammar, or uses a
    /// name, a function or a part of CEL that there is not.
    pub fn compile(text: &str) -> Result<Self, ExpressionError> {
        let compiled = Arc::new(compile::compile(text)?);
        Ok(Self { text: Arc::from(text), compiled })
    }

    /// The text that it was compiled from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its value for an event. A missing path is null, and so is what cannot be done with null.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`], which bears no value of the event.
    pub fn evaluate(&self, view: &EventView<'_>) -> Result<Value, EvaluationError> {
        self.run(view).map(|(value, _)| value)
    }

    /// Whether it holds for an event. Null does not hold.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`], also when the value is something else than true, false or null.
    pub fn holds(&self, view: &EventView<'_>) -> Result<Condition, EvaluationError> {
        match self.run(view)? {
            (Value::Bool(true), _) => Ok(Condition::True),
            (Value::Bool(false) | Value::Null, missing) => Ok(Condition::False { missing }),
            (value, _) => Err(self.error(
                value
                    .kind()
                    .map_or(EvaluationErrorKind::WrongType, EvaluationErrorKind::NotABoolean),
            )),
        }
    }

    /// The value, and the first path that was missing.
    fn run(&self, view: &EventView<'_>) -> Result<(Value, Option<String>), EvaluationError> {
        // An expression that is a path alone needs no evaluator.
        if self.is_path()
            && let [path] = self.compiled.paths.as_slice()
        {
            return Ok(match view.find(path) {
                Found::Text(text) => (Value::Text(text.to_owned()), None),
                Found::Json(value) => (convert::of_json(value), None),
                Found::Missing => (Value::Null, Some(path.to_string())),
            });
        }
        let resolver = Resolver::new(view, &self.compiled.paths);
        // CEL's evaluator is not ours: a fault in it must cost one event's evaluation, not the engine.
        let result = catch_unwind(AssertUnwindSafe(|| self.interpret(&resolver)))
            .unwrap_or(Err(EvaluationErrorKind::EvaluatorFailed));
        let result =
            if resolver.is_used_up() { Err(EvaluationErrorKind::TooMuchWork) } else { result };
        result.map(|value| (value, resolver.missing())).map_err(|kind| self.error(kind))
    }

    fn is_path(&self) -> bool {
        matches!(&self.compiled.tree.expr, Expr::Ident(name) if name.starts_with("@p"))
    }

    fn interpret(&self, resolver: &Resolver<'_>) -> Result<Value, EvaluationErrorKind> {
        let mut context = Context::with_env(ENV.clone());
        context.set_variable_resolver(resolver);
        match CelValue::resolve_val(&self.compiled.tree, &context) {
            Ok(value) => convert::of_cel(value.as_ref()),
            Err(error) if failure::is_of_null(&error) => {
                resolver.note_null();
                Ok(Value::Null)
            }
            Err(error) => Err(failure::kind(error)),
        }
    }

    fn error(&self, kind: EvaluationErrorKind) -> EvaluationError {
        EvaluationError { expression: self.text.clone(), kind }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text).finish()
    }
}
