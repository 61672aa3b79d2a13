//! What is wrong with a template.

use std::fmt;

use deskbell_expr::UnknownPath;
use minijinja::ErrorKind;

use super::bounded::{RENDERED_BYTES_MAX, TEMPLATE_BYTES_MAX};
use super::limits::TooMuch;
use super::metered::NotMetered;

/// A template that cannot be used: found at start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// It does not follow the language.
    #[error("template {name}, line {line}: {reason}")]
    Syntax {
        /// The template.
        name: String,
        /// The line, from 1; 0 where it is not known.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It uses a name that no event has.
    #[error("template {name}, line {line}: unknown name `{unknown}`{}", DidYouMean(*nearest))]
    UnknownName {
        /// The template.
        name: String,
        /// The line where it is first used, from 1.
        line: usize,
        /// The name.
        unknown: String,
        /// The known name that is most like it.
        nearest: Option<&'static str>,
    },
    /// It uses a field that the entity of its root does not have.
    #[error("template {name}, line {line}: {unknown}")]
    UnknownField {
        /// The template.
        name: String,
        /// The line where it is first used, from 1.
        line: usize,
        /// The field.
        unknown: Box<UnknownPath>,
    },
    /// It compares with `none`, which is never equal to what is missing.
    #[error(
        "template {name}, line {line}: write `is none` or `is not none` in place of a comparison"
    )]
    ComparesWithNone {
        /// The template.
        name: String,
        /// The line, from 1.
        line: usize,
    },
    /// It is too long.
    #[error("template {name} is longer than {TEMPLATE_BYTES_MAX} bytes")]
    TooLong {
        /// The template.
        name: String,
    },
}

impl TemplateError {
    /// The template holds no people's data: its own errors can be told whole.
    pub(super) fn syntax(name: String, error: &minijinja::Error) -> Self {
        let reason = error.detail().map_or_else(|| words(error.kind()), str::to_owned);
        Self::Syntax { name, line: error.line().unwrap_or_default(), reason }
    }
}

impl TemplateError {
    /// A tag that the engine takes and that cannot be kept within limits.
    pub(super) fn not_metered(name: String, error: &NotMetered) -> Self {
        Self::Syntax { name, line: error.line, reason: error.reason.to_owned() }
    }
}

struct DidYouMean(Option<&'static str>);

impl fmt::Display for DidYouMean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |nearest| write!(f, ", did you mean `{nearest}`?"))
    }
}

/// A type of event with whose sample a template fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("with a sample of {event_type}: {reason}")]
pub struct CheckFailure {
    /// The type.
    pub event_type: String,
    /// Which template, and why, in plain words.
    pub reason: String,
}

/// A template that fails with an event. It contains nothing from the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {name}{}: {reason}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub(crate) struct RenderError {
    name: String,
    line: Option<usize>,
    reason: String,
}

impl RenderError {
    pub(super) fn new(name: &str, error: &minijinja::Error) -> Self {
        let too_much = std::error::Error::source(error).and_then(|s| s.downcast_ref::<TooMuch>());
        let reason = too_much.map_or_else(|| words(error.kind()), ToString::to_string);
        Self { name: name.to_owned(), line: error.line(), reason }
    }

    pub(super) fn too_long(name: &str) -> Self {
        let reason = format!("it comes to more than {RENDERED_BYTES_MAX} bytes");
        Self { name: name.to_owned(), line: None, reason }
    }
}

/// What went wrong, in words that contain no values.
fn words(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::OutOfFuel => "it takes too many steps, or makes too much on the way".to_owned(),
        kind => kind.to_string(),
    }
}
