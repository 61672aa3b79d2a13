//! What keeps a command about dead letters from being done.

use deskbell_sync::MirrorOptions;
use deskbell_sync::inspect::InspectError;
use miette::Diagnostic;

use crate::cli::exit;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum DeadLetterError {
    #[error("cannot read the dead letters of destination `{destination}`")]
    Mirror { destination: String, source: InspectError },
    #[error("no dead letter found for {ids}")]
    #[diagnostic(help(
        "run `deskbell dead-letters list` to list them; waiting rows are retried automatically"
    ))]
    None { ids: String },
}

pub(super) fn unreachable(options: &MirrorOptions, source: InspectError) -> exit::Failure {
    let destination = options.destination.clone();
    exit::Failure::failed(DeadLetterError::Mirror { destination, source })
}

pub(super) fn none(ids: &[String]) -> exit::Failure {
    exit::Failure::failed_with_help(DeadLetterError::None { ids: ids.join(", ") })
}
