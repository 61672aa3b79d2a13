//! Replies with JSON.

use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use crate::replies;

/// A reply with this value.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => replies::json(status, text),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "cannot write a reply as JSON");
            replies::error(StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
    }
}

pub(super) fn ok(value: &impl Serialize) -> Response {
    json(StatusCode::OK, value)
}

pub(super) fn no_content() -> StatusCode {
    StatusCode::NO_CONTENT
}
