//! The endpoints that a message goes to, each with what became of it there.

use axum::Extension;
use axum::extract::{Path, State};
use axum::response::Response;
use deskbell_admin::{Caller, DeliveryView, Endpoint, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::svix::api::Api;
use crate::svix::endpoints::output::EndpointOut;
use crate::svix::errors::ApiError;
use crate::svix::pages::{ListOut, PageRequest};
use crate::svix::query::Query;
use crate::svix::replies::ok;
use crate::svix::status::MessageStatus;

/// An endpoint, and whether the message was delivered to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageEndpointOut)]
pub(in crate::svix) struct AttemptedEndpointOut {
    #[serde(flatten)]
    endpoint: EndpointOut,
    #[schema(value_type = u16)]
    status: MessageStatus,
    status_text: String,
    next_attempt: Option<Timestamp>,
}

impl AttemptedEndpointOut {
    fn of(endpoint: Endpoint, delivery: &DeliveryView) -> Self {
        let status = MessageStatus::of_delivery(&delivery.state, delivery.attempts.len());
        let is_pending = matches!(status, MessageStatus::Pending | MessageStatus::Sending);
        Self {
            endpoint: endpoint.into(),
            status,
            status_text: status.text().to_owned(),
            next_attempt: delivery.at.filter(|_| is_pending),
        }
    }
}

/// List the endpoints that a message goes to, in the order of their ids.
#[utoipa::path(
    get, path = "/api/v1/app/{app_id}/msg/{msg_id}/endpoint", tag = "Message attempt",
    params(
        ("app_id" = String, Path), ("msg_id" = String, Path),
        ("limit" = Option<u32>, Query, description = "1 to 250; 50 where nothing is said"),
        ("iterator" = Option<String>, Query),
    ),
    responses((status = 200, body = ListOut<AttemptedEndpointOut>)),
)]
pub(in crate::svix) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    Path((app_id, message_id)): Path<(String, String)>,
    mut query: Query,
) -> Result<Response, ApiError> {
    let request = PageRequest::of(&mut query)?;
    query.end()?;
    let event = api.message(&app_id, &message_id).await?;
    let details = api.admin().event(Some(&event.source), &event.message_id).await?;
    let endpoints = api.endpoints(&event.source, &caller).await?.into_iter();
    let attempted = endpoints.filter_map(|endpoint| {
        let delivery = details.deliveries.iter().find(|one| one.destination == endpoint.id)?;
        Some(AttemptedEndpointOut::of(endpoint, delivery))
    });
    let mut attempted: Vec<_> = attempted.collect();
    attempted.sort_unstable_by(|a, b| a.endpoint.id.cmp(&b.endpoint.id));
    Ok(ok(&request.page(attempted, |attempted| &attempted.endpoint.id)))
}
