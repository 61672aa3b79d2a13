//! Clients of Clerk's Backend API, one for each source that has a secret key.

use clerk_api::{Client, ClientError, ClientOptions, RateShare};
use deskbell_trust::BackfillSource;
use url::Url;

use crate::config::{BackendKey, BackfillMode, Config, SourceConfig};

/// A client that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("cannot use Clerk's Backend API for source `{source_name}`")]
pub struct BackendApiError {
    pub source_name: String,
    pub source: ClientError,
}

/// The sources that have a secret key.
pub(crate) fn sources(config: &Config) -> Result<Vec<BackfillSource>, BackendApiError> {
    let mut sources = Vec::new();
    for source in &config.sources {
        let Some(key) = &source.secret_key else { continue };
        let client = client(source, key, None)
            .map_err(|error| BackendApiError { source_name: source.name.clone(), source: error })?;
        sources.push(BackfillSource {
            name: source.name.clone(),
            client,
            instance_id: source.instance_id.clone(),
            is_auto: source.backfill == BackfillMode::Auto,
        });
    }
    Ok(sources)
}

/// The part of the instance's rate limit that a source's client keeps to.
pub(crate) fn share_of(source: &SourceConfig, BackendKey(key): &BackendKey) -> RateShare {
    RateShare::of(key.environment(), source.api_rate_share)
}

/// A client with the key of a source. The address of the sender is for tests.
pub(crate) fn client(
    source: &SourceConfig,
    key: &BackendKey,
    sender_url: Option<Url>,
) -> Result<Client, ClientError> {
    let mut options = ClientOptions { sender_url, ..ClientOptions::default() };
    if let Some(url) = &source.api_url {
        options.base_url = url.expose_secrets().clone();
    }
    Client::new(key.0.clone(), share_of(source, key), options)
}
