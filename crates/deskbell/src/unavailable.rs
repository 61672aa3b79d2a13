//! From errors of the parts to those that whoever asked reads.

use deskbell_admin::AdminError;
use deskbell_trust::with_causes;

/// Something that is needed for an answer cannot be used now.
pub(crate) fn unavailable(error: impl std::error::Error) -> AdminError {
    AdminError::Unavailable(with_causes(&error))
}
