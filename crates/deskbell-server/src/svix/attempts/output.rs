//! An attempt, as Svix's clients read it.

use std::collections::BTreeMap;

use deskbell_admin::{AttemptView, Caller, Endpoint, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::svix::messages::output::MessageOut;
use crate::svix::status::MessageStatus;

/// One try to deliver a message to an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MessageAttemptOut)]
pub(in crate::svix) struct AttemptOut {
    /// The number of the message's event.
    #[serde(skip)]
    pub(in crate::svix) seq: i64,
    id: String,
    msg_id: String,
    endpoint_id: String,
    /// The endpoint's URL of now.
    url: String,
    /// What was answered, or why nothing was; empty where no content was asked for.
    response: String,
    /// 0 where nothing was answered.
    response_status_code: u16,
    response_duration_ms: u64,
    #[schema(value_type = u16)]
    status: MessageStatus,
    status_text: String,
    /// Always 0: whether somebody asked for it is not known.
    trigger_type: u16,
    timestamp: Timestamp,
    /// The message, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::svix) msg: Option<MessageOut>,
}

impl AttemptOut {
    pub(in crate::svix) fn of(attempt: AttemptView, url: String, with_content: bool) -> Self {
        let status = MessageStatus::from(attempt.result);
        let response = match attempt.status {
            Some(_) => attempt.reply,
            None => attempt.error,
        };
        Self {
            seq: attempt.seq,
            id: attempt.id,
            msg_id: attempt.message_id,
            endpoint_id: attempt.destination,
            url,
            response: response.filter(|_| with_content).unwrap_or_default(),
            response_status_code: attempt.status.unwrap_or_default(),
            response_duration_ms: attempt.took_ms,
            status,
            status_text: status.text().to_owned(),
            trigger_type: 0,
            timestamp: attempt.started_at,
            msg: None,
        }
    }
}

/// The attempts at these endpoints, as far as whoever asks may see them.
pub(in crate::svix) fn at_endpoints(
    attempts: Vec<AttemptView>,
    endpoints: Vec<Endpoint>,
    caller: &Caller,
    with_content: bool,
) -> Vec<AttemptOut> {
    let endpoints = endpoints.into_iter().map(|endpoint| (endpoint.id, endpoint.settings.url));
    let urls: BTreeMap<_, _> = endpoints.collect();
    let attempts = attempts.into_iter().filter_map(|attempt| {
        let url = urls.get(&attempt.destination)?.clone();
        Some(AttemptOut::of(attempt.for_caller(caller), url, with_content))
    });
    attempts.collect()
}
