//! What the admin API answers where it cannot do what it was asked for: problem details, as
//! [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) has them.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use deskbell_admin::AdminError;
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, ResponseBuilder};
use utoipa::{IntoResponses, ToSchema};

/// After how many seconds to try again what is not possible now.
const RETRY_AFTER_SECONDS: u64 = 5;

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    error: &'static str,
    detail: String,
    allow: Option<String>,
    retry_after_seconds: Option<u64>,
    /// What only the log says.
    cause: Option<String>,
}

/// The body of an error.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// Always `about:blank`: `error` says which problem it is.
    #[serde(rename = "type")]
    problem_type: &'static str,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// What is wrong, for a person.
    detail: String,
    /// What is wrong, for a program.
    error: &'static str,
    /// The same, where the clients of Svix look for it.
    code: &'static str,
}

/// What the log says about a reply, beside what the client reads.
#[derive(Debug, Clone)]
pub(crate) struct Cause(pub(crate) String);

impl Problem {
    pub(crate) fn new(status: StatusCode, error: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { status, error, detail, allow: None, retry_after_seconds: None, cause: None }
    }

    /// A parameter, or a member of the body, that makes no sense.
    pub(crate) fn invalid_parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameter", detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    pub(crate) fn unauthorized() -> Self {
        let detail = "send a valid token: `Authorization: Bearer TOKEN`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    pub(crate) fn method_not_allowed(allow: String) -> Self {
        let detail = format!("this path accepts {allow}");
        let allow = Some(allow);
        Self { allow, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail) }
    }

    pub(crate) fn overloaded() -> Self {
        let detail = "too many requests at the same time; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "overloaded", detail).retry_later()
    }

    /// Something that is needed for an answer cannot be used now; `cause` is for the log.
    pub(crate) fn unavailable(error: &'static str, detail: &str, cause: impl Into<String>) -> Self {
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, error, detail).retry_later();
        Self { cause: Some(cause.into()), ..problem }
    }

    pub(crate) fn retry_later(self) -> Self {
        self.retry_after(RETRY_AFTER_SECONDS)
    }

    pub(crate) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_seconds: Some(seconds), ..self }
    }

    /// What is wrong, for a person.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The same problem with another body.
    pub(crate) fn with_page(self, page: String) -> Response {
        let mut reply = Response::new(page.into());
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        reply.headers_mut().insert(CONTENT_TYPE, html);
        self.mark(reply)
    }

    /// The reply with this problem's status and headers.
    fn mark(self, mut reply: Response) -> Response {
        *reply.status_mut() = self.status;
        let headers = reply.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(allow) = self.allow.and_then(|allow| allow.try_into().ok()) {
            headers.insert(ALLOW, allow);
        }
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(cause) = self.cause {
            reply.extensions_mut().insert(Cause(cause));
        }
        reply
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let details = ProblemDetails {
            problem_type: "about:blank",
            title: self.status.canonical_reason().unwrap_or_default(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            error: self.error,
            code: self.error,
        };
        let text = serde_json::to_string(&details).unwrap_or_default();
        let mut reply = Response::new(text.into());
        let json = HeaderValue::from_static("application/problem+json");
        reply.headers_mut().insert(CONTENT_TYPE, json);
        self.mark(reply)
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        let detail = error.to_string();
        match error {
            AdminError::NotFound(_) => Self::not_found(detail),
            AdminError::Invalid { .. } => Self::invalid_parameter(detail),
            AdminError::Conflict(_) => Self::new(StatusCode::CONFLICT, "conflict", detail),
            AdminError::ReadOnly(_) => Self::new(StatusCode::CONFLICT, "read_only", detail),
            AdminError::NotSupported(_) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "not_supported", detail)
            }
            AdminError::Unavailable(cause) => {
                Self::unavailable("unavailable", "the store or a database is unavailable", cause)
            }
        }
    }
}

/// The errors that any route can answer with, for its description.
impl IntoResponses for Problem {
    fn responses() -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
        const ERRORS: &[(&str, &str)] = &[
            ("400", "A parameter or the body is invalid"),
            ("401", "The token is missing or wrong, or the session has ended"),
            ("403", "The role does not allow this, or the request comes from another site"),
            ("404", "It does not exist"),
            ("409", "It exists already, or is declared in the config file"),
            ("422", "Deskbell does not do this"),
            ("503", "Something that is needed is unavailable, or there are too many requests"),
        ];
        let schema = Ref::from_schema_name("ProblemDetails");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = |description: &str| {
            let response = ResponseBuilder::new().description(description);
            response.content("application/problem+json", content.clone()).build()
        };
        ERRORS.iter().map(|(status, text)| ((*status).to_owned(), response(text).into())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_of_the_admin_api_has_a_status_and_says_no_more_than_it_may() {
        let unavailable = AdminError::Unavailable("password=hunter2".to_owned());
        for (error, status, code) in [
            (AdminError::not_found("destination", "app"), 404, "not_found"),
            (AdminError::invalid("name", "too long"), 400, "invalid_parameter"),
            (AdminError::Conflict("exists".to_owned()), 409, "conflict"),
            (AdminError::ReadOnly("in the config".to_owned()), 409, "read_only"),
            (AdminError::NotSupported("tags".to_owned()), 422, "not_supported"),
            (unavailable, 503, "unavailable"),
        ] {
            let problem = Problem::from(error.clone());
            assert_eq!((problem.status.as_u16(), problem.error), (status, code), "{error:?}");
            assert!(!problem.detail.contains("hunter2"), "{problem:?}");
            let reply = problem.into_response();
            assert_eq!(reply.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(reply.headers().contains_key(RETRY_AFTER), status == 503);
            assert_eq!(reply.extensions().get::<Cause>().is_some(), status == 503);
        }
    }
}
