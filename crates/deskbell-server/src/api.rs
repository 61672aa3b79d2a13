//! The admin API: every route of our own, with the role that it needs and what answers it.

use axum::Router;
use axum::routing::{MethodRouter, delete, get, post};
use deskbell_admin::Route;
use deskbell_store::TokenRole::{Admin, Reader, Viewer};
use utoipa::openapi::OpenApi;

pub(crate) use extract::Api;

mod dead_letters;
mod described;
mod destinations;
mod events;
mod explain;
mod extract;
mod overview;
mod query;
mod replays;
mod rows;
mod tail;
mod tokens;

type Handler = fn() -> MethodRouter<Api>;

const TABLE: &[(Route, Handler)] = &[
    (Route::get("/api/v1/overview", Viewer), || get(overview::get_overview)),
    (Route::get("/api/v1/alerts", Viewer), || get(overview::list_alerts)),
    (Route::get("/api/v1/settings", Viewer), || get(overview::get_settings)),
    (Route::get("/api/v1/audit", Admin), || get(overview::list_audit)),
    (Route::get("/api/v1/catalog", Viewer), || get(overview::list_catalog)),
    (Route::get("/api/openapi.json", Viewer), || get(described::get_description)),
    (Route::get("/api/v1/events", Viewer), || get(events::list_events)),
    (Route::get("/api/v1/events/tail", Viewer), || get(tail::tail_events)),
    (Route::get("/api/v1/events/{id}", Viewer), || get(events::get_event)),
    (Route::get("/api/v1/subjects/{id}/events", Viewer), || get(events::list_subject_events)),
    (Route::get("/api/v1/explain/{id}", Viewer), || get(explain::explain)),
    (Route::get("/api/v1/users/{id}", Reader), || get(rows::get_user)),
    (Route::get("/api/v1/organizations/{id}", Reader), || get(rows::get_organization)),
    (Route::get("/api/v1/organization_memberships", Reader), || get(rows::get_membership)),
    (Route::post("/api/v1/replay", Admin), || post(replays::create_replay)),
    (Route::get("/api/v1/replays/{id}", Viewer), || get(replays::get_replay)),
    (Route::get("/api/v1/destinations", Viewer), || get(destinations::list_destinations)),
    (Route::get("/api/v1/destinations/{name}", Viewer), || get(destinations::get_destination)),
    (Route::get("/api/v1/destinations/{name}/stats", Viewer), || {
        get(destinations::get_destination_stats)
    }),
    (Route::get("/api/v1/destinations/{name}/attempts", Viewer), || {
        get(destinations::list_attempts)
    }),
    (Route::post("/api/v1/destinations/{name}/pause", Admin), || {
        post(destinations::pause_destination)
    }),
    (Route::post("/api/v1/destinations/{name}/resume", Admin), || {
        post(destinations::resume_destination)
    }),
    (Route::post("/api/v1/destinations/{name}/send-example", Admin), || {
        post(destinations::send_example)
    }),
    (Route::get("/api/v1/mirrors", Viewer), || get(destinations::list_mirrors)),
    (Route::get("/api/v1/mirrors/{name}", Viewer), || get(destinations::get_mirror)),
    (Route::get("/api/v1/dead-letters", Viewer), || get(dead_letters::list_dead_letters)),
    (Route::get("/api/v1/dead-letters/causes", Viewer), || {
        get(dead_letters::list_dead_letter_causes)
    }),
    (Route::post("/api/v1/dead-letters/retry", Admin), || post(dead_letters::retry_dead_letters)),
    (Route::get("/api/v1/tokens", Admin), || get(tokens::list_tokens)),
    (Route::post("/api/v1/tokens", Admin), || post(tokens::create_token)),
    (Route::delete("/api/v1/tokens/{name}", Admin), || delete(tokens::revoke_token)),
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
pub(crate) fn openapi() -> OpenApi {
    described::document(&routes())
}
