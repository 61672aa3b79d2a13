//! A batch that did not reach the mirror.

use deskbell_store::StoreError;

use crate::mirror_target::{ConnectError, TargetError};
use crate::refetch::ObjectReadError;

/// A batch that did not reach the mirror. Nothing was skipped; calling again continues from the
/// mirror's checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    #[error("failed to read the event log")]
    Store(#[from] StoreError),
    /// The mirror could not be read or written.
    #[error("failed to write the mirror")]
    Target(#[from] TargetError),
    #[error("failed to open the mirror")]
    Connect(#[from] ConnectError),
    /// What the events only say of could not be read.
    #[error(transparent)]
    Clerk(#[from] ObjectReadError),
    /// Another consumer of the same name has taken over.
    #[error("another consumer has taken over destination {destination:?}")]
    Superseded { destination: String },
    #[error("the program is stopping")]
    Stopping,
}
