//! What is wrong with a scenario: where it is, and how to mend it.

use std::fmt;

use miette::Diagnostic;

use crate::assignment::UnknownPath;
use crate::samples::UnknownType;

/// A scenario that cannot be played.
#[derive(Debug, thiserror::Error)]
#[error("{}{fault}", self.place())]
pub struct ScenarioError {
    /// The file, or the name of the scenario that Deskbell comes with.
    pub(super) origin: Option<String>,
    /// Which step, from 1, and its type.
    pub(super) step: Option<(usize, String)>,
    pub fault: Box<ScenarioFault>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum ScenarioFault {
    #[error("the file cannot be read: {0}")]
    Unreadable(std::io::Error),
    #[error("{0}")]
    #[diagnostic(help(
        "a scenario is a list of steps: `[[step]]` with `type = \"user.created\"`, and perhaps \
         `name`, `cast`, `set`, `add` and `data`"
    ))]
    Syntax(String),
    #[error("it has no steps")]
    #[diagnostic(help("add a step: `[[step]]` and below it `type = \"user.created\"`"))]
    Empty,
    #[error("two steps have the name `{0}`")]
    #[diagnostic(help("names are what other steps refer to: give each step its own"))]
    NameTwice(String),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Type(UnknownType),
    #[error("{0}, and the step has no `data`")]
    #[diagnostic(help("correct the type, or give `data` to send a type that Clerk does not"))]
    TypeWithoutData(UnknownType),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Path(UnknownPath),
    #[error("`{path}` is not a path")]
    #[diagnostic(help("write keys and list positions with dots between them: data.first_name"))]
    BadPath { path: String },
    #[error("`{{{{{reference}}}}}`: no step has the name `{name}`")]
    UnknownStep {
        reference: String,
        name: String,
        #[help]
        help: String,
    },
    #[error("`{{{{{reference}}}}}`: the data of step `{name}` has no `{path}`")]
    UnknownField {
        reference: String,
        name: String,
        path: String,
        #[help]
        help: String,
    },
}

impl ScenarioError {
    pub(super) fn new(fault: ScenarioFault) -> Self {
        Self { origin: None, step: None, fault: Box::new(fault) }
    }

    fn place(&self) -> String {
        let mut place = String::new();
        // An event of one type comes from the command line, which has no steps.
        let Some(origin) = &self.origin else { return place };
        place += &format!("{origin}: ");
        if let Some((number, event_type)) = &self.step {
            place += &format!("step {number} ({event_type}): ");
        }
        place
    }
}

impl Diagnostic for ScenarioError {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.fault.help()
    }
}
