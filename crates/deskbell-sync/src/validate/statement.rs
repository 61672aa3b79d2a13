//! Whether statements can be run as they are declared.

use std::collections::BTreeSet;

use deskbell_config::{Fault, Step};
use deskbell_expr::{event_types, in_config as expression};

use crate::config::StatementConfig;
use crate::db::Dialect;
use crate::mapping::{check_statement, identity};

/// Whether the statements of a destination can be run.
pub(super) fn check(
    statements: &[StatementConfig],
    dialect: Dialect,
    warnings: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let mut known = BTreeSet::new();
    for (index, statement) in statements.iter().enumerate() {
        let at = |key| vec![Step::Key("statement"), Step::Index(index), Step::Key(key)];
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
        if statement.expect_rows == Some(0) {
            return Err(Fault::at(
                at("expect_rows"),
                "a statement that matches no rows does nothing",
            )
            .with_help("write for example expect_rows = 1, or leave it out"));
        }
        if !known.insert(identity(statement)) {
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
        (format!("the parameter `{name}`"), text.as_str(), place)
    });
    let when = statement.when.as_deref();
    let when = when.map(|text| ("the condition `when`".to_owned(), text, at("when")));
    for (what, text, place) in params.chain(when) {
        let expression = expression::check(&what, text, &event_types, place.clone(), warnings)?;
        warnings.extend(expression::absent_root(&what, &expression, &event_types, place));
    }
    Ok(())
}
