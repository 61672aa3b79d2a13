//! The outcome of an attempt, and the one function that derives it from a reply.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

/// The longest wait that a receiver may ask for; a longer one counts as this.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// The header by which a receiver ends the attempts at a message.
const DELIVERY_CONTROL: &str = "webhook-delivery";
const ABORT_MESSAGE: &str = "abort-message";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub outcome: Outcome,
    pub status: Option<u16>,
    /// The first bytes of the reply.
    pub reply: Bytes,
}

/// What an attempt means for its delivery. Reasons are shown to users and contain no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// A later attempt may succeed.
    Retry {
        /// The shortest wait that the receiver asks for.
        after: Option<Duration>,
        reason: String,
    },
    /// No attempt at this message will succeed.
    Reject {
        reason: String,
    },
    /// The receiver is gone for good: the destination is disabled.
    Gone {
        reason: String,
    },
}

impl Attempt {
    #[must_use]
    pub fn without_reply(outcome: Outcome) -> Self {
        Self { outcome, status: None, reply: Bytes::new() }
    }

    /// A failure without a reply; a later attempt may succeed.
    #[must_use]
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::without_reply(Outcome::Retry { after: None, reason: reason.into() })
    }

    #[must_use]
    pub fn rejected(reason: impl Into<String>) -> Self {
        Self::without_reply(Outcome::Reject { reason: reason.into() })
    }
}

/// The outcome of a reply with this status and these headers, at the time `now`.
///
/// 2xx is success. 410 means that the receiver is gone. `webhook-delivery: abort-message` ends the
/// attempts at this message. Everything else may succeed later, redirects included: they are not
/// followed. `Retry-After` is in seconds or a date, at most 24 hours; an invalid one is ignored.
#[must_use]
pub fn reply_outcome(status: StatusCode, headers: &HeaderMap, now: SystemTime) -> Outcome {
    if status.is_success() {
        return Outcome::Delivered;
    }
    let reason = reason(status);
    if status == StatusCode::GONE {
        return Outcome::Gone { reason };
    }
    let abort = headers.get_all(DELIVERY_CONTROL).iter().any(|value| {
        value.to_str().is_ok_and(|value| value.trim().eq_ignore_ascii_case(ABORT_MESSAGE))
    });
    if abort {
        return Outcome::Reject { reason: format!("{reason}, and asked for no more attempts") };
    }
    Outcome::Retry { after: retry_after(headers, now), reason }
}

fn reason(status: StatusCode) -> String {
    let name = status.canonical_reason().map(|name| format!(" {name}")).unwrap_or_default();
    let redirect = if status.is_redirection() { ", and redirects are not followed" } else { "" };
    format!("the receiver answered {}{name}{redirect}", status.as_u16())
}

/// What `Retry-After` asks for; `None` if it is missing, in the past, or invalid.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number can hold are a long time.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).ok()?
    };
    Some(wait.min(RETRY_AFTER_MAX))
}
