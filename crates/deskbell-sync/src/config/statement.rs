//! `[[destination.statement]]`: a statement of your own, run by events.

use serde::{Deserialize, Serialize};

use super::expressions::Expressions;
use super::line::Line;

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
    /// The rows that it must insert or match. With fewer it waits and is tried again, with more it
    /// is rejected. Default: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_rows: Option<u64>,
    /// The statement's parameters by name.
    #[serde(default, skip_serializing_if = "Expressions::is_empty")]
    pub params: Expressions,
    /// The line of the file that it begins on.
    #[serde(skip)]
    pub line: Line,
}

impl StatementConfig {
    /// Where it is, for errors.
    pub(crate) fn declared_at(&self) -> String {
        self.line.of("statement")
    }
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
