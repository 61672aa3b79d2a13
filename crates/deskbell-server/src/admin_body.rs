//! The bodies of admin requests, which are read before their route is called.

use std::time::Duration;

use http::StatusCode;

use crate::body::{BodyError, BodyReader};
use crate::problem::Problem;

/// Bytes of one body; a larger one is answered with 413.
const ADMIN_BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of all bodies together; beyond, 503.
const ADMIN_BODIES_BYTES_MAX: usize = 16 << 20;
/// How long a body may take to arrive; then 408.
const ADMIN_BODY_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) fn reader() -> BodyReader {
    BodyReader::new(ADMIN_BODY_BYTES_MAX, ADMIN_BODY_TIMEOUT, ADMIN_BODIES_BYTES_MAX)
}

/// What is answered to a body that was not read to its end.
pub(crate) fn problem(error: BodyError) -> Problem {
    match error {
        BodyError::TooLarge { bytes_max } => {
            let detail = format!("the body is larger than {bytes_max} bytes");
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
        }
        BodyError::TooSlow { .. } | BodyError::Cut => {
            let detail = "the body took too long to arrive";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail)
        }
        BodyError::Incomplete => {
            let detail = "the connection was closed in the middle of the body";
            Problem::new(StatusCode::BAD_REQUEST, "incomplete", detail)
        }
        BodyError::NoRoom | BodyError::Crowded => Problem::overloaded(),
    }
}
