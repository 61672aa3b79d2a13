//! Clients of Clerk's Backend API, one for each source that has a secret key.

use clerk_api::{Client, ClientError, ClientOptions, RateShare};
use deskbell_trust::BackfillSource;
use url::Url;

use crate::config::{BackendKey, BackfillMode, Config, SourceConfig};

/// The part of a source's share of the rate limit that is for lists, which one process at a time reads.
const LISTS_PART: f64 = 0.8;
/// The part for what somebody waits for, of every process: with two of them, both keep to the share.
const ON_DEMAND_PART: f64 = 0.1;

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
        let invalid = |error| BackendApiError { source_name: source.name.clone(), source: error };
        let on_demand = share(source, key, ON_DEMAND_PART);
        sources.push(BackfillSource {
            name: source.name.clone(),
            client: client(source, key, None).map_err(invalid)?,
            on_demand: client_with(source, key, None, on_demand).map_err(invalid)?,
            instance_id: source.instance_id.clone(),
            is_auto: source.backfill == BackfillMode::Auto,
        });
    }
    Ok(sources)
}

/// The part of the instance's rate limit within which lists are read.
pub(crate) fn share_of(source: &SourceConfig, key: &BackendKey) -> RateShare {
    share(source, key, LISTS_PART)
}

fn share(source: &SourceConfig, BackendKey(key): &BackendKey, part: f64) -> RateShare {
    RateShare::of(key.environment(), source.api_rate_share * part)
}

/// A client with the key of a source. The address of the sender is for tests.
pub(crate) fn client(
    source: &SourceConfig,
    key: &BackendKey,
    sender_url: Option<Url>,
) -> Result<Client, ClientError> {
    client_with(source, key, sender_url, share_of(source, key))
}

fn client_with(
    source: &SourceConfig,
    key: &BackendKey,
    sender_url: Option<Url>,
    share: RateShare,
) -> Result<Client, ClientError> {
    let mut options = ClientOptions { sender_url, ..ClientOptions::default() };
    if let Some(url) = &source.api_url {
        options.base_url = url.expose_secrets().clone();
    }
    Client::new(key.0.clone(), share, options)
}
