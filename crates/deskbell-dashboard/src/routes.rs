//! Every route of the pages: who may use it, and its handler.

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use deskbell_admin::{Admin, Method, Route};
use deskbell_store::TokenRole::{Admin as Administrator, Reader, Viewer};
use serde_json::Value;

use crate::assets;
use crate::compress;
use crate::dashboard::Dashboard;
use crate::pages::{
    catalog, dead_letters, destinations, events, mirror, overview, reference, replays, search,
    settings, setup, subject,
};

type Handler = fn() -> MethodRouter<Dashboard>;

const TABLE: &[(Route, Handler)] = &[
    (Route::get("/dashboard", Viewer), || get(overview::page)),
    (Route::get("/dashboard/setup", Viewer), || get(setup::page)),
    (Route::get("/dashboard/search", Viewer), || get(search::go)),
    (Route::get("/dashboard/events", Viewer), || get(events::list::page)),
    (Route::get("/dashboard/events/tail", Viewer), || get(events::tail::tail)),
    (Route::get("/dashboard/events/replay", Administrator), || get(events::replay::confirm)),
    (Route::post("/dashboard/events/replay", Administrator), || post(events::replay::start)),
    (Route::get("/dashboard/events/{source}/{id}", Viewer), || get(events::event::page)),
    (Route::get("/dashboard/events/{source}/{id}/payload", Reader), || get(events::raw::payload)),
    (Route::get("/dashboard/events/{source}/{id}/curl", Reader), || get(events::raw::as_curl)),
    (Route::post("/dashboard/events/{source}/{id}/replay", Administrator), || {
        post(events::replay_one)
    }),
    (Route::get("/dashboard/replays/{id}", Viewer), || get(replays::page)),
    (Route::get("/dashboard/subjects/{id}", Viewer), || get(subject::page)),
    (Route::get("/dashboard/destinations", Viewer), || get(destinations::list::page)),
    (Route::get("/dashboard/destinations/new", Administrator), || get(destinations::new)),
    (Route::post("/dashboard/destinations/new", Administrator), || post(destinations::create)),
    (Route::get("/dashboard/destinations/{name}", Viewer), || get(destinations::page)),
    (Route::get("/dashboard/destinations/{name}/edit", Administrator), || get(destinations::edit)),
    (Route::post("/dashboard/destinations/{name}/edit", Administrator), || {
        post(destinations::update)
    }),
    (Route::post("/dashboard/destinations/{name}/pause", Administrator), || {
        post(destinations::pause)
    }),
    (Route::post("/dashboard/destinations/{name}/resume", Administrator), || {
        post(destinations::resume)
    }),
    (Route::post("/dashboard/destinations/{name}/test", Administrator), || {
        post(destinations::send_test)
    }),
    (Route::post("/dashboard/destinations/{name}/secret", Administrator), || {
        post(destinations::reveal)
    }),
    (Route::post("/dashboard/destinations/{name}/rotate", Administrator), || {
        post(destinations::rotate)
    }),
    (Route::post("/dashboard/destinations/{name}/headers", Administrator), || {
        post(destinations::replace_headers)
    }),
    (Route::post("/dashboard/destinations/{name}/delete", Administrator), || {
        post(destinations::delete)
    }),
    (Route::get("/dashboard/destinations/{name}/replay", Administrator), || {
        get(destinations::count_replay)
    }),
    (Route::post("/dashboard/destinations/{name}/replay", Administrator), || {
        post(destinations::start_replay)
    }),
    (Route::get("/dashboard/mirrors/{name}", Viewer), || get(mirror::page)),
    (Route::get("/dashboard/dead-letters", Viewer), || get(dead_letters::page)),
    (Route::post("/dashboard/dead-letters/retry", Administrator), || post(dead_letters::retry)),
    (Route::get("/dashboard/catalog", Viewer), || get(catalog::page)),
    (Route::get("/dashboard/catalog/{type}", Viewer), || get(catalog::show)),
    (Route::post("/dashboard/catalog/{type}/send", Administrator), || post(catalog::send)),
    (Route::get("/dashboard/settings", Viewer), || get(settings::page)),
    (Route::get("/dashboard/settings/audit", Administrator), || get(settings::audit_page)),
    (Route::post("/dashboard/settings/tokens", Administrator), || post(settings::create_token)),
    (Route::post("/dashboard/settings/tokens/revoke", Administrator), || {
        post(settings::revoke_token)
    }),
    (Route::get("/dashboard/reference", Viewer), || get(reference::page)),
    (Route::open(Method::Get, "/dashboard/assets/{file}"), || get(assets::serve)),
];

/// Every route of [`router`], with what it needs.
pub const ROUTES: &[Route] = &routes();

const fn routes() -> [Route; TABLE.len()] {
    let mut routes = [TABLE[0].0; TABLE.len()];
    let mut index = 0;
    while index < routes.len() {
        routes[index] = TABLE[index].0;
        index += 1;
    }
    routes
}

/// The pages. `openapi` is the document that the API reference is made from. Each request must have
/// an `axum::Extension<Caller>`, but for those of routes that need nothing.
pub fn router(admin: Arc<dyn Admin>, openapi: Arc<Value>) -> Router {
    let router = TABLE
        .iter()
        .fold(Router::new(), |router, (route, handler)| router.route(route.path, handler()));
    router
        .layer(axum::middleware::from_fn(compress::pages))
        .with_state(Dashboard::new(admin, openapi))
}
