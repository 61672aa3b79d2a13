//! What is wrong with a config: where it stands, and how to mend it.

use std::ops::Range;

use miette::{Diagnostic, NamedSource, SourceSpan};

use super::LeftOut;

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
    place: Option<SourceSpan>,
}

/// What a check found, before it is known where in the file that stands.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) place: Place,
}

/// Where a fault is.
#[derive(Debug)]
pub(super) enum Place {
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
pub(super) enum Step {
    /// The value of this key.
    Key(&'static str),
    /// The value of this key, which the file chose, such as a column's name.
    Name(String),
    /// The element with this number.
    Index(usize),
}

impl Fault {
    /// A fault at the value under these keys.
    pub(super) fn at(path: Vec<Step>, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, place: Place::Path(path) }
    }

    /// The same, where these destinations are not among those that were checked.
    pub(super) fn behind(mut self, left_out: &[LeftOut]) -> Self {
        if let Place::Path(path) | Place::Within(path, _) = &mut self.place
            && let [Step::Key("destination"), Step::Index(index), ..] = path.as_mut_slice()
        {
            *index = LeftOut::place_in_file(left_out, *index);
        }
        self
    }

    /// At this byte of the text that the value is.
    pub(super) fn within(self, byte: usize) -> Self {
        let place = match self.place {
            Place::Path(path) => Place::Within(path, byte),
            other => other,
        };
        Self { place, ..self }
    }

    /// With advice on how to mend it.
    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

impl ConfigError {
    /// A fault that is not at a place in a file.
    pub(super) fn new(message: impl Into<String>, help: impl Into<Option<String>>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self(Box::new(Details { message, help, text: None, place: None }))
    }

    /// A fault at these bytes of a file whose text may be shown.
    pub(super) fn in_file(
        message: String,
        help: Option<String>,
        text: NamedSource<String>,
        place: Option<Range<usize>>,
    ) -> Self {
        let place = place.map(SourceSpan::from);
        Self(Box::new(Details { message, help, text: Some(text), place }))
    }
}
