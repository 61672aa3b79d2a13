//! What keeps an engine from starting.

use clerk_webhooks::NoSecret;
use deskbell_server::{BindError, TlsError};
use deskbell_store::{OpenError, StoreError};

use crate::config::ConfigError;
use crate::delivering::DeliveringError;
use crate::metrics::MetricsError;

/// An engine that could not start. What was opened is closed again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The config, where it was still to be read.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The event log.
    #[error("cannot open the event log")]
    Store(#[from] OpenError),
    /// A source without a secret.
    #[error("invalid signing secrets of source `{source_name}`")]
    Source {
        /// The source's name.
        source_name: String,
        /// What is missing.
        source: NoSecret,
    },
    /// A destination's mirror.
    #[error("cannot open the mirror of destination `{destination}`")]
    Mirror {
        /// The destination's name.
        destination: String,
        /// What is wrong with it.
        source: deskbell_sync::ConnectError,
    },
    /// A destination that deliveries are made to.
    #[error(transparent)]
    Delivering(#[from] DeliveringError),
    /// The destinations could not be made known to the store.
    #[error("cannot write the event log")]
    Register(#[from] StoreError),
    /// The address to listen on.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The admin token.
    #[error("the admin token is empty or contains white space")]
    AdminToken,
    /// The certificate of `[server] tls`.
    #[error("cannot serve HTTPS")]
    Tls(#[from] TlsError),
    /// The system did not say which address it gave us.
    #[error("cannot determine the listening address")]
    Address(#[source] std::io::Error),
    /// The metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}

impl StartError {
    /// Whether the config is at fault.
    #[must_use]
    pub fn is_of_config(&self) -> bool {
        match self {
            Self::Mirror { source, .. } => source.is_options_error(),
            Self::Config(_) | Self::Delivering(_) | Self::Tls(_) | Self::AdminToken => true,
            _ => false,
        }
    }
}
