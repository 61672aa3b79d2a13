//! A page's HTML as a reply.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use maud::Markup;

/// A whole page, or a fragment of one.
#[derive(Debug)]
pub(crate) struct Html(pub(crate) Markup);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        let media_type = HeaderValue::from_static("text/html; charset=utf-8");
        ([(CONTENT_TYPE, media_type)], self.0.into_string()).into_response()
    }
}
