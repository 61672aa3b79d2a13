//! Why a request was not answered, in the shape that Svix's clients read.

use axum::response::{IntoResponse, Response};
use deskbell_admin::AdminError;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::replies::json;
use crate::once_a_minute::OnceAMinute;

/// After how many seconds a client may try again where the store cannot be used.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ApiError {
    /// A part of the request makes no sense, or asks for what Deskbell would have to ignore.
    Invalid(ValidationError),
    Refused {
        status: StatusCode,
        code: &'static str,
        detail: String,
    },
    /// The reason is for the log.
    Unavailable(String),
}

/// Where in the request something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    Header,
    Query,
}

/// What every error but 422 answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SvixError)]
pub(super) struct ErrorOut {
    /// A short code, such as `not_found`.
    pub(super) code: String,
    /// In plain words.
    pub(super) detail: String,
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
        Self::Refused { status, code, detail: detail.into() }
    }
}

impl From<AdminError> for ApiError {
    fn from(error: AdminError) -> Self {
        let detail = error.to_string();
        match error {
            AdminError::NotFound(_) => Self::refused(StatusCode::NOT_FOUND, "not_found", detail),
            AdminError::Invalid { field, message } => {
                let (part, name) = field_in_request(field);
                Self::invalid(part, name, message)
            }
            AdminError::Conflict(_) => Self::conflict(detail),
            AdminError::ReadOnly(_) => Self::refused(StatusCode::FORBIDDEN, "read_only", detail),
            AdminError::NotSupported(_) => Self::not_implemented(&detail),
            AdminError::Unavailable(reason) => Self::Unavailable(reason),
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
            Self::Refused { status, code, detail } => {
                json(status, &ErrorOut { code: code.to_owned(), detail })
            }
            Self::Unavailable(reason) => {
                report(&reason);
                let detail = "the store cannot be used now; try again".to_owned();
                let error = ErrorOut { code: "unavailable".to_owned(), detail };
                let mut reply = json(StatusCode::SERVICE_UNAVAILABLE, &error);
                reply.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS);
                reply
            }
        }
    }
}

fn report(error: &str) {
    static UNAVAILABLE: OnceAMinute = OnceAMinute::new();
    match UNAVAILABLE.count() {
        Some(requests) => tracing::warn!(requests, error, "cannot answer requests to the API"),
        None => tracing::debug!(error, "cannot answer a request to the API"),
    }
}
