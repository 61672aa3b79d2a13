//! Resend: <https://resend.com/docs/api-reference/emails/send-email>.

use std::time::Duration;

use deskbell_config::{HttpUrl, SecretText};
use http::{HeaderValue, Method, StatusCode};
use lettre::message::Mailbox;
use serde_json::{Value as Json, json};
use tokio::time::Instant;
use url::Url;

use super::compose::Email;
use crate::api::{Api, ApiReply, ApiRequest, base_url_or, bearer, endpoint};
use crate::attempt::{Attempt, Outcome};
use crate::channel::{ChannelError, Delivery};
use crate::idempotency;

/// Where Resend's API is.
const RESEND_BASE_URL: &str = "https://api.resend.com";

const KEY_CHARS_MAX: usize = 256;
/// How long Resend remembers a key (24 hours), less what an attempt and two clocks may take.
const KEY_REMEMBERED: Duration = Duration::from_secs(24 * 3_600 - 5 * 60);

#[derive(Debug)]
pub(super) struct Resend {
    api: Api,
    url: Url,
    authorization: HeaderValue,
}

impl Resend {
    pub(super) fn new(
        api_key: &SecretText,
        base_url: Option<&HttpUrl>,
        proxy: Option<&HttpUrl>,
    ) -> Result<Self, ChannelError> {
        let base_url = base_url_or(base_url, RESEND_BASE_URL);
        Ok(Self {
            api: Api::new("Resend", api_key.clone(), proxy)?,
            url: endpoint(&base_url, "emails"),
            authorization: bearer(api_key)?,
        })
    }

    pub(super) async fn attempt(
        &self,
        delivery: &Delivery,
        email: &Email,
        deadline: Instant,
    ) -> Attempt {
        if delivery.first_attempt_ago.is_some_and(|ago| ago >= KEY_REMEMBERED) {
            return Attempt::rejected(
                "an earlier attempt may have been accepted, and Resend no longer remembers it: \
                 another one could send the email twice",
            );
        }
        let key =
            idempotency::key(&delivery.destination, &delivery.event.message_id, KEY_CHARS_MAX);
        let request = ApiRequest {
            method: Method::POST,
            url: self.url.clone(),
            authorization: Some(&self.authorization),
            idempotency_key: Some(key),
            body: &body(email),
        };
        self.api.attempt(request, deadline, |reply| self.outcome(reply)).await
    }

    /// What follows from a reply, as <https://resend.com/docs/api-reference/errors> has it.
    fn outcome(&self, reply: &ApiReply) -> Outcome {
        if reply.status.is_success() {
            return Outcome::Delivered;
        }
        let name = reply.member("name").unwrap_or_default();
        let reason = self.api.reason(reply, &reply.member("message").unwrap_or_default());
        // A key is put right in the config or at Resend, and the email is still pending.
        let about_the_key = reply.status == StatusCode::UNAUTHORIZED || name == "invalid_api_key";
        let in_progress = name == "concurrent_idempotent_requests";
        let busy = matches!(
            reply.status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS | StatusCode::TOO_EARLY
        );
        if reply.status.is_client_error() && !(about_the_key || in_progress || busy) {
            return Outcome::Reject { reason };
        }
        reply.retry(reason)
    }
}

fn body(email: &Email) -> Json {
    let list = |mailboxes: &[Mailbox]| {
        mailboxes.iter().map(|mailbox| Json::from(mailbox.to_string())).collect::<Vec<_>>()
    };
    let mut body = json!({
        "from": email.from.to_string(),
        "to": list(&email.to),
        "subject": email.subject,
    });
    if !email.reply_to.is_empty() {
        body["reply_to"] = list(&email.reply_to).into();
    }
    for (name, part) in [("text", &email.text), ("html", &email.html)] {
        if let Some(part) = part {
            body[name] = part.as_str().into();
        }
    }
    body
}
