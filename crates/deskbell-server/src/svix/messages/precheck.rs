//! Whether any endpoint takes messages of a type.

use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::Endpoint;
use deskbell_config::{ONE_TIME_CODES, takes_type};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::input::check_name;
use crate::svix::api::Api;
use crate::svix::body::Body;
use crate::svix::errors::{ApiError, Part};
use crate::svix::replies::ok;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MessagePrecheckIn)]
pub(in crate::svix) struct PrecheckIn {
    event_type: String,
    /// Must be null: Deskbell has no channels.
    #[serde(default)]
    channels: Option<Vec<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessagePrecheckOut)]
pub(in crate::svix) struct PrecheckOut {
    active: bool,
}

/// Ask whether any enabled endpoint takes messages of this type. Conditions are not looked at: they
/// depend on the payload.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg/precheck/active", tag = "Message",
    params(("app_id" = String, Path)),
    request_body = PrecheckIn,
    responses((status = 200, body = PrecheckOut)),
)]
pub(in crate::svix) async fn precheck(
    State(api): State<Api>,
    Path(app_id): Path<String>,
    Body(wanted): Body<PrecheckIn>,
) -> Result<Response, ApiError> {
    check_name("eventType", &wanted.event_type)?;
    if wanted.channels.is_some_and(|channels| !channels.is_empty()) {
        return Err(ApiError::invalid(Part::Body, "channels", "Deskbell has no channels"));
    }
    let endpoints = api.admin().endpoints(&api.source(&app_id)?).await?;
    let active = endpoints.iter().any(|endpoint| takes(endpoint, &wanted.event_type));
    Ok(ok(&PrecheckOut { active }))
}

fn takes(endpoint: &Endpoint, event_type: &str) -> bool {
    let takes = match &endpoint.settings.events {
        Some(events) => takes_type(events, event_type),
        None => !ONE_TIME_CODES.contains(&event_type),
    };
    takes && !endpoint.settings.disabled
}
