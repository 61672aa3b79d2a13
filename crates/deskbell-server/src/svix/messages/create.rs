//! Making a message.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{AdminError, Caller, NewMessage, Payload};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::content::{content_of, no_content};
use super::input::MessageIn;
use super::output::MessageOut;
use crate::svix::api::Api;
use crate::svix::body::Body;
use crate::svix::errors::ApiError;
use crate::svix::idempotency;
use crate::svix::query::Query;
use crate::svix::replies::json;

/// Make a message, which goes to all endpoints that take it. `eventId` becomes its id; without one, a
/// request with the same `idempotency-key` makes the same message.
#[utoipa::path(
    post, path = "/api/v1/app/{app_id}/msg", tag = "Message",
    params(
        ("app_id" = String, Path),
        ("with_content" = Option<bool>, Query, description = "Answer with the payload: `true` where nothing is said"),
        ("idempotency-key" = Option<String>, Header),
    ),
    request_body = MessageIn,
    responses((status = 202, body = MessageOut)),
)]
pub(in crate::svix) async fn create(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path(app_id): Path<String>,
    headers: HeaderMap,
    mut query: Query,
    Body(wanted): Body<MessageIn>,
) -> Result<Response, ApiError> {
    let with_content = query.flag("with_content", true)?;
    query.end()?;
    wanted.check()?;
    let source = api.source(&app_id)?;
    let of_key = match &wanted.event_id {
        Some(_) => None,
        None => idempotency::message_id(&caller, &source, &headers),
    };
    let message = NewMessage {
        source: source.clone(),
        message_id: wanted.event_id.or(of_key.clone()),
        event_type: wanted.event_type,
        payload: Value::Object(wanted.payload),
        destination: None,
    };
    let id = match api.admin().create_message(&caller, message.clone()).await {
        Err(AdminError::Conflict(reason)) => match of_key {
            Some(id) if is_the_same(&api, &id, &message).await? => id,
            _ => return Err(AdminError::Conflict(reason).into()),
        },
        created => created?,
    };
    let event = api.find_message(Some(&source), &id).await?;
    let event = event.ok_or_else(|| AdminError::not_found("message", &id))?;
    let content = match with_content {
        true => content_of(&api, &caller, &event).await?,
        false => no_content(),
    };
    Ok(json(StatusCode::ACCEPTED, &MessageOut::of(event, content)))
}

/// Whether the log has this very message under this id.
async fn is_the_same(api: &Api, id: &str, message: &NewMessage) -> Result<bool, ApiError> {
    let Some(event) = api.find_message(Some(&message.source), id).await? else { return Ok(false) };
    let read = api.admin().logged(&[event.seq], usize::MAX).await?;
    let payload = read.into_iter().flatten().next().and_then(|event| event.payload);
    Ok(event.event_type == message.event_type
        && payload.is_some_and(|payload| Payload::new(payload).json == message.payload))
}
