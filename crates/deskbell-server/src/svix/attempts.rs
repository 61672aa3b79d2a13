//! Attempts at deliveries to endpoints.

pub(super) mod attempted_endpoints;
pub(super) mod attempted_messages;
mod output;
mod wanted;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{AttemptPage, AttemptQuery, Caller, Timestamp};

use self::output::{AttemptOut, at_endpoints};
use self::wanted::{Wanted, page};
use super::api::Api;
use super::errors::ApiError;
use super::messages::content::no_content;
use super::messages::output::MessageOut;
use super::pages::ListOut;
use super::query::Query;
use super::replies::ok;

/// Why replies are not deleted here.
pub(super) const KEPT: &str = "replies leave the store by `retention`";

/// List the attempts at an endpoint, the newest first.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/attempt/endpoint/{endpoint_id}", tag = "Message attempt",
    params(
        ("app_id" = String, Path), ("endpoint_id" = String, Path),
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("status" = Option<u16>, Query, description = "0 succeeded, 2 failed; no attempt has another one"),
        ("status_code_class" = Option<u16>, Query, description = "100, 200, 300, 400 or 500"),
        ("event_types" = Option<Vec<String>>, Query),
        ("before" = Option<Timestamp>, Query), ("after" = Option<Timestamp>, Query),
        ("with_content" = Option<bool>, Query, description = "With replies: `true` where nothing is said"),
        ("with_msg" = Option<bool>, Query, description = "With the messages, without their payloads"),
        ("expanded_statuses" = Option<bool>, Query, description = "Nothing is ever cancelled"),
    ),
    responses((status = 200, body = ListOut<AttemptOut>)),
)]
pub(super) async fn by_endpoint(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let mut wanted = Wanted::of(&mut query)?;
    let with_message = query.flag("with_msg", false)?;
    query.end()?;
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    wanted.attempts.source = Some(source);
    wanted.attempts.destination = Some(endpoint.id.clone());
    let found = find(&api, &wanted).await?;
    let mut list = page(
        at_endpoints(found.attempts, vec![endpoint], &caller, wanted.with_content),
        found.next,
    );
    if with_message {
        add_messages(&api, &mut list.data).await?;
    }
    Ok(ok(&list))
}

/// List the attempts to deliver a message to endpoints, the newest first.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/attempt/msg/{msg_id}", tag = "Message attempt",
    params(
        ("app_id" = String, Path), ("msg_id" = String, Path),
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("status" = Option<u16>, Query, description = "0 succeeded, 2 failed; no attempt has another one"),
        ("status_code_class" = Option<u16>, Query, description = "100, 200, 300, 400 or 500"),
        ("event_types" = Option<Vec<String>>, Query),
        ("endpoint_id" = Option<String>, Query),
        ("before" = Option<Timestamp>, Query), ("after" = Option<Timestamp>, Query),
        ("with_content" = Option<bool>, Query, description = "With replies: `true` where nothing is said"),
        ("expanded_statuses" = Option<bool>, Query, description = "Nothing is ever cancelled"),
    ),
    responses((status = 200, body = ListOut<AttemptOut>)),
)]
pub(super) async fn by_message(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, message_id)): Path<(String, String)>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let mut wanted = Wanted::of(&mut query)?;
    let endpoint_id = query.text("endpoint_id")?;
    query.end()?;
    let event = api.message(&app_id, &message_id).await?;
    if let Some(endpoint_id) = endpoint_id {
        let (_, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
        wanted.attempts.destination = Some(endpoint.id);
    }
    let endpoints = api.endpoints(&event.source, &caller).await?;
    wanted.attempts.source = Some(event.source);
    wanted.attempts.message_id = Some(event.message_id);
    let found = find(&api, &wanted).await?;
    let attempts = at_endpoints(found.attempts, endpoints, &caller, wanted.with_content);
    Ok(ok(&page(attempts, found.next)))
}

/// Get an attempt.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/attempt/{attempt_id}", tag = "Message attempt",
    params(
        ("app_id" = String, Path), ("msg_id" = String, Path), ("attempt_id" = String, Path),
        ("expanded_statuses" = Option<bool>, Query, description = "Nothing is ever cancelled"),
    ),
    responses((status = 200, body = AttemptOut)),
)]
pub(super) async fn get(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, message_id, attempt_id)): Path<(String, String, String)>,
    mut query: Query,
) -> Result<Response, ApiError> {
    query.flag("expanded_statuses", true)?;
    query.end()?;
    let source = api.source(&app_id)?;
    let attempt = api.admin().attempt(&attempt_id).await?;
    let unknown = || ApiError::not_found("attempt", &attempt_id);
    if attempt.source != source || attempt.message_id != message_id {
        return Err(unknown());
    }
    let endpoints = api.endpoints(&source, &caller).await?;
    let found = at_endpoints(vec![attempt], endpoints, &caller, true);
    Ok(ok(&found.into_iter().next().ok_or_else(unknown)?))
}

/// The attempts that are asked for: none where no attempt has that status.
async fn find(api: &Api, wanted: &Wanted) -> Result<AttemptPage, ApiError> {
    let result = match wanted.status {
        None => None,
        Some(status) => match status.result() {
            None => return Ok(AttemptPage { attempts: Vec::new(), next: None }),
            result => result,
        },
    };
    let query = AttemptQuery { result, ..wanted.attempts.clone() };
    Ok(api.admin().attempts(&query).await?)
}

/// Adds the message of each attempt, without its payload.
async fn add_messages(api: &Api, attempts: &mut [AttemptOut]) -> Result<(), ApiError> {
    let seqs: Vec<_> = attempts.iter().map(|attempt| attempt.seq).collect();
    let events = api.admin().logged(&seqs, 0).await?;
    for (attempt, event) in attempts.iter_mut().zip(events) {
        attempt.msg = event.map(|event| MessageOut::of(event.summary, no_content()));
    }
    Ok(())
}
