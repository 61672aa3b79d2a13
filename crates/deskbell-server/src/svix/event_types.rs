//! Event types: those that Clerk sends.

use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{CatalogType, Timestamp, catalog};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::api::Api;
use super::errors::ApiError;
use super::pages::{ListOut, PageRequest};
use super::query::Query;
use super::replies::ok;

/// Why event types are not changed here.
pub(super) const KNOWN: &str =
    "event types are those that Clerk sends; a message may have any type without declaring it";

/// A type of the catalog. It has no time of its own: where one is expected, there is the beginning of
/// 1970.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EventTypeOut)]
pub(super) struct EventTypeOut {
    pub(super) name: String,
    pub(super) description: String,
    archived: bool,
    deprecated: bool,
    /// A JSON schema by its version, with an example; null where no content was asked for.
    #[schema(value_type = Option<Object>)]
    pub(super) schemas: Option<Value>,
    /// The kind of entity that it is about.
    group_name: Option<String>,
    feature_flag: Option<String>,
    feature_flags: Option<Vec<String>>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl EventTypeOut {
    pub(super) fn of(known: CatalogType, with_content: bool) -> Self {
        Self {
            schemas: with_content.then(|| json!({ "1": schema(&known) })),
            name: known.event_type,
            description: known.description,
            archived: false,
            deprecated: false,
            group_name: known.entity,
            feature_flag: None,
            feature_flags: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// What every payload of this type is like. Clerk leaves members out and adds others: what is in
/// `data` is shown by an example alone.
fn schema(known: &CatalogType) -> Value {
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": known.event_type,
        "description": known.description,
        "type": "object",
        "required": ["data", "type"],
        "properties": {
            "data": { "type": "object" },
            "object": { "const": "event" },
            "type": { "const": known.event_type },
            "timestamp": { "type": "integer" },
            "instance_id": { "type": "string" },
        },
        "examples": [known.sample],
    })
}

/// List the event types.
#[utoipa::path(
    get, path = "/api/v1/event-type", tag = "Event type",
    params(
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("order" = Option<String>, Query, description = "`ascending` or `descending`"),
        ("include_archived" = Option<bool>, Query, description = "None is archived"),
        ("with_content" = Option<bool>, Query, description = "With schemas"),
    ),
    responses((status = 200, body = ListOut<EventTypeOut>)),
)]
pub(super) async fn list(State(_): State<Api>, mut query: Query) -> Result<Response, ApiError> {
    let request = PageRequest::of(&mut query)?;
    query.flag("include_archived", false)?;
    let with_content = query.flag("with_content", false)?;
    query.end()?;
    let mut types = catalog();
    types.sort_unstable_by(|a, b| a.event_type.cmp(&b.event_type));
    let types = types.into_iter().map(|known| EventTypeOut::of(known, with_content)).collect();
    Ok(ok(&request.page(types, |known| &known.name)))
}

/// Get an event type, with its schema.
#[utoipa::path(
    get, path = "/api/v1/event-type/{event_type_name}", tag = "Event type",
    params(("event_type_name" = String, Path)),
    responses((status = 200, body = EventTypeOut)),
)]
pub(super) async fn get(
    State(_): State<Api>,
    Path(name): Path<String>,
) -> Result<Response, ApiError> {
    let known = catalog().into_iter().find(|known| known.event_type == name);
    let known = known.ok_or_else(|| ApiError::not_found("event type", &name))?;
    Ok(ok(&EventTypeOut::of(known, true)))
}
