//! The server's routes, assembled from the config.

use std::sync::Arc;

use deskbell_server::{AdminApp, AdminToken, App, IngestOptions, Source, SourceMode, Tls};

use super::StartError;
use super::parts::Shared;
use crate::alerts::AlarmedSources;
use crate::config::{Config, SourceConfig};
use crate::metrics;
use crate::outcomes::mirrors::RunningMirrors;

/// The token for the routes that are not public, and the metrics that one of them renders.
pub(super) struct Admin {
    token: Option<AdminToken>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Checks the admin token, if there is one, and records metrics from now on.
pub(super) fn admin(config: &Config) -> Result<Admin, StartError> {
    let Some(token) = &config.server.admin_token else {
        return Ok(Admin { token: None, metrics: Arc::new(String::new) });
    };
    let token = AdminToken::new(token.expose().to_owned()).ok_or(StartError::AdminToken)?;
    Ok(Admin { token: Some(token), metrics: metrics::install()? })
}

pub(super) fn app(
    Shared { config, store, log, refused, .. }: Shared<'_>,
    sources: Vec<Source>,
    mirrors: RunningMirrors,
    admin: Option<AdminApp>,
) -> App {
    App {
        sources,
        log: log.clone(),
        store: store.clone(),
        mirrors: Arc::new(mirrors),
        silent: Arc::new(AlarmedSources::new(store.clone())),
        clients: config.server.allowed_clients(),
        refused: Arc::clone(refused),
        ingest: IngestOptions {
            body_bytes_max: config.server.body_bytes_max,
            ..IngestOptions::default()
        },
        admin,
    }
}

pub(crate) fn certificate(config: &Config) -> Result<Option<Tls>, StartError> {
    Ok(config.server.tls.clone().map(Tls::open).transpose()?)
}

pub(super) fn sources(config: &[SourceConfig]) -> Result<Vec<Source>, StartError> {
    // Nobody posts to a source whose messages are fetched.
    config.iter().filter(|source| source.mode == SourceMode::Push).map(source).collect()
}

fn source(config: &SourceConfig) -> Result<Source, StartError> {
    Source::new(config)
        .map_err(|source| StartError::Source { source_name: config.name.clone(), source })
}
