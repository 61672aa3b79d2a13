//! What is wrong with a template.

use deskbell_expr::EventView;
use minijinja::ErrorKind;

use super::limits::TooMuch;

/// A template that cannot be compiled, or that fails with an event. It contains nothing from the event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {name}{}: {reason}", line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub(crate) struct TemplateError {
    name: String,
    line: Option<usize>,
    reason: String,
}

impl TemplateError {
    pub(super) fn new(name: &str, line: Option<usize>, reason: impl Into<String>) -> Self {
        Self { name: name.to_owned(), line, reason: reason.into() }
    }

    /// It does not compile. The template holds no people's data: its own errors can be shown whole.
    pub(super) fn syntax(name: &str, error: &minijinja::Error) -> Self {
        let reason = error.detail().map_or_else(|| words(error.kind()), str::to_owned);
        Self::new(name, error.line(), reason)
    }

    /// It fails with an event.
    pub(super) fn rendering(name: &str, error: &minijinja::Error) -> Self {
        let too_much = std::error::Error::source(error).and_then(|s| s.downcast_ref::<TooMuch>());
        let reason = too_much.map_or_else(|| words(error.kind()), ToString::to_string);
        Self::new(name, error.line(), reason)
    }
}

/// What went wrong, in words that contain no values.
fn words(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::OutOfFuel => {
            "it needs too many steps, or too much memory for intermediate values".to_owned()
        }
        kind => kind.to_string(),
    }
}

/// A type of event with whose sample a template fails.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("with a sample of {event_type}: {reason}")]
pub struct CheckFailure {
    pub event_type: String,
    /// Which template, and why, in plain words.
    pub reason: String,
}

impl CheckFailure {
    /// What `check` finds wrong with the catalog's samples of these types.
    pub(crate) fn all(
        event_types: &[&str],
        check: impl Fn(&EventView<'_>) -> Option<String>,
    ) -> Vec<Self> {
        let failure = |event_type: &&str| {
            let reason = deskbell_expr::on_sample(event_type, |_, view| check(view))??;
            Some(Self { event_type: (*event_type).to_owned(), reason })
        };
        event_types.iter().filter_map(failure).collect()
    }
}
