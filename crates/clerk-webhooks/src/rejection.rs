//! What a request is answered with when no event comes out of it.

use std::error::Error;
use std::sync::Arc;

use http::StatusCode;

use crate::envelope::NotAnEvent;
use crate::verify_error::VerifyError;

/// Why an extractor or the layer turned a request away.
///
/// The answer to the sender is [`status`](Self::status) and [`body`](Self::body), and tells no more than they hold; the
/// error itself, with its sources, is for the operator.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookRejection {
    /// 413: more than [`body_bytes_max`](crate::VerifierBuilder::body_bytes_max).
    #[error(transparent)]
    TooLarge(#[from] BodyTooLarge),
    /// 400: the body broke off.
    #[error(transparent)]
    Unreadable(#[from] BodyUnreadable),
    /// 400: not from the holder of a secret, or not from now.
    #[error(transparent)]
    VerificationFailed(#[from] VerifyError),
    /// 400: from the right sender, but no event.
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
    /// 500: the server has no verifier for this route.
    #[error(transparent)]
    NoVerifier(#[from] NoVerifier),
}

impl WebhookRejection {
    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unreadable(_) | Self::VerificationFailed(_) | Self::NotAnEvent(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::NoVerifier(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The body of the answer, in JSON.
    #[must_use]
    pub const fn body(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => r#"{"error":"too_large"}"#,
            Self::Unreadable(_) => r#"{"error":"unreadable_body"}"#,
            Self::VerificationFailed(_) => r#"{"error":"verification_failed"}"#,
            Self::NotAnEvent(_) => r#"{"error":"not_an_event"}"#,
            Self::NoVerifier(_) => r#"{"error":"internal"}"#,
        }
    }
}

/// The body is larger than is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the body is larger than {bytes_max} bytes")]
#[non_exhaustive]
pub struct BodyTooLarge {
    /// The limit.
    pub bytes_max: usize,
}

/// The body could not be read to its end: the sender hung up, for one.
#[derive(Clone, Debug, thiserror::Error)]
#[error("failed to read the body")]
pub struct BodyUnreadable(#[source] Arc<dyn Error + Send + Sync>);

impl BodyUnreadable {
    pub(crate) fn new(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(source.into().into())
    }
}

/// The application was not given a [`Verifier`](crate::Verifier).
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the application has no `Verifier`: add one with `App::app_data`")]
pub struct NoVerifier;
