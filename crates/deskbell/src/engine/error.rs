//! Why an engine cannot start.

use clerk_webhooks::NoSecret;
use deskbell_server::{BindError, TlsError};
use deskbell_store::{OpenError, StoreError};

use crate::backend_api::BackendApiError;
use crate::config::ConfigError;
use crate::delivering::DeliveringError;

/// Why an engine could not start. What was opened is closed again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot open the event log")]
    Store(#[from] OpenError),
    #[error("invalid signing secrets of source `{source_name}`")]
    Source { source_name: String, source: NoSecret },
    #[error("cannot open the mirror of destination `{destination}`")]
    Mirror { destination: String, source: deskbell_sync::ConnectError },
    /// A table or a statement of the application's.
    #[error("destination `{destination}` does not fit its database")]
    Unfit { destination: String, source: Box<deskbell_sync::MappedTableError> },
    #[error(transparent)]
    BackendApi(#[from] BackendApiError),
    #[error(transparent)]
    Delivering(#[from] DeliveringError),
    /// While the destinations were registered.
    #[error("cannot write the event log")]
    Register(#[from] StoreError),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("the admin token is empty or contains white space")]
    AdminToken,
    #[error("cannot serve HTTPS")]
    Tls(#[from] TlsError),
    #[error("the engine has stopped")]
    Stopped,
    #[error("cannot determine the listening address")]
    Address(#[source] std::io::Error),
}

impl StartError {
    /// Whether the store is unreachable, and may be there again.
    pub(super) fn is_away(&self) -> bool {
        match self {
            Self::Store(error) => error.is_away(),
            Self::Register(StoreError::Unavailable(_)) => true,
            _ => false,
        }
    }

    /// Whether the config is at fault.
    #[must_use]
    pub fn is_config_error(&self) -> bool {
        match self {
            Self::Mirror { source, .. } => source.is_options_error(),
            Self::Config(_)
            | Self::BackendApi(_)
            | Self::Unfit { .. }
            | Self::Delivering(_)
            | Self::Tls(_)
            | Self::AdminToken => true,
            _ => false,
        }
    }
}
