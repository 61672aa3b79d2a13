//! Messages and attempts: listed, and sent again.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::listing::{Query, page};
use super::reply::Reply;
use super::request::SenderRequest;
use super::routes::AppRoute;
use super::shared::Shared;
use super::state::{SentAttempt, SentMessage, random_id};

/// The answer, if the route is one of messages.
pub(crate) fn reply(
    shared: &Arc<Shared>,
    request: &SenderRequest,
    route: &AppRoute<'_>,
) -> Option<Reply> {
    let reply = match route {
        AppRoute::Messages => list(shared, request),
        AppRoute::Message(id) => one(shared, request, id),
        AppRoute::Attempts(id) => attempts(shared, request, id),
        AppRoute::Resend { message, endpoint } => resend(shared, message, endpoint),
        AppRoute::Recover(id) => {
            send_where(shared, id, &request.body, "endpoint.recover", is_failed)
        }
        AppRoute::ReplayMissing(id) if shared.options.has_replay_missing => {
            send_where(shared, id, &request.body, "endpoint.replay", is_missing)
        }
        // An application's own token may not do it.
        AppRoute::SendExample(_) => Ok(Reply::forbidden()),
        _ => return None,
    };
    Some(reply.unwrap_or_else(|error| error))
}

fn list(shared: &Shared, request: &SenderRequest) -> Result<Reply, Reply> {
    let with_content = Query::of(request).get("with_content") != Some("false");
    let messages = shared.state().messages.clone();
    page(messages.iter().rev(), request, |message| message.json(with_content))
}

fn one(shared: &Shared, request: &SenderRequest, id: &str) -> Result<Reply, Reply> {
    let with_content = Query::of(request).get("with_content") != Some("false");
    let state = shared.state();
    let found = state.messages.iter().find(|message| message.id == id);
    found.map(|message| Reply::ok(&message.json(with_content))).ok_or_else(Reply::not_found)
}

fn attempts(shared: &Shared, request: &SenderRequest, id: &str) -> Result<Reply, Reply> {
    let state = shared.state();
    let endpoint_id = state.endpoint(id).ok_or_else(Reply::not_found)?.id.clone();
    let attempts: Vec<_> =
        state.attempts.iter().filter(|attempt| attempt.endpoint_id == endpoint_id).collect();
    page(attempts.into_iter().rev(), request, SentAttempt::json)
}

fn resend(shared: &Arc<Shared>, message: &str, endpoint: &str) -> Result<Reply, Reply> {
    let state = shared.state();
    let endpoint = state.endpoint(endpoint).ok_or_else(Reply::not_found)?.clone();
    let message = state.messages.iter().find(|found| found.id == message);
    let message = message.ok_or_else(Reply::not_found)?.clone();
    drop(state);
    if message.body.is_none() {
        return Err(Reply::error(400, "missing_payload", "Unable to resend message."));
    }
    shared.send(&endpoint, &message);
    Ok(Reply::of(202, &json!({})))
}

/// Sends the messages of a time again to which this applies, by the attempts to send each to the endpoint.
fn send_where(
    shared: &Arc<Shared>,
    endpoint: &str,
    body: &str,
    task: &str,
    applies: fn(&[&SentAttempt]) -> bool,
) -> Result<Reply, Reply> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let time = |name: &str| body[name].as_str()?.parse::<Timestamp>().ok();
    let since = time("since").ok_or_else(|| Reply::invalid(["body", "since"], "missing field"))?;
    let until = time("until").unwrap_or(Timestamp::MAX);
    let range = since.as_millisecond()..until.as_millisecond();
    let state = shared.state();
    let endpoint = state.endpoint(endpoint).ok_or_else(Reply::not_found)?.clone();
    let mut seen = HashSet::new();
    let to_send: Vec<SentMessage> = state
        .messages
        .iter()
        .filter(|message| range.contains(&message.at_ms) && message.body.is_some())
        .filter(|message| {
            let of_both = |attempt: &&SentAttempt| {
                attempt.message_id == message.id && attempt.endpoint_id == endpoint.id
            };
            applies(&state.attempts.iter().filter(of_both).collect::<Vec<_>>())
        })
        .filter(|message| seen.insert(message.id.clone()))
        .cloned()
        .collect();
    drop(state);
    for message in &to_send {
        shared.send(&endpoint, message);
    }
    let updated_at = "2026-01-01T00:00:00Z";
    let id = random_id("qtask");
    Ok(Reply::of(
        202,
        &json!({"id": id, "status": "running", "task": task, "updatedAt": updated_at}),
    ))
}

fn is_failed(attempts: &[&SentAttempt]) -> bool {
    !attempts.is_empty() && !attempts.iter().any(|attempt| attempt.is_success())
}

fn is_missing(attempts: &[&SentAttempt]) -> bool {
    attempts.is_empty()
}
