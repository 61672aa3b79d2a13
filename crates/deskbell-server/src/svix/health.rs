//! Whether the API answers.

use http::StatusCode;

use super::replies::no_content;

/// Whether the API answers.
#[utoipa::path(get, path = "/api/v1/health", tag = "Health", responses((status = 204)))]
pub(super) async fn get() -> StatusCode {
    no_content()
}

/// Whether the API answers.
#[utoipa::path(get, path = "/api/v1/health/ping", tag = "Health", responses((status = 204)))]
pub(super) async fn ping() -> StatusCode {
    no_content()
}
