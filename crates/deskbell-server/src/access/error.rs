//! Why it was not found out who asks.

use deskbell_admin::AdminError;

use crate::problem::Problem;

/// Why it was not found out who asks.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    #[error("too many requests at the same time")]
    Crowded,
    #[error(transparent)]
    Admin(#[from] AdminError),
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Crowded => Self::overloaded(),
            AccessError::Admin(error) => error.into(),
        }
    }
}
