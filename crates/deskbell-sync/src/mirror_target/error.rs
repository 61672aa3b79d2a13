//! A unit of work that failed.

use deskbell_store::BackendError;

use super::connect_error::ConnectError;
use crate::db::DatabaseError;

/// A unit of work that a target could not do. It may be tried again.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    #[error("the mirror's database is not available")]
    Unavailable(#[source] BackendError),
    /// The database refused a value. The same batch will be refused again, if nothing changes.
    #[error("the mirror's database rejected a row")]
    Refused(#[source] BackendError),
    /// Looking for what is refused takes too long for one transaction: a smaller batch will do.
    #[error("could not isolate the row that the mirror's database rejects in time")]
    OverBudget,
    /// The database is no longer one that this mirror may use.
    #[error("cannot use the mirror's database")]
    Unusable(#[source] ConnectError),
    /// The database holds something that this program did not write there.
    #[error("cannot read the mirror's bookkeeping: {what}")]
    Corrupt { what: &'static str },
}

impl From<DatabaseError> for TargetError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Refused { .. } => Self::Refused(error.into_backend()),
            DatabaseError::Away(_) => Self::Unavailable(error.into_backend()),
            DatabaseError::OverBudget => Self::OverBudget,
        }
    }
}
