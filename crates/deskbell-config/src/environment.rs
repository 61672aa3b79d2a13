//! The environment: the one place of the program that reads variables.

mod files;
mod listed;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

pub use files::EnvironmentFiles;
use files::is_set;
pub use listed::{SetVariable, listed};

/// Where `"env:NAME"` is looked up.
#[derive(Clone, Default)]
pub enum Environment {
    /// The process's own variables.
    #[default]
    Process,
    /// The process's own variables, and what they lack from `.env.local` and `.env`.
    WithFiles(Arc<EnvironmentFiles>),
    /// These and no others.
    Fixed(BTreeMap<String, String>),
}

impl Environment {
    /// The process's own variables, and what they lack from `.env.local` and, after it, `.env` in
    /// this directory, as they are now.
    #[must_use]
    pub fn with_files_in(directory: &Path) -> Self {
        Self::WithFiles(Arc::new(EnvironmentFiles::read(directory)))
    }

    /// The variable's value; `None` where it is unset, empty, or not Unicode.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        match self {
            Self::Process => process_variable(name),
            Self::WithFiles(files) => process_variable(name).or_else(|| files.get(name)),
            Self::Fixed(variables) => variables.get(name).cloned().filter(is_set),
        }
    }

    /// The same, but for what files give: what is said there of `PORT` is about the application.
    #[must_use]
    pub fn of_process(&self, name: &str) -> Option<String> {
        match self {
            Self::WithFiles(_) => process_variable(name),
            Self::Process | Self::Fixed(_) => self.get(name),
        }
    }

    /// Which variables came from which file until now, and which lines there make no sense.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::WithFiles(files) => files.notes(),
            Self::Process | Self::Fixed(_) => Vec::new(),
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that reads variables")]
fn process_variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(is_set)
}

impl fmt::Debug for Environment {
    /// Names no values: they may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process => f.write_str("Process"),
            Self::WithFiles(files) => files.fmt(f),
            Self::Fixed(variables) => f.debug_set().entries(variables.keys()).finish(),
        }
    }
}
