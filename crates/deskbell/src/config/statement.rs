//! `[[destination.statement]]`: a statement of your own, run by events.

use serde::{Deserialize, Serialize};

use super::error::{Fault, Step};
use super::{Expressions, event_types};

/// One SQL statement that events of certain types run. Values are CEL expressions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StatementConfig {
    /// What it is called in logs. Default: its number in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The types of event that run it, such as `user.created` or `user.*`.
    pub on: Vec<String>,
    /// The statement.
    pub sql: String,
    /// A condition: it runs for the events for which this is true. Default: for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What happens for an event that is older than another one about the same entity that came
    /// before it. Default: `skip`.
    #[serde(default)]
    pub stale: Stale,
    /// The statement's parameters by name.
    #[serde(default, skip_serializing_if = "Expressions::is_empty")]
    pub params: Expressions,
    /// The line of the file that it begins on.
    #[serde(skip)]
    pub line: Option<usize>,
}

/// What happens for an event that has been overtaken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stale {
    /// The statement does not run.
    #[default]
    Skip,
    /// It runs all the same.
    Run,
}

/// Whether the statements of a destination can be. `at` is the list's place.
pub(super) fn check(statements: &[StatementConfig], at: &[Step]) -> Result<(), Fault> {
    for (index, statement) in statements.iter().enumerate() {
        let at = |key| [at, &[Step::Key("statement"), Step::Index(index), Step::Key(key)]].concat();
        if statement.sql.trim().is_empty() {
            return Err(Fault::at(at("sql"), "a statement needs its SQL"));
        }
        if statement.on.is_empty() {
            return Err(Fault::at(at("on"), "a statement needs event types that run it")
                .with_help("write for example on = [\"user.created\"]"));
        }
        for (number, event_type) in statement.on.iter().enumerate() {
            let place = [at("on"), vec![Step::Index(number)]].concat();
            event_types::check(event_type, place)?;
        }
    }
    Ok(())
}
