//! Headers that are sent to an endpoint with each request.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, SealedSecret, is_secret_header};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::header_values;
use crate::svix::api::Api;
use crate::svix::body::Body;
use crate::svix::errors::ApiError;
use crate::svix::replies::{no_content, ok};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EndpointHeadersOut)]
pub(in crate::svix) struct HeadersOut {
    headers: BTreeMap<String, String>,
    /// The names of those that are not shown.
    sensitive: Vec<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EndpointHeadersIn)]
pub(in crate::svix) struct HeadersIn {
    #[schema(value_type = BTreeMap<String, String>)]
    headers: BTreeMap<String, SealedSecret>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = EndpointHeadersPatchIn)]
pub(in crate::svix) struct HeadersPatchIn {
    /// One that is null is removed.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Option<String>>)]
    headers: BTreeMap<String, Option<SealedSecret>>,
    #[serde(default)]
    delete_headers: Option<Vec<String>>,
}

/// Get the headers; of secret ones only the names.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    responses((status = 200, body = HeadersOut)),
)]
pub(in crate::svix) async fn get(
    State(api): State<Api>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    let mut found = HeadersOut::default();
    for (name, value) in api.admin().endpoint_headers(&source, &endpoint.id).await? {
        match is_secret_header(&name) {
            true => found.sensitive.push(name),
            false => drop(found.headers.insert(name, value.0)),
        }
    }
    Ok(ok(&found))
}

/// Set all headers.
#[utoipa::path(
    put, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = HeadersIn,
    responses((status = 204)),
)]
pub(in crate::svix) async fn put(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<HeadersIn>,
) -> Result<StatusCode, ApiError> {
    let headers = header_values::checked(wanted.headers)?;
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    api.admin().set_endpoint_headers(&caller, &source, &endpoint.id, headers).await?;
    Ok(no_content())
}

/// Set and remove single headers.
#[utoipa::path(
    patch, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = HeadersPatchIn,
    responses((status = 204)),
)]
pub(in crate::svix) async fn patch(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<HeadersPatchIn>,
) -> Result<StatusCode, ApiError> {
    let removed = wanted.delete_headers.unwrap_or_default().into_iter().map(|name| (name, None));
    let changes = header_values::checked_changes(removed.chain(wanted.headers).collect())?;
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    api.admin().change_endpoint_headers(&caller, &source, &endpoint.id, changes).await?;
    Ok(no_content())
}
