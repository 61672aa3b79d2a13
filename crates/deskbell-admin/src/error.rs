//! Why a request could not be answered.

/// A request that was not answered. What it says is meant for whoever asked, but for
/// [`Unavailable`](Self::Unavailable), which is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdminError {
    /// There is no such thing.
    #[error("{0} not found")]
    NotFound(String),
    /// The request makes no sense.
    #[error("invalid `{field}`: {message}")]
    Invalid { field: &'static str, message: String },
    /// Something of this name exists already, or is changed by somebody else at the same time.
    #[error("{0}")]
    Conflict(String),
    /// It is declared in the config file, where it has to be changed.
    #[error("{0}")]
    ReadOnly(String),
    /// Deskbell does not do this.
    #[error("{0}")]
    NotSupported(String),
    /// The store, or a mirror's database, cannot be used now; for the log.
    #[error("{0}")]
    Unavailable(String),
}

impl AdminError {
    /// That there is no such `kind` as `name`.
    #[must_use]
    pub fn not_found(kind: &str, name: &str) -> Self {
        Self::NotFound(format!("{kind} `{name}`"))
    }

    #[must_use]
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }
}
