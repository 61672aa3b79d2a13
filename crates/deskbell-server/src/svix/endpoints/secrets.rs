//! The secret that requests to an endpoint are signed with.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, SealedSecret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::svix::api::Api;
use crate::svix::body::Body;
use crate::svix::errors::{ApiError, Part};
use crate::svix::replies::ok;

/// How long the secret before is signed with too.
const GRACE_SECONDS: u32 = 86_400;

#[derive(Serialize, ToSchema)]
#[schema(as = EndpointSecretOut)]
pub(in crate::svix) struct SecretOut {
    key: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = EndpointSecretRotateIn)]
pub(in crate::svix) struct RotateIn {
    /// Null for a random one.
    #[schema(value_type = Option<String>)]
    key: Option<SealedSecret>,
    /// Must be null or 86400: requests are signed with the secret before for 24 hours too.
    grace_period_seconds: Option<u32>,
}

/// Get the secret. The audit log says that it was asked for.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    responses((status = 200, body = SecretOut)),
)]
pub(in crate::svix) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    let secret = api.admin().endpoint_secret(&caller, &source, &endpoint.id).await?;
    Ok(ok(&SecretOut { key: secret.0 }))
}

/// Sign with another secret from now on. Some clients read the new one from the answer.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/secret/rotate", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = RotateIn,
    responses((status = 200, body = SecretOut)),
)]
pub(in crate::svix) async fn rotate(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<RotateIn>,
) -> Result<Response, ApiError> {
    if wanted.grace_period_seconds.is_some_and(|grace| grace != GRACE_SECONDS) {
        let message = "the secret before is valid for 24 hours: expected 86400 or null";
        return Err(ApiError::invalid(Part::Body, "gracePeriodSeconds", message));
    }
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    let admin = api.admin();
    admin.rotate_endpoint_secret(&caller, &source, &endpoint.id, wanted.key).await?;
    let secret = admin.endpoint_secret(&caller, &source, &endpoint.id).await?;
    Ok(ok(&SecretOut { key: secret.0 }))
}
