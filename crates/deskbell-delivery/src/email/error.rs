//! Why no channel can be built of a config.

use deskbell_config::Fault;

use super::smtp_url::SmtpUrlError;
use crate::api::{BadApiKey, ClientError};
use crate::template::TemplateError;

/// A config that no channel can be built of.
#[derive(Debug, thiserror::Error)]
pub enum EmailError {
    /// Keys that do not fit together.
    #[error(transparent)]
    Config(#[from] Fault),
    /// A template.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A sender, a receiver or a `reply_to` that is no address.
    #[error("{0}")]
    Address(String),
    /// The API key.
    #[error(transparent)]
    ApiKey(#[from] BadApiKey),
    /// The mail server's URL.
    #[error(transparent)]
    Url(#[from] SmtpUrlError),
    /// The HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}
