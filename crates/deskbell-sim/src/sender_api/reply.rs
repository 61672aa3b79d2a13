//! Answers: Svix's two forms of errors, and Clerk's.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::backend_api::reply::Reply as ClerkReply;

/// What a request is answered with.
#[derive(Debug, Clone)]
pub(crate) struct Reply(ClerkReply);

impl Reply {
    pub(crate) fn ok(body: &Value) -> Self {
        Self::of(200, body)
    }

    pub(crate) fn ok_body(body: Bytes) -> Self {
        Self(ClerkReply::ok(body))
    }

    pub(crate) fn of(status: u16, body: &Value) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(ClerkReply { status, ..ClerkReply::ok(body.to_string()) })
    }

    pub(crate) fn error(status: u16, code: &str, detail: &str) -> Self {
        Self::of(status, &json!({"code": code, "detail": detail}))
    }

    /// 422: a value of the request is not valid.
    pub(crate) fn invalid(place: [&str; 2], message: &str) -> Self {
        let item = json!({"loc": place, "msg": message, "type": "value_error"});
        Self::of(422, &json!({"detail": [item]}))
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "not_found", "Entity not found")
    }

    pub(crate) fn forbidden() -> Self {
        let detail = "Insufficient access for the given operation.";
        Self::error(403, "insufficient_access", detail)
    }

    pub(crate) fn clerk_error(status: u16, code: &str, message: &str) -> Self {
        Self(ClerkReply::error(status, code, message))
    }

    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let reply = Self::error(429, "rate_limit", "Too many requests");
        Self(ClerkReply { retry_after: Some(wait), ..reply.0 })
    }

    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        self.0.into_response(None)
    }
}
