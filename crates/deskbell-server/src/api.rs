//! The admin API: every route of our own, with the role that it needs and what answers it.

use axum::Router;
use axum::routing::{MethodRouter, get};
use deskbell_admin::Route;
use deskbell_store::TokenRole::Reader;

pub(crate) use extract::Api;

mod extract;
mod rows;

type Handler = fn() -> MethodRouter<Api>;

const TABLE: &[(Route, Handler)] = &[
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
