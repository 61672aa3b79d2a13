//! Why a request was not answered, in the shape that Svix's clients read.

use axum::response::{IntoResponse, Response};
use deskbell_admin::AdminError;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::replies::json;
use crate::problem::Problem;

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// A part of the request makes no sense, or asks for what Deskbell would have to ignore.
    Invalid(ValidationError),
    Other(Problem),
}

/// Where in the request something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    Header,
    Query,
}

/// What 422 answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SvixValidationErrors)]
pub(super) struct ValidationErrorsOut {
    pub(super) detail: Vec<ValidationError>,
}

/// A part of the request that was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SvixValidationError)]
pub(super) struct ValidationError {
    /// Such as `["body", "url"]`.
    pub(super) loc: Vec<String>,
    pub(super) msg: String,
    #[serde(rename = "type")]
    pub(super) error_type: String,
}

impl ApiError {
    pub(super) fn invalid(part: Part, name: &str, message: impl Into<String>) -> Self {
        let part = match part {
            Part::Body => "body",
            Part::Header => "header",
            Part::Query => "query",
        };
        // A path such as `headers.x-tenant` names a member in a member.
        let names = name.split('.').filter(|name| !name.is_empty() && *name != "?");
        let loc = [part].into_iter().chain(names).map(str::to_owned).collect();
        let error_type = "value_error".to_owned();
        Self::Invalid(ValidationError { loc, msg: message.into(), error_type })
    }

    pub(super) fn not_found(kind: &str, name: &str) -> Self {
        AdminError::not_found(kind, name).into()
    }

    pub(super) fn conflict(detail: impl Into<String>) -> Self {
        Self::refused(StatusCode::CONFLICT, "conflict", detail)
    }

    pub(super) fn not_implemented(reason: &str) -> Self {
        Self::refused(StatusCode::NOT_IMPLEMENTED, "not_implemented", reason)
    }

    pub(super) fn too_large(detail: impl Into<String>) -> Self {
        Self::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    fn refused(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Other(Problem::new(status, code, detail))
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        match error {
            AdminError::Invalid { field, message } => {
                let (part, name) = field_in_request(field);
                Self::invalid(part, name, message)
            }
            AdminError::ReadOnly(detail) => {
                Self::refused(StatusCode::FORBIDDEN, "read_only", detail)
            }
            AdminError::NotSupported(detail) => Self::not_implemented(&detail),
            other => Self::Other(other.into()),
        }
    }
}

/// Where Svix's clients send what Deskbell knows by this name.
fn field_in_request(field: &'static str) -> (Part, &'static str) {
    match field {
        "cursor" => (Part::Query, "iterator"),
        "events" => (Part::Body, "eventTypes"),
        "rate_limit" => (Part::Body, "throttleRate"),
        other => (Part::Body, other),
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        match self {
            Self::Invalid(error) => {
                let errors = ValidationErrorsOut { detail: vec![error] };
                json(StatusCode::UNPROCESSABLE_ENTITY, &errors)
            }
            Self::Other(problem) => {
                let mut reply = problem.into_response();
                // Some of the clients read no other type.
                let json = HeaderValue::from_static("application/json");
                reply.headers_mut().insert(CONTENT_TYPE, json);
                reply
            }
        }
    }
}
