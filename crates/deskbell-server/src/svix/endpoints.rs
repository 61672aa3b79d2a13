//! Endpoints: the `http` destinations that take events of a source.

pub(super) mod examples;
mod header_values;
pub(super) mod headers;
pub(super) mod input;
pub(super) mod output;
pub(super) mod secrets;
pub(super) mod stats;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{AdminError, Caller};
use http::StatusCode;

use self::input::{EndpointIn, check_uid};
use self::output::EndpointOut;
use super::api::Api;
use super::body::Body;
use super::errors::ApiError;
use super::pages::{ListOut, PageRequest};
use super::query::Query;
use super::replies::{json, no_content, ok};

/// List the endpoints that take events of a source, in the order of their ids.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint", tag = "Endpoint",
    params(
        ("app_id" = String, Path),
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("order" = Option<String>, Query, description = "`ascending` or `descending`"),
    ),
    responses((status = 200, body = ListOut<EndpointOut>)),
)]
pub(super) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(app_id): Path<String>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let request = PageRequest::of(&mut query)?;
    query.end()?;
    let mut endpoints = api.endpoints(&api.source(&app_id)?, &caller).await?;
    endpoints.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    let endpoints = endpoints.into_iter().map(EndpointOut::from).collect();
    Ok(ok(&request.page(endpoints, |endpoint| &endpoint.id)))
}

/// Get an endpoint by its id or uid.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    responses((status = 200, body = EndpointOut)),
)]
pub(super) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
) -> Result<Response, ApiError> {
    let (_, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    Ok(ok(&EndpointOut::from(endpoint.for_caller(&caller))))
}

/// Make an endpoint.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint", tag = "Endpoint",
    params(("app_id" = String, Path)),
    request_body = EndpointIn,
    responses((status = 201, body = EndpointOut)),
)]
pub(super) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(app_id): Path<String>,
    Body(wanted): Body<EndpointIn>,
) -> Result<Response, ApiError> {
    let source = api.source(&app_id)?;
    let made = api.admin().create_endpoint(&caller, &source, wanted.create()?).await?;
    Ok(json(StatusCode::CREATED, &EndpointOut::from(made)))
}

/// Replace an endpoint's settings, or make one with this uid.
#[utoipa::path(
    put, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = EndpointIn,
    responses((status = 200, body = EndpointOut), (status = 201, body = EndpointOut)),
)]
pub(super) async fn put(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<EndpointIn>,
) -> Result<Response, ApiError> {
    let source = api.source(&app_id)?;
    match api.admin().endpoint(&source, &endpoint_id).await {
        Ok(current) => {
            let settings = wanted.replace(&current.settings)?;
            let admin = api.admin();
            let updated = admin.update_endpoint(&caller, &source, &current.id, settings).await?;
            Ok(ok(&EndpointOut::from(updated)))
        }
        Err(AdminError::NotFound(_)) => {
            let mut new = wanted.create()?;
            if new.settings.uid.is_none() {
                check_uid(&endpoint_id)?;
                new.settings.uid = Some(endpoint_id);
            }
            let made = api.admin().create_endpoint(&caller, &source, new).await?;
            Ok(json(StatusCode::CREATED, &EndpointOut::from(made)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Change the settings that are given.
#[utoipa::path(
    patch, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = EndpointIn,
    responses((status = 200, body = EndpointOut)),
)]
pub(super) async fn patch(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<EndpointIn>,
) -> Result<Response, ApiError> {
    let (source, current) = api.endpoint(&app_id, &endpoint_id).await?;
    let settings = wanted.apply(current.settings)?;
    let updated = api.admin().update_endpoint(&caller, &source, &current.id, settings).await?;
    Ok(ok(&EndpointOut::from(updated)))
}

/// Delete an endpoint.
#[utoipa::path(
    delete, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn delete(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    api.admin().delete_endpoint(&caller, &source, &endpoint.id).await?;
    Ok(no_content())
}
