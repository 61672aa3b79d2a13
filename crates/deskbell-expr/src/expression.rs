//! `Expression`: compiled once, evaluated on many events.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::common::ast::Expr;
use cel::{Context, Value as CelValue};
use clerk_webhooks::EventType;

use crate::compile::{self, Compiled};
use crate::convert;
use crate::error::{EvaluationError, EvaluationErrorKind, ExpressionError};
use crate::failure;
use crate::form::Form;
use crate::functions::ENV;
use crate::path::Found;
use crate::resolver::Resolver;
use crate::roots;
use crate::unknown::UnknownPath;
use crate::value::{Condition, Kind, Value};
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

    /// Its paths under `data` and `event_attributes` that no sample and no description of events of
    /// these types has: most often they are misspelt, but Clerk adds to its payloads. None where a type
    /// is not in the catalog.
    #[must_use]
    pub fn unknown_paths<S: AsRef<str>>(&self, event_types: &[S]) -> Vec<UnknownPath> {
        let mut unknown = Vec::new();
        for (path, column) in &self.compiled.untyped {
            let found = UnknownPath::untyped(path, *column, event_types);
            unknown.extend(found.filter(|found| !unknown.contains(found)));
        }
        unknown
    }

    /// An entity's root that it uses and that no event of these types has: its fields are
    /// always missing. None where no type is given.
    #[must_use]
    pub fn absent_root<S: AsRef<str>>(&self, event_types: &[S]) -> Option<&'static str> {
        let entities =
            event_types.iter().filter_map(|name| EventType::from(name.as_ref()).entity());
        let there: Vec<_> = entities.map(roots::of_entity).collect();
        let is_absent = |root: &&str| roots::ENTITIES.contains(root) && !there.contains(root);
        let mut used = self.compiled.paths.iter().map(|path| path.root);
        if event_types.is_empty() { None } else { used.find(is_absent) }
    }

    /// Its paths that lead to nothing in this event, each once.
    #[must_use]
    pub fn missing_paths(&self, view: &EventView<'_>) -> Vec<String> {
        let paths = self.compiled.paths.iter();
        let missing = paths.filter(|path| matches!(view.find(path), Found::Missing));
        missing.map(ToString::to_string).collect()
    }

    /// The kind of what it leads to in events of these types, where it is a path and the kind is
    /// declared.
    pub(crate) fn declared_kind<S: AsRef<str>>(&self, event_types: &[S]) -> Option<Kind> {
        let [path] = self.compiled.paths.as_slice() else { return None };
        self.is_path().then(|| Form::of_path(path, event_types)?.kind()).flatten()
    }

    /// Its value for an event. A missing path is null, and so is what cannot be done with null.
    ///
    /// # Errors
    ///
    /// [`EvaluationError`], which contains no value of the event.
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
        let resolver = Resolver::new(view, &self.compiled);
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
