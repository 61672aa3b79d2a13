//! `[[destination.statement]]`: a statement of your own, run by events.

use std::collections::BTreeSet;

use deskbell_config::{Fault, Step};
use deskbell_sync::statements::identity;
use deskbell_sync::{Dialect, check_statement};
use serde::{Deserialize, Serialize};

use super::mirror_options::statement_options;
use super::{Expressions, event_types, expression};

/// One SQL statement that events of certain types run. Values are CEL expressions.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StatementConfig {
    /// What it is known by from one start to the next, and called in logs. Default: what it says, and
    /// people are shown its line and its first words.
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
pub(super) fn check(
    statements: &[StatementConfig],
    dialect: Dialect,
    at: &[Step],
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let mut known = BTreeSet::new();
    for (index, statement) in statements.iter().enumerate() {
        let at = |key| [at, &[Step::Key("statement"), Step::Index(index), Step::Key(key)]].concat();
        if let Err(error) = check_statement(&statement.sql, dialect) {
            return Err(Fault::at(at("sql"), error.to_string()).within(error.byte));
        }
        if statement.on.is_empty() {
            return Err(Fault::at(at("on"), "a statement needs event types that run it")
                .with_help("write for example on = [\"user.created\"]"));
        }
        for (number, event_type) in statement.on.iter().enumerate() {
            let place = [at("on"), vec![Step::Index(number)]].concat();
            event_types::check(event_type, place, warnings)?;
        }
        if !known.insert(identity(&statement_options(statement))) {
            let key = if statement.name.is_some() { "name" } else { "sql" };
            return Err(Fault::at(at(key), "this is the same statement as one before it")
                .with_help(
                    "what has run is kept by its name, or by what it says: give each a `name`",
                ));
        }
        check_expressions(statement, at, warnings)?;
    }
    Ok(())
}

fn check_expressions(
    statement: &StatementConfig,
    at: impl Fn(&'static str) -> Vec<Step>,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let event_types = event_types::known_only(Some(&statement.on));
    let params = statement.params.iter().map(|(name, text)| {
        let place = [at("params"), vec![Step::Name(name.to_owned())]].concat();
        (format!("the parameter `{name}`"), text, place)
    });
    let when = statement.when.as_deref();
    let when = when.map(|text| ("the condition `when`".to_owned(), text, at("when")));
    for (what, text, place) in params.chain(when) {
        let expression = expression::check(&what, text, &event_types, place.clone(), warnings)?;
        warnings.extend(expression::absent_root(&what, &expression, &event_types, place));
    }
    Ok(())
}
