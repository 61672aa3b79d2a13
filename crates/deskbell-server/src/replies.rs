//! What a stranger reads: status codes and bodies of the public routes, all of them here. It says less
//! than the log.

use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

/// After how many seconds a sender may try again when we could not take its event.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A request to the webhook route that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The signature, or something it rests on, is not good.
    VerificationFailed,
    /// Authentic, but not a JSON object with a `type`, or its message id is too long to be kept.
    NotAnEvent,
    /// Events may not come from this address.
    Forbidden,
    /// The body is over the limit.
    TooLarge,
    /// The body did not come in time.
    TooSlow,
    /// The sender went away in the middle of its body.
    Incomplete,
    /// Too much is waiting, or the store cannot write.
    Overloaded,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::VerificationFailed | Self::NotAnEvent | Self::Incomplete => {
                StatusCode::BAD_REQUEST
            }
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code in the reply's body.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::VerificationFailed => "verification_failed",
            Self::NotAnEvent => "not_an_event",
            Self::Forbidden => "forbidden",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Incomplete => "incomplete",
            Self::Overloaded => "overloaded",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut reply = error(self.status(), self.code());
        if self == Self::Overloaded {
            reply.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
        }
        reply
    }
}

/// The event is durable.
pub(crate) fn received() -> Response {
    json(StatusCode::OK, r#"{"received":true}"#)
}

/// The reply, after which the connection ends.
pub(crate) fn closing(mut reply: Response) -> Response {
    reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    reply
}

/// A request that is no good HTTP.
pub(crate) fn malformed() -> Response {
    error(StatusCode::BAD_REQUEST, "malformed")
}

pub(crate) fn not_found() -> Response {
    error(StatusCode::NOT_FOUND, "not_found")
}

/// A webhook path, but not a POST.
pub(crate) fn only_post() -> Response {
    method_not_allowed("POST")
}

/// A page that is only read.
pub(crate) async fn only_get() -> Response {
    method_not_allowed("GET, HEAD")
}

fn method_not_allowed(allow: &'static str) -> Response {
    let mut reply = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    reply
}

pub(crate) fn error(status: StatusCode, code: &str) -> Response {
    json(status, format!(r#"{{"error":"{code}"}}"#))
}

/// A reply with this JSON text.
pub(crate) fn json(status: StatusCode, text: impl Into<axum::body::Body>) -> Response {
    let mut reply = Response::new(text.into());
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    reply
}
