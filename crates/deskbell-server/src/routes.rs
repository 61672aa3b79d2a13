//! Every route that is answered.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use deskbell_store::{EventLog, LogHandle};

use crate::AllowedClients;
use crate::admin_routes::{self, AdminApp};
use crate::body::BodyReader;
use crate::health::{self, Readiness};
use crate::ingest::{self, Ingest, IngestOptions, Source};
use crate::mirrors::{MirrorStates, Strictness};
use crate::refusals::RefusedRequests;
use crate::replies;
use crate::silent_sources::SilentSources;
use crate::unknown_path::{self, UnknownPaths};

pub struct App {
    /// Who may send, and where. No path may occur twice.
    pub sources: Vec<Source>,
    /// Where events are stored.
    pub log: LogHandle,
    /// The store that is asked whether it can be written to, where `log` does not know better.
    pub store: Arc<dyn EventLog>,
    /// How the mirrors are, for `/readyz?strict`.
    pub mirrors: Arc<dyn MirrorStates>,
    /// Which sources have fallen silent, for `/readyz?strict`.
    pub silent: Arc<dyn SilentSources>,
    /// From where events may come, and which proxies are believed.
    pub clients: AllowedClients,
    /// What a stranger may send.
    pub ingest: IngestOptions,
    /// Where requests that fail verification are counted, for whoever alerts about them.
    pub refused: Arc<RefusedRequests>,
    /// What is not public; `None` for nothing.
    pub admin: Option<AdminApp>,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("sources", &self.sources).finish_non_exhaustive()
    }
}

/// The routes of each address.
#[derive(Debug)]
pub struct Routers {
    /// Where Clerk sends to; everything else too, unless it has an address of its own.
    pub public: Router,
    /// What is not public, where it has an address of its own.
    pub admin: Option<Router>,
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

/// Every route.
pub fn routers(app: App) -> Routers {
    let strictness = Strictness::new(Arc::clone(&app.mirrors), Arc::clone(&app.silent));
    let readiness = Readiness::new(Arc::clone(&app.store), app.log.clone(), strictness);
    let readiness = Arc::new(readiness);
    let paths: Vec<_> =
        app.sources.iter().flat_map(|source| source.paths.iter().cloned()).collect();
    let is_start_free = !paths.iter().any(|path| path == "/");
    let unknown = Arc::new(UnknownPaths::new(paths));
    let (clients, ingest) = (app.clients.clone(), app.ingest.clone());
    let unknown = Router::new().fallback(unknown_path::refuse).with_state(unknown);
    let (admin, public) = (app.admin, app.sources);
    let sending = Sending { log: app.log, store: app.store, refused: app.refused, ingest };
    let public = unknown.merge(health(&readiness)).merge(sending.router(public, &clients));
    match admin {
        None => Routers { public, admin: None },
        Some(admin) if admin.listens_apart => {
            // The fallback of the second is the one that stays: it is behind the guard.
            let admin = health(&readiness).merge(admin_routes::router(admin, clients, true));
            Routers { public, admin: Some(admin) }
        }
        Some(admin) => {
            let admin = admin_routes::router(admin, clients, is_start_free);
            Routers { public: public.merge(admin), admin: None }
        }
    }
}

fn health(readiness: &Arc<Readiness>) -> Router {
    let readyz = get(health::readyz).fallback(replies::only_get);
    Router::new()
        .route("/healthz", get(health::healthz).fallback(replies::only_get))
        .route("/readyz", readyz.with_state(Arc::clone(readiness)))
}

/// What the sources' routes share.
struct Sending {
    log: LogHandle,
    store: Arc<dyn EventLog>,
    refused: Arc<RefusedRequests>,
    ingest: IngestOptions,
}

impl Sending {
    fn router(self, sources: Vec<Source>, clients: &AllowedClients) -> Router {
        let IngestOptions { body_bytes_max, body_timeout, in_flight_bytes_max } = self.ingest;
        let body = BodyReader::new(body_bytes_max, body_timeout, in_flight_bytes_max);
        let clients = Arc::new(clients.clone());
        let mut router = Router::new();
        for source in sources.into_iter().map(Arc::new) {
            let ingest = Arc::new(Ingest::new(
                Arc::clone(&source),
                self.log.clone(),
                Arc::clone(&self.store),
                body.clone(),
                Arc::clone(&clients),
                Arc::clone(&self.refused),
            ));
            for path in &source.paths {
                let route = post(ingest::receive).fallback(ingest::refuse_method);
                router = router.route(path, route.with_state(Arc::clone(&ingest)));
            }
        }
        router
    }
}
