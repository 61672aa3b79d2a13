//! What handlers take of a request, and what they answer with.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::entities::Entities;
use crate::problem::Problem;
use crate::replies;

/// What all handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) entities: Arc<Entities>,
}

/// A value as JSON, with a status.
#[derive(Debug)]
pub(super) struct Answer<T>(pub(super) StatusCode, pub(super) T);

impl<T> Answer<T> {
    pub(super) fn ok(value: T) -> Self {
        Self(StatusCode::OK, value)
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.1) {
            Ok(json) => replies::json(self.0, json),
            Err(error) => {
                let detail = "the answer cannot be written as JSON";
                let cause = error.to_string();
                Problem::unavailable("unavailable", detail, cause).into_response()
            }
        }
    }
}

/// What most handlers return.
pub(super) type Answered<T> = Result<Answer<T>, Problem>;
