//! The environment: the one place of the program that reads variables.

use std::collections::BTreeMap;
use std::fmt;

/// Where `"env:NAME"` is looked up.
#[derive(Clone, Default)]
pub enum Environment {
    /// The process's own variables.
    #[default]
    Process,
    /// These and no others.
    Fixed(BTreeMap<String, String>),
}

impl Environment {
    /// The variable's value; `None` where it is unset, empty, or not Unicode.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => process_variable(name),
            Self::Fixed(variables) => variables.get(name).cloned(),
        }
        .filter(|value| !value.trim().is_empty())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads variables")]
fn process_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl fmt::Debug for Environment {
    /// Names no values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("Process"),
            Self::Fixed(variables) => f.debug_set().entries(variables.keys()).finish(),
        }
    }
}
