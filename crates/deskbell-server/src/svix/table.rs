//! Every route of Svix's API, with the role that it needs.

use deskbell_admin::Route;
use deskbell_store::TokenRole::{Admin, Viewer};

use super::unsupported::{FAMILY_ROUTES, OPERATION_ROUTES};

/// The routes, for whoever guards them.
pub(crate) const ROUTES: &[Route] = &ALL;

const SERVED: [Route; 35] = [
    Route::get("/api/v1/health", Viewer),
    Route::get("/api/v1/health/ping", Viewer),
    Route::get("/api/v1/app", Viewer),
    Route::post("/api/v1/app", Admin),
    Route::get("/api/v1/app/{app_id}", Viewer),
    Route::get("/api/v1/event-type", Viewer),
    Route::get("/api/v1/event-type/{event_type_name}", Viewer),
    Route::get("/api/v1/app/{app_id}/endpoint", Viewer),
    Route::post("/api/v1/app/{app_id}/endpoint", Admin),
    Route::get("/api/v1/app/{app_id}/endpoint/{endpoint_id}", Viewer),
    Route::put("/api/v1/app/{app_id}/endpoint/{endpoint_id}", Admin),
    Route::patch("/api/v1/app/{app_id}/endpoint/{endpoint_id}", Admin),
    Route::delete("/api/v1/app/{app_id}/endpoint/{endpoint_id}", Admin),
    Route::get("/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", Admin),
    Route::put("/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", Admin),
    Route::patch("/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", Admin),
    Route::get("/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret", Admin),
    Route::post("/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate", Admin),
    Route::get("/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats", Viewer),
    Route::get("/api/v1/app/{app_id}/endpoint/{endpoint_id}/attempt-stats", Viewer),
    Route::post("/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example", Admin),
    Route::post("/api/v1/app/{app_id}/endpoint/{endpoint_id}/recover", Admin),
    Route::post("/api/v1/app/{app_id}/endpoint/{endpoint_id}/replay-missing", Admin),
    Route::post("/api/v1/app/{app_id}/endpoint/{endpoint_id}/bulk-replay", Admin),
    Route::get("/api/v1/background-task/{task_id}", Viewer),
    Route::get("/api/v1/app/{app_id}/msg", Viewer),
    Route::post("/api/v1/app/{app_id}/msg", Admin),
    Route::get("/api/v1/app/{app_id}/msg/{msg_id}", Viewer),
    Route::post("/api/v1/app/{app_id}/msg/precheck/active", Viewer),
    Route::get("/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}", Viewer),
    Route::get("/api/v1/app/{app_id}/attempt/msg/{msg_id}", Viewer),
    Route::get("/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg", Viewer),
    Route::get("/api/v1/app/{app_id}/msg/{msg_id}/endpoint", Viewer),
    Route::get("/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}", Viewer),
    Route::post("/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend", Admin),
];

const COUNT: usize = SERVED.len() + OPERATION_ROUTES.len() + FAMILY_ROUTES.len();

const ALL: [Route; COUNT] = joined([&SERVED, &OPERATION_ROUTES, &FAMILY_ROUTES]);

const fn joined(tables: [&[Route]; 3]) -> [Route; COUNT] {
    let mut all = [SERVED[0]; COUNT];
    let (mut table, mut at) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            all[at] = tables[table][row];
            row += 1;
            at += 1;
        }
        table += 1;
    }
    all
}
