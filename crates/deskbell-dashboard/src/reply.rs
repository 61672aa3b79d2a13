//! Replies: pages, redirects, and pages that say why there is none.

use axum::response::{Html, IntoResponse, Redirect, Response};
use deskbell_admin::AdminError;
use http::{HeaderValue, StatusCode};
use maud::html;

use crate::layout;

/// Why a page cannot be shown, or a change was not made.
#[derive(Debug)]
pub(crate) enum Failure {
    Admin(AdminError),
    /// What was sent makes no sense.
    BadRequest(String),
    /// Too much of this is going on.
    Busy(&'static str),
}

pub(crate) type Reply = Result<Response, Failure>;

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

/// The page to look at after a change.
pub(crate) fn see(url: &str) -> Response {
    Redirect::to(url).into_response()
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (status, title, detail) = self.explained();
        let detail = sentence(&detail);
        let page = layout::message(
            title,
            &html! {
                p { (detail) }
                p { a.button href="/dashboard" { "Go to the overview" } }
            },
        );
        let mut response = (status, Html(page.into_string())).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert("retry-after", HeaderValue::from_static("5"));
        }
        response
    }
}

impl Failure {
    fn explained(self) -> (StatusCode, &'static str, String) {
        match self {
            Self::Admin(error) => admin_error(error),
            Self::BadRequest(detail) => (StatusCode::BAD_REQUEST, "That did not work", detail),
            Self::Busy(detail) => (StatusCode::SERVICE_UNAVAILABLE, "Too busy", detail.to_owned()),
        }
    }
}

/// A message of an error as a sentence.
pub(crate) fn sentence(message: &str) -> String {
    let mut chars = message.chars();
    let first = chars.next().map(|first| first.to_uppercase().collect::<String>());
    let end = if message.ends_with('.') { "" } else { "." };
    format!("{}{}{end}", first.unwrap_or_default(), chars.as_str())
}

fn admin_error(error: AdminError) -> (StatusCode, &'static str, String) {
    let text = error.to_string();
    match error {
        AdminError::NotFound(_) => (StatusCode::NOT_FOUND, "Not found", text),
        AdminError::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "That did not work", text),
        AdminError::Conflict(_) => (StatusCode::CONFLICT, "That did not work", text),
        AdminError::ReadOnly(_) => (StatusCode::FORBIDDEN, "This is in the config file", text),
        AdminError::NotSupported(_) => (StatusCode::NOT_IMPLEMENTED, "Not supported", text),
        AdminError::Unavailable(reason) => {
            tracing::warn!(%reason, "a page could not be read");
            let detail = "The store, or a mirror's database, does not answer. Webhooks that \
                cannot be stored are refused, and Clerk sends them again. Deskbell's log has the \
                reason; reload this page in a moment.";
            (StatusCode::SERVICE_UNAVAILABLE, "Not available right now", detail.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_as_a_sentence() {
        assert_eq!(sentence("event `a` not found"), "Event `a` not found.");
        assert_eq!(sentence("Too many. Wait."), "Too many. Wait.");
    }
}
