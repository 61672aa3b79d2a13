//! Sending a sample to an endpoint.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{AdminError, Caller, NewMessage};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::svix::api::Api;
use crate::svix::body::Body;
use crate::svix::errors::{ApiError, Part};
use crate::svix::messages::content::content_of;
use crate::svix::messages::output::MessageOut;
use crate::svix::replies::ok;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = EventExampleIn)]
pub(in crate::svix) struct ExampleIn {
    event_type: String,
    /// Must be 0 or null: each type has one sample.
    #[serde(default)]
    example_index: Option<u32>,
    /// What is sent instead of the sample.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    payload: Option<Map<String, Value>>,
}

/// Send a sample of this type, or this payload, to this endpoint alone.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example", tag = "Endpoint",
    params(("app_id" = String, Path), ("endpoint_id" = String, Path)),
    request_body = ExampleIn,
    responses((status = 200, body = MessageOut)),
)]
pub(in crate::svix) async fn send(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    Body(wanted): Body<ExampleIn>,
) -> Result<Response, ApiError> {
    if wanted.example_index.is_some_and(|index| index != 0) {
        let message = "each type has one sample: expected 0 or null";
        return Err(ApiError::invalid(Part::Body, "exampleIndex", message));
    }
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    let sent = match wanted.payload {
        None => api.admin().send_example(&caller, &endpoint.id, &wanted.event_type).await?,
        Some(payload) => {
            let message = NewMessage {
                source,
                message_id: None,
                event_type: wanted.event_type,
                payload: Value::Object(payload),
                destination: Some(endpoint.id),
            };
            api.admin().create_message(&caller, message).await?
        }
    };
    let event = api.find_message(None, &sent).await?;
    let event = event.ok_or_else(|| AdminError::not_found("message", &sent))?;
    let content = content_of(&api, &caller, &event).await?;
    Ok(ok(&MessageOut::of(event, content)))
}
