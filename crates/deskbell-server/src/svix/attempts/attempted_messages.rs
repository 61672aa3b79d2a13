//! The messages that were attempted at an endpoint, each with what became of it there.

use std::collections::BTreeSet;

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{
    AttemptQuery, AttemptResult, AttemptView, Caller, DeadLetterQuery, DeliveryCounts,
    EventSummary, Timestamp,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::wanted::{Wanted, page};
use crate::svix::api::Api;
use crate::svix::errors::ApiError;
use crate::svix::messages::content::PAYLOADS_BYTES_MAX;
use crate::svix::messages::output::MessageOut;
use crate::svix::pages::ListOut;
use crate::svix::query::Query;
use crate::svix::replies::ok;
use crate::svix::status::MessageStatus;

/// A message, and whether it was delivered to the endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EndpointMessageOut)]
pub(in crate::svix) struct AttemptedMessageOut {
    #[serde(flatten)]
    message: MessageOut,
    #[schema(value_type = u16)]
    status: MessageStatus,
    status_text: String,
    /// Always null: `GET …/msg/{msg_id}/endpoint` knows it.
    next_attempt: Option<Timestamp>,
}

/// List the messages that were attempted at an endpoint, those that were attempted last first.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/endpoint/{endpoint_id}/msg", tag = "Message attempt",
    params(
        ("app_id" = String, Path), ("endpoint_id" = String, Path),
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
        ("status" = Option<u16>, Query, description = "0 delivered, 1 pending, 2 failed"),
        ("event_types" = Option<Vec<String>>, Query),
        ("before" = Option<Timestamp>, Query, description = "Attempted before this time"),
        ("after" = Option<Timestamp>, Query, description = "Attempted after this time"),
        ("with_content" = Option<bool>, Query, description = "With payloads: `true` where nothing is said"),
        ("expanded_statuses" = Option<bool>, Query, description = "Nothing is ever cancelled"),
    ),
    responses((status = 200, body = ListOut<AttemptedMessageOut>)),
)]
pub(in crate::svix) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, endpoint_id)): Path<(String, String)>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let mut wanted = Wanted::of(&mut query)?;
    query.end()?;
    let (source, endpoint) = api.endpoint(&app_id, &endpoint_id).await?;
    wanted.attempts.source = Some(source);
    wanted.attempts.destination = Some(endpoint.id);
    let is_first = wanted.begins_with_newest();
    let found = api.admin().attempts(&wanted.attempts).await?;
    // Of several attempts at one message the newest comes first.
    let (mut newest, mut seen) = (Vec::new(), BTreeSet::new());
    for attempt in found.attempts {
        if seen.insert(attempt.seq) && (is_first || is_newest(&api, &attempt).await?) {
            newest.push(attempt);
        }
    }
    let seqs: Vec<_> = newest.iter().map(|attempt| attempt.seq).collect();
    let payload_bytes_max = if wanted.with_content { PAYLOADS_BYTES_MAX } else { 0 };
    let events = api.admin().logged(&seqs, payload_bytes_max).await?;
    let mut messages = Vec::new();
    for (attempt, event) in newest.into_iter().zip(events) {
        let Some(event) = event else { continue };
        let status = status(&api, &attempt, &event.summary).await?;
        if wanted.status.is_none_or(|wanted| wanted == status) {
            messages.push(AttemptedMessageOut {
                message: MessageOut::of_logged(event, &caller, wanted.with_content),
                status,
                status_text: status.text().to_owned(),
                next_attempt: None,
            });
        }
    }
    Ok(ok(&page(messages, found.next)))
}

/// Whether there is no later attempt at the message, which another page has.
async fn is_newest(api: &Api, attempt: &AttemptView) -> Result<bool, ApiError> {
    let query = AttemptQuery {
        source: Some(attempt.source.clone()),
        destination: Some(attempt.destination.clone()),
        message_id: Some(attempt.message_id.clone()),
        limit: 1,
        ..AttemptQuery::default()
    };
    let newest = api.admin().attempts(&query).await?.attempts.into_iter().next();
    Ok(newest.is_none_or(|newest| newest.id == attempt.id))
}

/// What became of the message after its newest attempt.
async fn status(
    api: &Api,
    newest: &AttemptView,
    event: &EventSummary,
) -> Result<MessageStatus, ApiError> {
    if newest.result == AttemptResult::Delivered {
        return Ok(MessageStatus::Success);
    }
    // Only where the message failed at one destination and is pending at another, it is not known.
    match event.delivery_counts {
        Some(DeliveryCounts { dead_lettered: 0, .. }) => return Ok(MessageStatus::Pending),
        Some(DeliveryCounts { pending: 0, .. }) => return Ok(MessageStatus::Fail),
        _ => {}
    }
    let query = DeadLetterQuery {
        destination: Some(newest.destination.clone()),
        id: Some(newest.message_id.clone()),
        limit: 10,
        ..DeadLetterQuery::default()
    };
    let dead_letters = api.admin().dead_letters(&query).await?;
    let is_of_message = |source: &str, id: &str| source == newest.source && id == newest.message_id;
    let is_dead = dead_letters.iter().any(|one| is_of_message(&one.source, &one.message_id));
    Ok(if is_dead { MessageStatus::Fail } else { MessageStatus::Pending })
}
