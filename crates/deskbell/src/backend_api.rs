//! Clients of Clerk's Backend API, one for each source that has a secret key.

use std::sync::Arc;

use clerk_api::{Client, ClientError, ClientOptions, RateShare};
use deskbell_server::SourceMode;
use deskbell_trust::{BackfillSource, PulledSource, WatchedSource};

use crate::config::{
    BackendKey, BackfillMode, Config, DestinationConfig, DestinationKind, SourceConfig,
};
use crate::used_types::{is_pulled, used_types};

/// The part of a source's share of the rate limit that is for lists, which one process at a time reads.
const LISTS_PART: f64 = 0.8;
/// The part for what somebody waits for, of every process: with two of them, both keep to the share.
const ON_DEMAND_PART: f64 = 0.1;
/// The same for what the events of mirrors with `refetch = true` only say of. Where there is such a mirror,
/// lists have less by that of two processes.
const REFETCH_PART: f64 = 0.1;
const LISTS_PART_BESIDE_REFETCH: f64 = LISTS_PART - 2.0 * REFETCH_PART;

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
        let refetching = share(source, key, REFETCH_PART);
        let lists = share_of(config, source, key);
        sources.push(BackfillSource {
            name: source.name.clone(),
            client: client_with(source, key, lists).map_err(invalid)?,
            on_demand: client_with(source, key, on_demand).map_err(invalid)?,
            refetching: client_with(source, key, refetching).map_err(invalid)?,
            instance_id: source.instance_id.clone(),
            is_auto: source.backfill == BackfillMode::Auto,
        });
    }
    Ok(sources)
}

/// The sources whose endpoints in Clerk's sender are looked at.
pub(crate) fn watched_sources(
    config: &Arc<Config>,
    readable: &[BackfillSource],
) -> Vec<WatchedSource> {
    let watched = config.sources.iter().filter(|source| source.sender.watch);
    let watched = watched.filter_map(|source| {
        let BackfillSource { name, on_demand, .. } = find(readable, source)?;
        let (used_config, source_name) = (Arc::clone(config), name.clone());
        let public_url = config.server.public_url.as_ref();
        Some(WatchedSource {
            name: name.clone(),
            paths: source.path.clone(),
            public_url: public_url.map(|url| url.expose_secrets().clone()),
            used_types: Arc::new(move |known| used_types(&used_config, &source_name, known)),
            signing_secrets: source.signing_secrets.iter().map(|secret| secret.0.clone()).collect(),
            re_enables: source.sender.re_enable,
            client: on_demand.clone(),
        })
    });
    watched.collect()
}

/// The sources whose messages are fetched from Clerk's sender.
pub(crate) fn pulled_sources(
    config: &Arc<Config>,
    readable: &[BackfillSource],
) -> Vec<PulledSource> {
    let pulled = config.sources.iter().filter(|source| source.mode == SourceMode::Pull);
    let pulled = pulled.filter_map(|source| {
        let BackfillSource { name, on_demand, instance_id, .. } = find(readable, source)?;
        let (used_config, source_name) = (Arc::clone(config), name.clone());
        Some(PulledSource {
            name: name.as_str().into(),
            instance_id: instance_id.clone(),
            takes: Arc::new(move |name| is_pulled(&used_config, &source_name, name)),
            client: on_demand.clone(),
        })
    });
    pulled.collect()
}

fn find<'a>(readable: &'a [BackfillSource], source: &SourceConfig) -> Option<&'a BackfillSource> {
    readable.iter().find(|one| one.name == source.name)
}

/// The part of the instance's rate limit within which lists are read.
pub(crate) fn share_of(config: &Config, source: &SourceConfig, key: &BackendKey) -> RateShare {
    let refetches = |destination: &DestinationConfig| {
        let DestinationKind::Database(database) = &destination.kind else { return false };
        destination.enabled && database.refetch && destination.takes(source)
    };
    let is_refetched = config.destinations.iter().any(refetches);
    share(source, key, if is_refetched { LISTS_PART_BESIDE_REFETCH } else { LISTS_PART })
}

fn share(source: &SourceConfig, BackendKey(key): &BackendKey, part: f64) -> RateShare {
    RateShare::of(key.environment(), source.api_rate_share * part)
}

/// A client with the key of a source.
pub(crate) fn client(source: &SourceConfig, key: &BackendKey) -> Result<Client, ClientError> {
    client_with(source, key, share(source, key, LISTS_PART))
}

fn client_with(
    source: &SourceConfig,
    key: &BackendKey,
    share: RateShare,
) -> Result<Client, ClientError> {
    let sender_url = source.sender_url.as_ref().map(|url| url.expose_secrets().clone());
    let mut options = ClientOptions { sender_url, ..ClientOptions::default() };
    if let Some(url) = &source.api_url {
        options.base_url = url.expose_secrets().clone();
    }
    Client::new(key.0.clone(), share, options)
}
