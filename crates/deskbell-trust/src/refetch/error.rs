//! Why objects cannot be read, and what to do.

use std::sync::Arc;

use deskbell_sync::ObjectReadError;

use crate::instance::KeyError;
use crate::object_pages::ReadError;

/// What somebody has to do before objects can be read.
#[derive(Debug, thiserror::Error)]
enum RefetchProblem {
    #[error("the source has no secret key; set `secret_key` in its [[source]]")]
    NoKey,
    #[error(
        "Clerk rejects the secret key; copy a valid one from the Clerk dashboard (Configure > API keys) into `secret_key`"
    )]
    Rejected(#[source] Arc<dyn std::error::Error + Send + Sync>),
    #[error("{0}; set `secret_key` to a key of that instance")]
    OtherInstance(Arc<KeyError>),
    #[error("{error}; to confirm the key now, set `instance_id = \"{found}\"` in the [[source]]")]
    NoEvent { found: String, error: Arc<KeyError> },
}

pub(super) fn no_key(source: &str) -> ObjectReadError {
    permanent(source, RefetchProblem::NoKey)
}

/// The key may not be used, or it is not known whether it may be.
pub(super) fn key(source: &str, error: Arc<KeyError>) -> ObjectReadError {
    let problem = match &*error {
        KeyError::OtherInstance { .. } => RefetchProblem::OtherInstance(error),
        KeyError::NoEvent { found, .. } => RefetchProblem::NoEvent { found: found.clone(), error },
        KeyError::Api(_) if error.is_config_error() => RefetchProblem::Rejected(error),
        KeyError::Api(_) | KeyError::Store(_) => {
            return ObjectReadError {
                source_name: source.to_owned(),
                is_permanent: false,
                cause: Box::new(error),
            };
        }
    };
    permanent(source, problem)
}

pub(super) fn failed(source: &str, error: ReadError) -> ObjectReadError {
    if error.status() == Some(401) {
        return permanent(source, RefetchProblem::Rejected(Arc::new(error)));
    }
    ObjectReadError { source_name: source.to_owned(), is_permanent: false, cause: Box::new(error) }
}

fn permanent(source: &str, problem: RefetchProblem) -> ObjectReadError {
    ObjectReadError { source_name: source.to_owned(), is_permanent: true, cause: Box::new(problem) }
}
