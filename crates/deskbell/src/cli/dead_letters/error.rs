//! What keeps a command about dead letters from being done.

use deskbell_sync::MirrorOptions;
use deskbell_sync::inspect::InspectError;
use miette::Diagnostic;

use crate::cli::exit;

#[derive(Debug, thiserror::Error, Diagnostic)]
enum DeadLetterError {
    #[error("the dead letters of the destination `{destination}` cannot be reached")]
    Mirror { destination: String, source: InspectError },
    #[error("there is no dead letter of {ids}")]
    #[diagnostic(help("`deskbell dead-letters list` lists them; what waits is tried by itself"))]
    None { ids: String },
}

pub(super) fn unreachable(options: &MirrorOptions, source: InspectError) -> exit::Failure {
    let destination = options.destination.clone();
    exit::Failure::failed(DeadLetterError::Mirror { destination, source })
}

pub(super) fn none(ids: &[String]) -> exit::Failure {
    exit::Failure::failed_with_help(DeadLetterError::None { ids: ids.join(", ") })
}
