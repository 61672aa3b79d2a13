//! Events to deliver, and servers to deliver them to.

mod http_service;
mod mail_server;

use std::sync::Arc;
use std::time::Duration;

use clerk_webhooks::catalog;
use deskbell_config::{NOTICE_SOURCE, NOTICE_TYPE};
use deskbell_delivery::{Attempt, Channel, Delivery, Notice, NoticeState, NoticeSubject, Outcome};
use serde_json::{Value as Json, json};
use tokio::time::Instant;

pub(crate) use http_service::{Asked, HttpService, Reply, nowhere};
pub(crate) use mail_server::{MailServer, Received, Rules, certificate};

/// What any of these servers is given to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An event of this type about `data`, as the first attempt at it.
pub(crate) fn delivery(event_type: &str, data: &Json) -> Delivery {
    let body = json!({ "type": event_type, "object": "event", "data": data });
    let event = testkit::event("msg_2a", event_type).at(1_716_883_200_000);
    let event = match data["id"].as_str() {
        Some(id) => event.subject(id),
        None => event,
    };
    let event = event.body(body.to_string()).stored(1);
    Delivery {
        destination: Arc::from("welcome"),
        event,
        attempt: 1,
        first_attempt_ago: None,
        sent_at_seconds: 0,
    }
}

/// The catalog's sample of a type.
pub(crate) fn sample(event_type: &str) -> Json {
    let sample = catalog::find(event_type).unwrap().sample;
    serde_json::from_str::<Json>(sample).unwrap()["data"].take()
}

/// Somebody with this first name.
pub(crate) fn user(first_name: &str) -> Json {
    json!({
        "id": "user_1",
        "object": "user",
        "first_name": first_name,
        "last_name": "Lindqvist",
        "primary_email_address_id": "idn_1",
        "email_addresses": [{ "id": "idn_1", "email_address": "mira@example.com" }],
    })
}

/// A notice of the engine.
pub(crate) fn notice() -> Delivery {
    let about = NoticeSubject {
        kind: "destination.failing".to_owned(),
        destination: Some("crm".to_owned()),
        source: None,
        since_ms: 1_716_883_200_000,
    };
    let (subject, text) = ("crm fails & fails".to_owned(), "It answers 500 <always>.".to_owned());
    let condition = "destination/crm/1716883200000";
    let notice = Notice::new(condition, NoticeState::Firing, &about, subject, text);
    let new = notice.into_event("50", 1_716_883_200_000);
    let mut delivery = delivery(NOTICE_TYPE, &Json::Null);
    delivery.event.source = NOTICE_SOURCE.into();
    delivery.event.message_id = new.message_id;
    delivery.event.payload = new.payload;
    delivery
}

/// Attempts with enough time.
pub(crate) async fn attempt(channel: &(impl Channel + ?Sized), delivery: &Delivery) -> Attempt {
    channel.attempt(delivery, Instant::now() + TIMEOUT).await
}

/// The provider of cryptography, which the program installs in `main`.
pub(crate) fn provider() {
    // Installed already where another test of this process was first.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// An outcome in short: its kind, and the seconds that are asked for.
pub(crate) fn kind(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Delivered => "delivered".to_owned(),
        Outcome::Retry { after: None, .. } => "retry".to_owned(),
        Outcome::Retry { after: Some(after), .. } => format!("retry after {}", after.as_secs()),
        Outcome::Reject { .. } => "reject".to_owned(),
        Outcome::Gone { .. } => "gone".to_owned(),
    }
}

/// Why an attempt did not deliver.
pub(crate) fn reason(attempt: &Attempt) -> &str {
    match &attempt.outcome {
        Outcome::Delivered => "",
        Outcome::Retry { reason, .. } | Outcome::Reject { reason } | Outcome::Gone { reason } => {
            reason
        }
    }
}
