//! What can keep a fault from being tried. What a fault has done wrong is a finding, and no error.

use std::io;

/// A run that came to no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the database that is looked at: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("the mirror that is looked at: {0}")]
    Inspect(#[from] deskbell_sync::inspect::InspectError),
    #[error("the mirror's URL: {0}")]
    MirrorUrl(String),
    #[error("the harness's own secret: {0}")]
    Secret(#[from] clerk_webhooks::SecretError),
    #[error("the harness's own secret: {0}")]
    CannotSign(#[from] clerk_webhooks::CannotSign),
    #[error("the simulated sender: {0}")]
    Sender(#[from] deskbell_sim::SenderError),
    #[error("the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the PostgreSQL server failed; it said: {said}")]
    Postgres { said: String },
    #[error("`{program}` failed: {said}")]
    Program { program: &'static str, said: String },
    #[error("{what} did not happen within {seconds} s")]
    TooLate { what: String, seconds: u64 },
    #[error("{file} has no line `{marker}`, between which the table of results is written")]
    NoMarker { file: String, marker: &'static str },
}
