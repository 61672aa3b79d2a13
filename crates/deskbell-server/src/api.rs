//! The admin API: every route of our own, with the role that it needs and what answers it.

use axum::Router;
use axum::routing::{MethodRouter, get};
use deskbell_admin::Route;
use deskbell_store::TokenRole::{Admin, Reader, Viewer};
use utoipa::openapi::OpenApi;

pub(crate) use extract::Api;

mod described;
mod events;
mod explain;
mod extract;
mod overview;
mod query;
mod rows;

type Handler = fn() -> MethodRouter<Api>;

const TABLE: &[(Route, Handler)] = &[
    (Route::get("/api/v1/overview", Viewer), || get(overview::get_overview)),
    (Route::get("/api/v1/alerts", Viewer), || get(overview::list_alerts)),
    (Route::get("/api/v1/settings", Viewer), || get(overview::get_settings)),
    (Route::get("/api/v1/audit", Admin), || get(overview::list_audit)),
    (Route::get("/api/v1/catalog", Viewer), || get(overview::list_catalog)),
    (Route::get("/api/openapi.json", Viewer), || get(described::get_description)),
    (Route::get("/api/v1/events", Viewer), || get(events::list_events)),
    (Route::get("/api/v1/events/{id}", Viewer), || get(events::get_event)),
    (Route::get("/api/v1/subjects/{id}/events", Viewer), || get(events::list_subject_events)),
    (Route::get("/api/v1/explain/{id}", Viewer), || get(explain::explain)),
    (Route::get("/api/v1/users/{id}", Reader), || get(rows::get_user)),
    (Route::get("/api/v1/organizations/{id}", Reader), || get(rows::get_organization)),
    (Route::get("/api/v1/organization_memberships", Reader), || get(rows::get_membership)),
];

/// What each route needs.
pub(crate) fn routes() -> Vec<Route> {
    TABLE.iter().map(|(route, _)| *route).collect()
}

pub(crate) fn router(api: Api) -> Router {
    let router = TABLE
        .iter()
        .fold(Router::new(), |router, (route, handler)| router.route(route.path, handler()));
    router.with_state(api)
}

/// The description of these routes, in OpenAPI 3.1.
#[must_use]
pub fn openapi() -> OpenApi {
    described::document(&routes())
}
