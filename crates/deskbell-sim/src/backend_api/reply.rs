//! Answers of the API: JSON, and errors in Clerk's form.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};
use serde_json::json;

/// What a request is answered with.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
    pub(crate) retry_after: Option<Duration>,
}

impl Reply {
    pub(crate) fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, body: body.into(), retry_after: None }
    }

    /// An error in Clerk's form.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let error = json!({"message": message, "long_message": message, "code": code});
        let body = json!({"errors": [error], "clerk_trace_id": trace_id(message)}).to_string();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, body: body.into(), retry_after: None }
    }

    pub(crate) fn unknown_parameter(name: &str) -> Self {
        Self::error(422, "form_param_unknown", &format!("{name} is not a valid parameter"))
    }

    pub(crate) fn invalid_parameter(name: &str) -> Self {
        Self::error(422, "form_param_value_invalid", &format!("{name} has a value that is invalid"))
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "resource_not_found", "not found")
    }

    pub(crate) fn rate_limited(wait: Duration) -> Self {
        let reply = Self::error(429, "too_many_requests", "Too many requests, retry later");
        Self { retry_after: Some(wait), ..reply }
    }

    /// The response, which says that it is this time; without one, the system's.
    pub(crate) fn into_response(self, now_ms: Option<i64>) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("cf-ray", HeaderValue::from_static("9a0c1d2e3f405162-FRA"));
        if let Some(now_ms) = now_ms.and_then(|now_ms| u64::try_from(now_ms).ok()) {
            let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(now_ms));
            headers.extend(HeaderValue::from_str(&date).map(|date| (DATE, date)));
        }
        if let Some(wait) = self.retry_after {
            // Whole seconds, so that a client that waits for them is not too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn trace_id(message: &str) -> String {
    let hash = message.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
    format!("{hash:032x}")
}
