//! Applications: one for each source of the config.

use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::api::Api;
use super::body::Body;
use super::errors::{ApiError, Part};
use super::pages::{ListOut, PageRequest};
use super::query::Query;
use super::replies::ok;

/// Why applications are not changed here.
pub(super) const DECLARED: &str =
    "applications are the sources of the config file: add, change or remove a [[source]] there";

/// What Svix can leave out of the list.
const EXCLUSIONS: &[&str] = &[
    "exclude_apps_with_no_endpoints",
    "exclude_apps_with_disabled_endpoints",
    "exclude_apps_with_svix_play_endpoints",
];

/// A source. It has no time of its own: where one is expected, there is the beginning of 1970.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApplicationOut)]
pub(super) struct ApplicationOut {
    id: String,
    uid: String,
    name: String,
    rate_limit: Option<u16>,
    throttle_rate: Option<u16>,
    metadata: Map<String, Value>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What a client would make an application of. Only its name and uid are looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ApplicationIn)]
pub(super) struct ApplicationIn {
    name: String,
    #[serde(default)]
    uid: Option<String>,
}

impl ApplicationOut {
    fn of(source: String) -> Self {
        Self {
            id: source.clone(),
            uid: source.clone(),
            name: source,
            rate_limit: None,
            throttle_rate: None,
            metadata: Map::new(),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// List the sources.
#[utoipa::path(
    get, path = "/api/v1/app", tag = "Application",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("order" = Option<String>, Query, description = "`ascending` or `descending`"),
    ),
    responses((status = 200, body = ListOut<ApplicationOut>)),
)]
pub(super) async fn list(State(api): State<Api>, mut query: Query) -> Result<Response, ApiError> {
    let request = PageRequest::of(&mut query)?;
    for name in EXCLUSIONS {
        if query.flag(name, false)? {
            return Err(ApiError::invalid(Part::Query, name, "Deskbell does not support it"));
        }
    }
    query.end()?;
    let mut sources = api.admin().sources();
    sources.sort_unstable();
    let applications = sources.into_iter().map(ApplicationOut::of).collect();
    Ok(ok(&request.page(applications, |application| &application.id)))
}

/// Get the source of this name.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}", tag = "Application",
    params(("app_id" = String, Path, description = "The source's name")),
    responses((status = 200, body = ApplicationOut)),
)]
pub(super) async fn get(
    State(api): State<Api>,
    Path(app_id): Path<String>,
) -> Result<Response, ApiError> {
    Ok(ok(&ApplicationOut::of(api.source(&app_id)?)))
}

/// With `get_if_exists=true`, get the source of this uid or name. None is made.
#[utoipa::path(
    post, path = "/api/v1/app", tag = "Application",
    params(("get_if_exists" = Option<bool>, Query)),
    request_body = ApplicationIn,
    responses((status = 200, body = ApplicationOut)),
)]
pub(super) async fn get_or_create(
    State(api): State<Api>,
    mut query: Query,
    Body(wanted): Body<ApplicationIn>,
) -> Result<Response, ApiError> {
    let get_if_exists = query.flag("get_if_exists", false)?;
    query.end()?;
    let id = wanted.uid.as_ref().unwrap_or(&wanted.name);
    match api.source(id) {
        Ok(source) if get_if_exists => Ok(ok(&ApplicationOut::of(source))),
        _ => Err(ApiError::not_implemented(DECLARED)),
    }
}
