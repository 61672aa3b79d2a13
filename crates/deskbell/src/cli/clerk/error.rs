//! Why a command cannot read Clerk's Backend API for mirrors, and what to do then.

use deskbell_store::StoreError;
use deskbell_sync::{ConnectError, MappingError};
use deskbell_trust::{KeyError, RunError};
use miette::Diagnostic;

use super::super::exit;
use crate::backend_api::BackendApiError;

#[derive(Debug, thiserror::Error, Diagnostic)]
pub(in crate::cli) enum Error {
    #[error("`{name}` cannot be read from Clerk's Backend API")]
    Entity {
        name: String,
        #[help]
        help: String,
    },
    #[error("there is no secret key of Clerk's Backend API")]
    #[diagnostic(help(
        "in the Clerk dashboard open Configure > API keys and copy the secret key, which begins with \
         sk_; then set `secret_key` in [[source]], or:\n\n    export CLERK_SECRET_KEY=sk_…"
    ))]
    NoKey,
    #[error("no source of destination `{destination}` has a secret key")]
    #[diagnostic(help("set `secret_key` in its [[source]], or leave it out with --destination"))]
    NoKeyFor { destination: String },
    #[error(transparent)]
    BackendApi(#[from] BackendApiError),
    #[error("there is no mirror")]
    #[diagnostic(help("configure a destination with `type = \"database\"`"))]
    NoMirror,
    #[error("the config of destination `{destination}` is wrong")]
    Mappings { destination: String, source: MappingError },
    #[error("cannot open the mirror of destination `{destination}`")]
    Mirror { destination: String, source: ConnectError },
    #[error("the secret key cannot be used")]
    #[diagnostic(help(
        "set `secret_key` (or CLERK_SECRET_KEY) to the secret key of the instance whose events \
         arrive, or give the other instance a source and a mirror of its own"
    ))]
    OtherInstance(#[source] KeyError),
    #[error("the secret key cannot be used")]
    NoEvent {
        source: KeyError,
        #[help]
        help: String,
    },
    #[error("cannot fill the mirrors")]
    Run(#[source] RunError),
    #[error("cannot compare the mirrors with Clerk")]
    Key(#[source] KeyError),
    #[error("cannot use the event log")]
    Store(#[from] StoreError),
    #[error("another process fills the mirrors")]
    #[diagnostic(help("try again when it is done"))]
    Busy,
    #[error("the running `deskbell serve` has stopped")]
    #[diagnostic(help("start it, or run this again: it continues where it was"))]
    Stopped,
    #[error("the running `deskbell serve` could not fill the mirrors: {0}")]
    ByServe(String),
}

/// How the command ends.
pub(in crate::cli) fn failure(error: Error) -> exit::Failure {
    match error {
        Error::Run(RunError::Key(error)) | Error::Key(error) if error.is_config_error() => {
            let error = match error {
                KeyError::NoEvent { ref found, .. } => {
                    let help = format!(
                        "set `instance_id = \"{found}\"` in [[source]] if that is right, or try \
                         again when an event has arrived"
                    );
                    Error::NoEvent { source: error, help }
                }
                error => Error::OtherInstance(error),
            };
            exit::Failure::config(error)
        }
        Error::Mirror { ref source, .. } if source.is_options_error() => {
            exit::Failure::config(error)
        }
        error => exit::Failure::failed_with_help(error),
    }
}
