//! What about the flags keeps it from listening.

use clerk_webhooks::{CannotSign, SecretError};
use deskbell_devtools::listen::{FilterError, TargetError};
use miette::Diagnostic;

use super::super::exit;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub(super) enum Error {
    #[error("invalid signing secret")]
    #[diagnostic(help(
        "a secret begins with whsec_; without --secret there is one of this machine"
    ))]
    Secret(#[from] SecretError),
    #[error("this secret cannot sign")]
    #[diagnostic(help(
        "a secret begins with whsec_; without --secret there is one of this machine"
    ))]
    CannotSign(#[from] CannotSign),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Filter(#[from] FilterError),
    #[error(transparent)]
    #[diagnostic(transparent)]
    Target(#[from] TargetError),
}

impl From<Error> for exit::Failure {
    fn from(error: Error) -> Self {
        Self::usage(error)
    }
}
