//! The routes that are not public, behind one guard: the admin API and the metrics.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use deskbell_admin::{Admin, Route};
use deskbell_config::HttpUrl;

use crate::access::Access;
use crate::api::{self, Api};
use crate::entities::{Entities, MirroredEntities};
use crate::guard::{Guard, guard};
use crate::metrics_page::{self, Render};
use crate::site::Site;
use crate::{AdminToken, AllowedClients};

/// What is not public.
pub struct AdminApp {
    /// What everything is asked of.
    pub admin: Arc<dyn Admin>,
    /// The admin token of the config; without one there are no metrics.
    pub token: Option<AdminToken>,
    /// What the mirrors have.
    pub entities: Arc<dyn MirroredEntities>,
    /// The address of this server as browsers reach it, if it is known.
    pub public_url: Option<HttpUrl>,
    /// Renders the metrics in Prometheus' text format.
    pub metrics: Render,
    /// Whether these routes have an address of their own.
    pub listens_apart: bool,
}

impl fmt::Debug for AdminApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminApp").field("admin", &self.admin).finish_non_exhaustive()
    }
}

/// Every route that is not public.
pub(crate) fn router(app: AdminApp, clients: AllowedClients) -> Router {
    let AdminApp { admin, token, entities, public_url, metrics, listens_apart: _ } = app;
    let site = Arc::new(Site::new(public_url.as_ref(), clients));
    let has_metrics = token.is_some();
    let access = Arc::new(Access::new(token, admin));
    let own = api::routes();
    let mut tables: Vec<&[Route]> = vec![&own];
    let mut router = api::router(Api { entities: Arc::new(Entities::new(entities)) });
    // The Svix-compatible routes: merge `svix::router(Arc::clone(&admin))`, and push `svix::ROUTES`.
    if has_metrics {
        tables.push(metrics_page::ROUTES);
        router = router.merge(metrics_page::router(metrics));
    }
    let state = Arc::new(Guard::new(&tables, access, site));
    router.layer(from_fn_with_state(state, guard))
}
