//! Why there can be no such destination.

use clerk_webhooks::CannotSign;
use deskbell_config::Fault;

use super::guard::Refused;

/// Why there can be no such destination. No variant repeats what may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Keys that do not fit together.
    #[error(transparent)]
    Config(#[from] Fault),
    /// No host, or a character that a request cannot have.
    #[error("the URL is not valid in a request")]
    Url,
    /// A host in the URL that is never connected to under these rules.
    #[error("the URL's host {host} is {refused}")]
    Refused { host: String, refused: Refused },
    /// A secret that only verifies.
    #[error(transparent)]
    Secret(#[from] CannotSign),
    /// The HTTP client, as where the system has no certificate authorities.
    #[error("cannot set up HTTPS; install the system's certificate authorities (ca-certificates)")]
    Client(#[source] reqwest::Error),
}
