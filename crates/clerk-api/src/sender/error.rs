//! Why the sender could not be reached or asked: an enum an operation, each of which says the step that failed.

use std::error::Error;
use std::fmt;

use crate::error::{ApiError, InvalidId, RequestError};

/// Why a request to Clerk's sender failed, after all attempts.
#[derive(Debug)]
pub struct SenderRequestError(pub RequestError);

impl fmt::Display for SenderRequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("Clerk's sender", f)
    }
}

impl Error for SenderRequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// An answer of the sender that has not the expected form. It is not repeated: it may have a secret in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is not the expected JSON")]
pub struct SenderAnswerError;

/// Why the login that Clerk answered with is of no use. Nothing of it is repeated: it contains a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error("the answer has no `svix_url`")]
    NoUrl,
    #[error("the address has no `key` in its fragment")]
    NoKey,
    #[error("the `key` of the address is not base64 of the expected JSON")]
    Key,
    #[error("the `region` in the address is not 1 to 16 lower-case letters, digits and `-`")]
    Region,
    #[error("the `appId` in the address is not an id")]
    AppId,
    #[error("the `oneTimeToken` in the address is not a token")]
    OneTimeToken,
}

/// Why there is no session with the sender.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("failed to get a login of Clerk's sender (POST /webhooks/svix_url)")]
    Login(#[source] RequestError),
    #[error("failed to turn on webhooks for the instance (POST /webhooks/svix)")]
    TurnOn(#[source] RequestError),
    #[error("failed to read the login of Clerk's sender")]
    Link(#[from] LinkError),
    #[error("failed to exchange the one-time token for a session")]
    Exchange(#[source] SenderRequestError),
    #[error("failed to read the session's token")]
    Token(#[source] SenderAnswerError),
    #[error("failed to set up the HTTP client of Clerk's sender")]
    Client(#[from] crate::options::ClientError),
}

/// Why a list or an object of the sender could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("failed to read the {what} of Clerk's sender")]
    Request {
        what: &'static str,
        #[source]
        source: SenderRequestError,
    },
    #[error("failed to read the {what} of Clerk's sender")]
    Answer {
        what: &'static str,
        #[source]
        source: SenderAnswerError,
    },
    /// The list does not end.
    #[error("the {what} of Clerk's sender have more than {pages_max} pages")]
    TooMany { what: &'static str, pages_max: usize },
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Why an endpoint could not be created or changed.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("failed to {what} the endpoint in Clerk's sender")]
    Request {
        what: &'static str,
        #[source]
        source: SenderRequestError,
    },
    #[error("failed to {what} the endpoint in Clerk's sender")]
    Answer {
        what: &'static str,
        #[source]
        source: SenderAnswerError,
    },
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Why the sender does not send messages again.
#[derive(Debug, thiserror::Error)]
pub enum SendAgainError {
    #[error("failed to {what} by Clerk's sender")]
    Request {
        what: &'static str,
        #[source]
        source: SenderRequestError,
    },
    #[error(transparent)]
    Id(#[from] InvalidId),
}

impl SessionError {
    /// Whether the same may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Login(error) | Self::TurnOn(error) => error.is_transient(),
            Self::Exchange(error) => error.0.is_transient(),
            Self::Link(_) | Self::Token(_) | Self::Client(_) => false,
        }
    }

    /// What Clerk or its sender said, if they said anything.
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Login(error) | Self::TurnOn(error) => error.api_error(),
            Self::Exchange(error) => error.0.api_error(),
            Self::Link(_) | Self::Token(_) | Self::Client(_) => None,
        }
    }
}

macro_rules! of_request {
    ($($error:ident),*) => {$(
        impl $error {
            /// Whether the same may succeed later.
            #[must_use]
            pub fn is_transient(&self) -> bool {
                matches!(self, Self::Request { source, .. } if source.0.is_transient())
            }

            /// What the sender said, if it said anything.
            #[must_use]
            pub fn api_error(&self) -> Option<&ApiError> {
                match self {
                    Self::Request { source, .. } => source.0.api_error(),
                    _ => None,
                }
            }
        }
    )*};
}

of_request!(ReadError, EndpointError, SendAgainError);
