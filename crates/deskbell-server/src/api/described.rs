//! The description of the routes, made from their handlers.

use axum::extract::State;
use axum::response::Response;
use deskbell_admin::{Method, Need, Route};
use http::StatusCode;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::extract::Api;
use super::{dead_letters, destinations, events, explain, overview, replays, rows, tail, tokens};
use crate::metrics_page;
use crate::problem::ProblemDetails;
use crate::replies;

#[derive(OpenApi)]
#[openapi(
    info(title = "Deskbell", description = "The admin API of Deskbell."),
    paths(
        overview::get_overview,
        overview::list_alerts,
        overview::get_settings,
        overview::list_audit,
        overview::list_catalog,
        get_description,
        events::list_events,
        tail::tail_events,
        events::get_event,
        events::list_subject_events,
        explain::explain,
        rows::get_user,
        rows::get_organization,
        rows::get_membership,
        replays::create_replay,
        replays::get_replay,
        destinations::list_destinations,
        destinations::get_destination,
        destinations::get_destination_stats,
        destinations::list_attempts,
        destinations::pause_destination,
        destinations::resume_destination,
        destinations::send_example,
        destinations::list_mirrors,
        destinations::get_mirror,
        dead_letters::list_dead_letters,
        dead_letters::list_dead_letter_causes,
        dead_letters::retry_dead_letters,
        tokens::list_tokens,
        tokens::create_token,
        tokens::revoke_token,
        metrics_page::get_metrics,
    ),
    components(schemas(ProblemDetails)),
    modifiers(&Credentials),
    security(("token" = []), ("session" = []))
)]
struct Document;

/// How a request says who makes it.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let token = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let cookie = ApiKeyValue::new("deskbell_session");
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("token", token);
        components.add_security_scheme("session", session);
    }
}

/// The description, with the role that each of these routes needs.
pub(super) fn document(routes: &[Route]) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    for route in routes {
        let item = document.paths.paths.get_mut(route.path);
        let operation = item.and_then(|item| operation_mut(item, route.method));
        if let (Some(operation), Need::Role(role)) = (operation, route.need) {
            let needs = format!("Needs the role `{role}`.");
            operation.description = Some(match operation.description.take() {
                Some(text) if !text.is_empty() => format!("{text}\n\n{needs}"),
                _ => needs,
            });
        }
    }
    document
}

fn operation_mut(item: &mut PathItem, method: Method) -> Option<&mut Operation> {
    match method {
        Method::Get => item.get.as_mut(),
        Method::Post => item.post.as_mut(),
        Method::Put => item.put.as_mut(),
        Method::Patch => item.patch.as_mut(),
        Method::Delete => item.delete.as_mut(),
    }
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "Overview",
    responses((status = 200, description = "OpenAPI 3.1", body = Object), crate::problem::Problem))]
pub(super) async fn get_description(State(api): State<Api>) -> Response {
    replies::json(StatusCode::OK, api.description)
}
