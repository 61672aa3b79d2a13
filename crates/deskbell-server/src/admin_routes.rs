//! The routes that are not public, behind one guard: the admin API, the pages, and the metrics.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::Redirect;
use axum::routing::get;
use deskbell_admin::{Admin, Method, Route, SignIn};
use deskbell_config::HttpUrl;

use crate::access::Access;
use crate::admin_state::AdminState;
use crate::api::{self, Api};
use crate::entities::{Entities, MirroredEntities};
use crate::guard::{Guard, guard};
use crate::metrics_page::{self, Render};
use crate::next_path;
use crate::sign_in::{self, SigningIn};
use crate::site::Site;
use crate::svix;
use crate::{AdminToken, AllowedClients, description};

/// What is not public.
pub struct AdminApp {
    /// What everything is asked of.
    pub admin: Arc<dyn Admin>,
    /// The pages; without them nobody can sign in.
    pub pages: Option<Pages>,
    /// The admin token of the config, if there is one; others are in the store.
    pub token: Option<AdminToken>,
    /// What the mirrors have.
    pub entities: Arc<dyn MirroredEntities>,
    /// The address of this server as browsers reach it, if it is known.
    pub public_url: Option<HttpUrl>,
    /// Renders the metrics in Prometheus' text format.
    pub metrics: Render,
    /// Whether these routes have an address of their own.
    pub listens_apart: bool,
    /// What they remember: that of the routes before, where there were any.
    pub state: AdminState,
}

/// The pages for people, which are made elsewhere.
pub struct Pages {
    /// What answers them; all of it is behind the guard, and it needs no fallback.
    pub router: Router,
    /// What each page needs. One that is not here is refused.
    pub routes: &'static [Route],
    /// The page for signing in.
    pub sign_in: fn(SignIn<'_>) -> String,
}

impl fmt::Debug for AdminApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminApp").field("admin", &self.admin).finish_non_exhaustive()
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("routes", &self.routes).finish_non_exhaustive()
    }
}

/// The start page.
const START: &[Route] = &[Route::open(Method::Get, "/")];

/// Every route that is not public. `/` leads to the pages unless it is a source's.
pub(crate) fn router(app: AdminApp, clients: AllowedClients, has_start: bool) -> Router {
    let AdminApp { admin, pages, token, entities, public_url, metrics, listens_apart: _, state } =
        app;
    let site = Arc::new(Site::new(public_url.as_ref(), clients));
    let access = Access::new(token, Arc::clone(&admin), Arc::clone(&state.lookups));
    let access = Arc::new(access);
    let own = api::routes();
    let mut tables: Vec<&[Route]> = vec![&own, svix::ROUTES, metrics_page::ROUTES];
    let mut router = api_router(Arc::clone(&admin), entities, &state)
        .merge(svix::router(Arc::clone(&admin), state.answers.clone()))
        .merge(metrics_page::router(metrics));
    if let Some(Pages { router: pages, routes, sign_in: page }) = pages {
        tables.extend([routes, sign_in::ROUTES]);
        let (access, site) = (Arc::clone(&access), Arc::clone(&site));
        let attempts = Arc::clone(&state.attempts);
        let signing_in = SigningIn::new(access, admin, site, page, attempts);
        router = router.merge(pages.reset_fallback()).merge(sign_in::router(signing_in));
        if has_start {
            tables.push(START);
            router = router.route("/", get(|| async { Redirect::to(next_path::START) }));
        }
    }
    let guarding = Arc::new(Guard::new(&tables, access, site, &state));
    router.layer(from_fn_with_state(guarding, guard))
}

fn api_router(
    admin: Arc<dyn Admin>,
    entities: Arc<dyn MirroredEntities>,
    state: &AdminState,
) -> Router {
    let entities = Arc::new(Entities::new(entities, Arc::clone(&state.entities)));
    let description = description::openapi().to_json().unwrap_or_default().into();
    api::router(Api { admin, entities, description })
}
