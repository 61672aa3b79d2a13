//! Where a database is, as `init` is told it.

use std::str::FromStr;

use deskbell_config::{DatabaseUrl, Environment};

/// A database's URL, or the variable that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    Url(DatabaseUrl),
    /// `env:NAME`.
    Variable(String),
}

impl Location {
    /// What the config says: a SQLite file as it is, and `env:NAME` for a URL that has a password, which
    /// belongs into the variable.
    pub(super) fn in_config(&self, variable: &str) -> String {
        match self.variable(variable) {
            Some(name) => format!("env:{name}"),
            None => match self {
                Self::Url(url) => url.to_string(),
                Self::Variable(name) => format!("env:{name}"),
            },
        }
    }

    /// The variable that must be set, if any.
    pub(crate) fn variable<'a>(&'a self, otherwise: &'a str) -> Option<&'a str> {
        match self {
            Self::Variable(name) => Some(name),
            Self::Url(DatabaseUrl::Postgres(_)) => Some(otherwise),
            Self::Url(DatabaseUrl::Sqlite(_)) => None,
        }
    }

    /// The URL; `None` if its variable is not set.
    ///
    /// # Errors
    /// The variable holds no URL of a database.
    pub(crate) fn url(&self, environment: &Environment) -> Result<Option<DatabaseUrl>, String> {
        match self {
            Self::Url(url) => Ok(Some(url.clone())),
            Self::Variable(name) => environment.get(name).map(|text| text.parse()).transpose(),
        }
    }
}

impl FromStr for Location {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        match text.strip_prefix("env:") {
            None => text.parse().map(Self::Url),
            Some(name) if is_name(name) => Ok(Self::Variable(name.to_owned())),
            Some(_) => Err("expected env:NAME, with a name of letters, digits and _".to_owned()),
        }
    }
}

fn is_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_never_goes_into_the_config() {
        for (text, expected) in [
            ("sqlite://app.db", "sqlite://app.db"),
            ("postgres://me:hunter2@db/app", "env:DATABASE_URL"),
            ("postgres:///app?host=/run/postgresql", "env:DATABASE_URL"),
            ("env:APP_DATABASE", "env:APP_DATABASE"),
        ] {
            let location: Location = text.parse().unwrap();
            assert_eq!(location.in_config("DATABASE_URL"), expected);
        }
        for wrong in ["env:", "env:A-B", "env:1", "mysql://db/app", ""] {
            assert!(wrong.parse::<Location>().is_err(), "{wrong}");
        }
    }
}
