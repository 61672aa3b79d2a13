//! What a database answers when it refuses a statement.

use std::fmt;

/// The answer of a database that refuses a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: RefusalKind,
    /// The SQLSTATE; on SQLite the extended result code.
    pub(crate) code: String,
    /// What the database says, without the values of the row.
    pub(crate) reason: String,
    /// The constraint and the table, where the database names them.
    pub(crate) constraint: Option<String>,
    pub(crate) table: Option<String>,
}

/// Whether trying again may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusalKind {
    /// A lock, a deadlock or a time limit: it says nothing about the row.
    Transient,
    /// A conflict with other rows, which may change.
    Conflict,
    /// A row that this needs is not there yet. The database refused nothing: it was asked.
    Missing,
    /// The same row will be refused again, unless the database's schema changes.
    Lasting,
}

/// PostgreSQL's code for a null in a column that must have a value, and SQLite's.
const NOT_NULL: [&str; 2] = ["23502", "1299"];

/// The meaning of a driver's error.
#[derive(Debug)]
pub(crate) enum ErrorMeaning {
    /// No answer, or one that says that the database cannot work now: nothing can be judged by it.
    Away,
    Refused(Refusal),
}

impl Refusal {
    /// Whether the row waits for other rows, or other people's locks, to change.
    pub(crate) fn may_pass(&self) -> bool {
        self.kind != RefusalKind::Lasting
    }

    /// A refusal by us, before the database was asked.
    pub(crate) fn of_ours(reason: String) -> Self {
        let (kind, code) = (RefusalKind::Lasting, String::new());
        Self { kind, code, reason, constraint: None, table: None }
    }

    /// The refusal of what needs a row that is not there yet.
    pub(crate) fn missing(code: &str, reason: String) -> Self {
        let (kind, code) = (RefusalKind::Missing, code.to_owned());
        Self { kind, code, reason, constraint: None, table: None }
    }

    /// Whether a column that must have a value was given none.
    pub(crate) fn is_of_a_null(&self) -> bool {
        NOT_NULL.contains(&self.code.as_str())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if self.code.is_empty() {
            return Ok(());
        }
        write!(f, " ({}", self.code)?;
        if let Some(constraint) = self.constraint.as_ref().filter(|name| !self.names(name)) {
            write!(f, ", constraint {constraint}")?;
        }
        if let Some(table) = self.table.as_ref().filter(|name| !self.names(name)) {
            write!(f, ", table {table}")?;
        }
        f.write_str(")")
    }
}

impl Refusal {
    fn names(&self, name: &str) -> bool {
        self.reason.contains(name)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_reason_does_not_name_stands_behind_it() {
        let refusal = Refusal {
            kind: RefusalKind::Conflict,
            code: "23505".to_owned(),
            reason: "duplicate key value violates unique constraint \"people_email_key\""
                .to_owned(),
            constraint: Some("people_email_key".to_owned()),
            table: Some("public.people".to_owned()),
        };
        assert_eq!(
            refusal.to_string(),
            "duplicate key value violates unique constraint \"people_email_key\" (23505, table public.people)"
        );
    }
}
