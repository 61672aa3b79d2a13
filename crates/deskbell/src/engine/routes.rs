//! The server's routes, assembled from the config.

use std::sync::Arc;

use clerk_webhooks::Verifier;
use deskbell_server::{AdminToken, App, IngestOptions, Source, Tls};

use super::StartError;
use super::parts::Shared;
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
    Shared { config, store, log, refused }: Shared<'_>,
    sources: Vec<Source>,
    admin: Admin,
    mirrors: RunningMirrors,
) -> App {
    App {
        sources,
        log: log.clone(),
        store: store.clone(),
        mirrors: Arc::new(mirrors),
        clients: config.server.allowed_clients(),
        refused: Arc::clone(refused),
        ingest: IngestOptions {
            body_bytes_max: config.server.body_bytes_max,
            ..IngestOptions::default()
        },
        metrics: admin.metrics,
        admin_token: admin.token,
    }
}

pub(crate) fn certificate(config: &Config) -> Result<Option<Tls>, StartError> {
    Ok(config.server.tls.as_ref().map(|tls| Tls::open(tls.files())).transpose()?)
}

pub(super) fn sources(config: &[SourceConfig]) -> Result<Vec<Source>, StartError> {
    config.iter().map(source).collect()
}

fn source(config: &SourceConfig) -> Result<Source, StartError> {
    let secrets = config.signing_secrets.iter().map(|secret| &secret.0);
    let verifier = Verifier::builder().secrets(secrets).tolerance(config.tolerance.0).build();
    Ok(Source {
        name: config.name.as_str().into(),
        paths: config.path.clone(),
        verifier: verifier
            .map_err(|source| StartError::Source { source_name: config.name.clone(), source })?,
    })
}
