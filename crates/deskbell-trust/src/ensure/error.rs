//! Why it is not known whether an entity exists.

use std::sync::Arc;
use std::time::Duration;

use deskbell_sync::TargetError;

use crate::instance::KeyError;
use crate::object_pages::ReadError;

/// Why it is not known whether an entity exists. All who asked together get the same.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EnsureError {
    #[error("no mirror of that name has this entity")]
    NoMirror,
    #[error("cannot use the mirror `{destination}`")]
    Mirror { destination: String, source: Arc<TargetError> },
    #[error("the database of the mirror `{destination}` does not answer")]
    MirrorSilent { destination: String },
    #[error("the database of the mirror `{destination}` is not open")]
    MirrorClosed { destination: String },
    /// It is a dead letter, or its table is blocked.
    #[error("the database of the mirror `{destination}` rejects the row")]
    Rejected { destination: String },
    #[error("cannot read Clerk's Backend API")]
    Clerk(#[source] Arc<ReadError>),
    #[error("Clerk did not answer within {} s", .0.as_secs())]
    ClerkSilent(Duration),
    #[error("cannot use the secret key")]
    Key(#[source] Arc<KeyError>),
    #[error("the program stops")]
    Stopping,
}

impl EnsureError {
    /// Whether Clerk, or its secret key, is the reason.
    #[must_use]
    pub fn is_of_clerk(&self) -> bool {
        matches!(self, Self::Clerk(_) | Self::ClerkSilent(_) | Self::Key(_))
    }
}
