//! Every route that is answered.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use deskbell_store::{AccessTokens, EventLog, LogHandle, TokenRole};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Uri};

use crate::access::Access;
use crate::body::BodyReader;
use crate::entities::{Entities, MirroredEntities};
use crate::explanations::{Explaining, Explanations};
use crate::health::{self, Readiness};
use crate::ingest::{self, Ingest, IngestOptions, Source};
use crate::mirrors::{MirrorStates, Strictness};
use crate::refusals::RefusedRequests;
use crate::silent_sources::SilentSources;
use crate::unknown_path::{self, UnknownPaths};
use crate::{AdminToken, AllowedClients, replies};

pub struct App {
    /// Who may send, and where. No path may occur twice.
    pub sources: Vec<Source>,
    /// Where events are written down.
    pub log: LogHandle,
    /// The store that is asked whether it can be written to, where `log` does not know better.
    pub store: Arc<dyn EventLog>,
    /// How the mirrors are, for `/readyz?strict`.
    pub mirrors: Arc<dyn MirrorStates>,
    /// Which sources have fallen silent, for `/readyz?strict`.
    pub silent: Arc<dyn SilentSources>,
    /// What the mirrors have, for `/api/v1`.
    pub entities: Arc<dyn MirroredEntities>,
    /// What is known of entities and events, for `/api/v1`.
    pub explanations: Arc<dyn Explanations>,
    /// From where events may come.
    pub clients: AllowedClients,
    /// What a stranger may send.
    pub ingest: IngestOptions,
    /// Where requests that fail verification are counted, for whoever alerts about them.
    pub refused: Arc<RefusedRequests>,
    /// Opens the routes that are not public; without one there are no metrics.
    pub admin_token: Option<AdminToken>,
    /// Further tokens, by their roles; `None` if there are none.
    pub tokens: Option<Arc<dyn AccessTokens>>,
    /// Renders the metrics in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// The routes while the store is not open yet: whoever sends to one of these paths tries again.
pub fn without_store<'a>(paths: impl IntoIterator<Item = &'a str>) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(health::healthz).fallback(replies::only_get))
        .route("/readyz", get(health::not_ready).fallback(replies::only_get))
        .fallback(|| async { replies::not_found() });
    for path in paths {
        router =
            router.route(path, post(ingest::refuse).fallback(|| async { replies::only_post() }));
    }
    router
}

pub fn router(app: App) -> Router {
    let strictness = Strictness::new(app.mirrors, app.silent);
    let readiness = Readiness::new(Arc::clone(&app.store), app.log.clone(), strictness);
    let readiness = Arc::new(readiness);
    let paths = app.sources.iter().flat_map(|source| source.paths.iter().cloned()).collect();
    let unknown =
        Router::new().fallback(unknown_path::refuse).with_state(Arc::new(UnknownPaths::new(paths)));
    let mut router = unknown
        .route("/healthz", get(health::healthz).fallback(replies::only_get))
        .route("/readyz", get(health::readyz).fallback(replies::only_get).with_state(readiness));
    let body = BodyReader::new(
        app.ingest.body_bytes_max,
        app.ingest.body_timeout,
        app.ingest.in_flight_bytes_max,
    );
    let clients = Arc::new(app.clients);
    for source in app.sources.into_iter().map(Arc::new) {
        let ingest = Arc::new(Ingest::new(
            Arc::clone(&source),
            app.log.clone(),
            Arc::clone(&app.store),
            body.clone(),
            Arc::clone(&clients),
            Arc::clone(&app.refused),
        ));
        for path in &source.paths {
            let route = post(ingest::receive).fallback(ingest::refuse_method);
            router = router.route(path, route.with_state(Arc::clone(&ingest)));
        }
    }
    let has_metrics = app.admin_token.is_some();
    let access = Arc::new(Access::new(app.admin_token, app.tokens));
    let entities = Arc::new(Entities::new(app.entities));
    let explaining = Arc::new(Explaining::new(app.explanations));
    let router = router.merge(api(Api { access: Arc::clone(&access), entities, explaining }));
    match has_metrics {
        true => router.merge(metrics(Metrics { access, render: app.metrics })),
        false => router,
    }
}

fn metrics(metrics: Metrics) -> Router {
    Router::new()
        .route("/metrics", get(render_metrics).fallback(replies::only_get))
        .with_state(metrics)
}

fn api(api: Api) -> Router {
    Router::new()
        .route("/api/v1/users/{id}", get(user).fallback(replies::only_get))
        .route("/api/v1/organizations/{id}", get(organization).fallback(replies::only_get))
        .route("/api/v1/organization_memberships", get(membership).fallback(replies::only_get))
        .route("/api/v1/explain/{id}", get(explain).fallback(replies::only_get))
        .with_state(api)
}

#[derive(Clone)]
struct Metrics {
    access: Arc<Access>,
    render: Arc<dyn Fn() -> String + Send + Sync>,
}

#[derive(Clone)]
struct Api {
    access: Arc<Access>,
    entities: Arc<Entities>,
    explaining: Arc<Explaining>,
}

/// `GET /metrics`.
async fn render_metrics(State(metrics): State<Metrics>, headers: HeaderMap) -> Response {
    if let Err(reply) = metrics.access.check(&headers, TokenRole::Viewer).await {
        return reply;
    }
    let mut reply = Response::new((metrics.render)().into());
    let text = http::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    reply.headers_mut().insert(CONTENT_TYPE, text);
    reply
}

async fn user(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Response {
    match api.access.check(&headers, TokenRole::Reader).await {
        Ok(()) => api.entities.user(&uri).await,
        Err(reply) => reply,
    }
}

async fn organization(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Response {
    match api.access.check(&headers, TokenRole::Reader).await {
        Ok(()) => api.entities.organization(&uri).await,
        Err(reply) => reply,
    }
}

async fn membership(State(api): State<Api>, uri: Uri, headers: HeaderMap) -> Response {
    match api.access.check(&headers, TokenRole::Reader).await {
        Ok(()) => api.entities.membership(&uri).await,
        Err(reply) => reply,
    }
}

async fn explain(
    State(api): State<Api>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match api.access.check(&headers, TokenRole::Reader).await {
        Ok(()) => api.explaining.answer(&id, uri.query().unwrap_or_default()).await,
        Err(reply) => reply,
    }
}
