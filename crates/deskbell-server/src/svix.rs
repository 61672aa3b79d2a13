//! Svix's public API, for its own clients: sources are applications, `http` destinations are endpoints,
//! and events are messages.

mod api;
mod applications;
mod attempts;
mod body;
mod endpoints;
mod errors;
mod event_types;
mod health;
mod idempotency;
mod messages;
mod openapi;
mod pages;
mod query;
mod replays;
mod replies;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod unsupported;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodFilter, any, get, on, post};
use deskbell_admin::{Admin, Method};

pub(crate) use self::openapi::openapi;
pub(crate) use self::table::ROUTES;

use self::api::Api;
use self::errors::ApiError;
pub(crate) use self::idempotency::Answers;
use self::idempotency::answer_once;
use self::unsupported::{FAMILIES, OPERATIONS};

/// Every route of [`ROUTES`]. Whoever guards them inserts the [`Caller`](deskbell_admin::Caller).
pub(crate) fn router(admin: Arc<dyn Admin>, answers: Answers) -> Router {
    reading().merge(changing(answers)).with_state(Api::new(admin)).merge(not_supported())
}

/// What is answered anew each time.
fn reading() -> Router<Api> {
    let endpoint =
        get(endpoints::get).put(endpoints::put).patch(endpoints::patch).delete(endpoints::delete);
    let headers =
        get(endpoints::headers::get).put(endpoints::headers::put).patch(endpoints::headers::patch);
    let attempted_messages = get(attempts::attempted_messages::list);
    Router::new()
        .route("/api/v1/health", get(health::get))
        .route("/api/v1/health/ping", get(health::ping))
        .route("/api/v1/app", get(applications::list).post(applications::get_or_create))
        .route("/api/v1/app/{app_id}", get(applications::get))
        .route("/api/v1/event-type", get(event_types::list))
        .route("/api/v1/event-type/{event_type_name}", get(event_types::get))
        .route("/api/v1/background-task/{task_id}", get(replays::tasks::get))
        .route("/api/v1/app/{app_id}/endpoint", get(endpoints::list))
        .route("/api/v1/app/{app_id}/endpoint/{endpoint_id}", endpoint)
        .route("/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", headers)
        .route("/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret", get(endpoints::secrets::get))
        .route("/api/v1/app/{app_id}/endpoint/{endpoint_id}/stats", get(endpoints::stats::get))
        .route(
            "/api/v1/app/{app_id}/endpoint/{endpoint_id}/attempt-stats",
            get(endpoints::stats::of_attempts),
        )
        .route("/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg", attempted_messages)
        .route("/api/v1/app/{app_id}/msg", get(messages::list))
        .route("/api/v1/app/{app_id}/msg/precheck/active", post(messages::precheck::precheck))
        .route("/api/v1/app/{app_id}/msg/{msg_id}", get(messages::get))
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/endpoint",
            get(attempts::attempted_endpoints::list),
        )
        .route("/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}", get(attempts::get))
        .route("/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}", get(attempts::by_endpoint))
        .route("/api/v1/app/{app_id}/attempt/msg/{msg_id}", get(attempts::by_message))
}

/// What is done once for each `idempotency-key`.
fn changing(answers: Answers) -> Router<Api> {
    let router = Router::new()
        .route("/api/v1/app/{app_id}/endpoint", post(endpoints::create))
        .route("/api/v1/app/{app_id}/msg", post(messages::create::create));
    let of_endpoint = [
        ("secret/rotate", post(endpoints::secrets::rotate)),
        ("send-example", post(endpoints::examples::send)),
        ("recover", post(replays::recover)),
        ("replay-missing", post(replays::replay_missing)),
        ("bulk-replay", post(replays::bulk_replay)),
    ];
    let router = of_endpoint.into_iter().fold(router, |router, (name, method)| {
        let path = format!("/api/v1/app/{{app_id}}/endpoint/{{endpoint_id}}/{name}");
        router.route(&path, method)
    });
    router
        .route(
            "/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend",
            post(replays::resend),
        )
        .route_layer(from_fn_with_state(answers, answer_once))
}

/// What is answered with the reason why it is not done.
fn not_supported() -> Router {
    let mut router = Router::new();
    for operation in OPERATIONS {
        let refuse = move || async move { ApiError::not_implemented(operation.reason) };
        let method = match operation.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Patch => MethodFilter::PATCH,
            Method::Delete => MethodFilter::DELETE,
        };
        router = router.route(operation.path, on(method, refuse));
    }
    for family in FAMILIES {
        let refuse = move || async move { ApiError::not_implemented(family.reason) };
        for path in family.paths {
            router = router.route(path, any(refuse));
        }
    }
    router
}
