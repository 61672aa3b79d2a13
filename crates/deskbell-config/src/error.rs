//! What is wrong with a config: where it is, and how to fix it.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};

/// A config that cannot be used. Nothing was started.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error(transparent)]
#[diagnostic(transparent)]
pub struct ConfigError(Box<Details>);

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{message}")]
struct Details {
    message: String,
    #[help]
    help: Option<String>,
    #[source_code]
    text: Option<NamedSource<String>>,
    #[label("here")]
    span: Option<SourceSpan>,
}

/// What a check found, before its bytes in the file are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    pub message: String,
    pub help: Option<String>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    /// At these bytes of the file.
    Bytes(Range<usize>),
    /// At the value of these keys, or the nearest one around it.
    Path(Vec<Step>),
    /// At this byte of the text that is the value of these keys.
    Within(Vec<Step>, usize),
    /// Not in the file.
    Nowhere,
}

/// One step from a table or a list to what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of this key.
    Key(&'static str),
    /// The value of this key, which the file chose, such as a column's name.
    Name(String),
    /// The element with this number.
    Index(usize),
}

impl Fault {
    /// A fault at the value under these keys.
    #[must_use]
    pub fn at(path: Vec<Step>, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, span: Span::Path(path) }
    }

    /// The same, where its path begins at the value under these keys.
    #[must_use]
    pub fn below(mut self, parent: &[Step]) -> Self {
        if let Span::Path(path) | Span::Within(path, _) = &mut self.span {
            path.splice(0..0, parent.iter().cloned());
        }
        self
    }

    /// At this byte of the text that the value is.
    #[must_use]
    pub fn within(self, byte: usize) -> Self {
        let span = match self.span {
            Span::Path(path) => Span::Within(path, byte),
            other => other,
        };
        Self { span, ..self }
    }

    /// With advice on how to fix it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl ConfigError {
    /// A fault that is not in a file.
    #[must_use]
    pub fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self(Box::new(Details { message, help, text: None, span: None }))
    }

    /// A fault at these bytes of a file whose text may be shown.
    pub(crate) fn in_file(
        message: String,
        help: Option<String>,
        text: NamedSource<String>,
        span: Option<Range<usize>>,
    ) -> Self {
        let span = span.map(SourceSpan::from);
        Self(Box::new(Details { message, help, text: Some(text), span }))
    }
}
