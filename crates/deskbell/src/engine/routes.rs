//! The server's routes, assembled from the config.

use std::sync::Arc;

use deskbell_delivery::Replayer;
use deskbell_server::routes::Routers;
use deskbell_server::{
    AdminApp, AdminState, AdminToken, App, IngestOptions, Pages, Source, SourceMode, Tls,
};

use super::StartError;
use super::parts::Shared;
use crate::admin::{EndpointsState, Explaining, LocalAdmin, Minutes};
use crate::alerts::AlarmedSources;
use crate::command_runner::CommandRunner;
use crate::config::{Config, SourceConfig};
use crate::metrics;
use crate::mirrored::Mirrored;
use crate::outcomes::mirrors::RunningMirrors;

/// The token for the routes that are not public, and the metrics that one of them renders.
pub(super) struct Admin {
    token: Option<AdminToken>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// Checks the admin token, if there is one, and records metrics from now on.
pub(super) fn admin(config: &Config) -> Result<Admin, StartError> {
    let token = config
        .server
        .admin_token
        .as_ref()
        .map(|token| AdminToken::new(token.expose().to_owned()).ok_or(StartError::AdminToken));
    Ok(Admin { token: token.transpose()?, metrics: metrics::install() })
}

/// What the admin API needs beside what all parts share.
pub(super) struct AdminParts {
    pub(super) replayer: Replayer,
    pub(super) statuses: RunningMirrors,
    pub(super) endpoints: EndpointsState,
    pub(super) minutes: Arc<Minutes>,
}

/// What the admin API and the pages are answered by.
pub(super) fn local_admin(shared: Shared<'_>, parts: AdminParts) -> Arc<LocalAdmin> {
    let Shared { config, store, log, readable, .. } = shared;
    let AdminParts { replayer, statuses, endpoints, minutes } = parts;
    let config = Arc::new(config.clone());
    let commands =
        CommandRunner::new(Arc::clone(&config), store.clone(), replayer, readable.to_vec());
    Arc::new(LocalAdmin {
        config,
        store: store.clone(),
        log: log.clone(),
        mirrors: Arc::new(statuses),
        commands,
        endpoints,
        minutes,
        explaining: Explaining::default(),
    })
}

/// The routes of the server, and those of `admin_listen`, if there is one.
pub(super) fn routers(
    Shared { config, store, log, refused, .. }: Shared<'_>,
    sources: Vec<Source>,
    admin: Admin,
    mirrored: Mirrored,
    local: Arc<LocalAdmin>,
    state: &AdminState,
) -> Routers {
    deskbell_server::routes::routers(App {
        sources,
        log: log.clone(),
        store: store.clone(),
        mirrors: local.mirrors.clone(),
        silent: Arc::new(AlarmedSources::new(store.clone())),
        clients: config.server.allowed_clients(),
        refused: Arc::clone(refused),
        ingest: IngestOptions {
            body_bytes_max: config.server.body_bytes_max,
            ..IngestOptions::default()
        },
        admin: Some(AdminApp {
            pages: Some(pages(&local)),
            admin: local,
            token: admin.token,
            entities: Arc::new(mirrored),
            public_url: config.server.public_url.clone(),
            metrics: admin.metrics,
            listens_apart: config.server.admin_listen().is_some(),
            state: state.clone(),
        }),
    })
}

fn pages(local: &Arc<LocalAdmin>) -> Pages {
    let openapi = serde_json::to_value(deskbell_server::openapi()).unwrap_or_default();
    Pages {
        router: deskbell_dashboard::router(local.clone(), Arc::new(openapi)),
        routes: deskbell_dashboard::ROUTES,
        sign_in: deskbell_dashboard::sign_in,
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
