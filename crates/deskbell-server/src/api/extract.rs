//! What handlers take of a request, and what they answer with.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use deskbell_admin::{Admin, Caller};
use http::StatusCode;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::entities::Entities;
use crate::problem::Problem;
use crate::replies;

/// Bytes of a name or an id in the path; nothing has a longer one.
const SEGMENT_BYTES_MAX: usize = 500;

/// What all handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Api {
    pub(crate) admin: Arc<dyn Admin>,
    pub(crate) entities: Arc<Entities>,
    /// The description of all routes, as JSON.
    pub(crate) description: Bytes,
}

/// A name or an id in the path, decoded.
pub(super) struct Segment(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let is_good = |segment: &String| segment.len() <= SEGMENT_BYTES_MAX;
        match path.ok().map(|Path(segment)| segment).filter(is_good) {
            Some(segment) => Ok(Self(segment)),
            None => Err(Problem::not_found("nothing has such a name")),
        }
    }
}

/// Who asks: the guard has found it out.
pub(super) struct By(pub(super) Caller);

impl<S: Send + Sync> FromRequestParts<S> for By {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.map(Self).ok_or_else(Problem::unauthorized)
    }
}

/// A body of JSON.
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let invalid =
            |detail: String| Problem::new(StatusCode::BAD_REQUEST, "invalid_body", detail);
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|error| invalid(error.to_string()))?;
        let read = serde_json::from_slice(&body);
        read.map(Self).map_err(|error| invalid(format!("the body is not as expected: {error}")))
    }
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
