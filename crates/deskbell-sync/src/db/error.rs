//! Errors of a driver.

use deskbell_store::BackendError;

use super::refusal::{ErrorMeaning, Refusal};

/// An error of a driver.
#[derive(Debug)]
pub(crate) enum DatabaseError {
    /// The database answered that it will not do this; it can go on with something else.
    Refused { refusal: Box<Refusal>, source: sqlx::Error },
    /// It did not answer, or cannot work now. The connection may be of no more use.
    Away(sqlx::Error),
    /// Looking for what it refuses took longer than one transaction may.
    OverBudget,
}

impl From<sqlx::Error> for DatabaseError {
    fn from(source: sqlx::Error) -> Self {
        match ErrorMeaning::of(&source) {
            ErrorMeaning::Refused(refusal) => Self::Refused { refusal: Box::new(refusal), source },
            ErrorMeaning::Away => Self::Away(source),
        }
    }
}

impl DatabaseError {
    /// For those who cannot do without what was refused.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        let source = sqlx::Error::Protocol(refusal.reason.clone());
        Self::Refused { refusal: Box::new(refusal), source }
    }

    /// The database's message, where it answered.
    pub(crate) fn complaint(&self) -> Option<String> {
        match self {
            Self::Refused { source, .. } | Self::Away(source) => {
                source.as_database_error().map(|error| error.message().to_owned())
            }
            Self::OverBudget => None,
        }
    }

    /// In the database's own words, where it answered.
    pub(crate) fn into_backend(self) -> BackendError {
        match self {
            Self::Refused { refusal, .. } => BackendError::new(*refusal),
            Self::Away(sqlx::Error::Database(answer)) => {
                BackendError::new(std::io::Error::other(answer.message().to_owned()))
            }
            Self::Away(source) => BackendError::new(source),
            Self::OverBudget => BackendError::new(std::io::Error::other("over budget")),
        }
    }
}
