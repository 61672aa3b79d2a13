//! Why a request has no usable answer: an enum an operation, with what Clerk said.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// What Clerk said of a request that it rejected or that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// Clerk's code of the error, such as `resource_not_found`. `None` if the answer has no error of Clerk's form,
    /// as from a proxy on the way.
    pub code: Option<String>,
    /// Clerk's message, the longer one if there are two, or the name of the status. One line of bounded length.
    pub message: String,
    /// What Clerk's support asks for: `clerk_trace_id`, or the header `cf-ray`.
    pub trace_id: Option<String>,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe("Clerk", f)
    }
}

impl ApiError {
    fn describe(&self, service: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, code, message, trace_id } = self;
        write!(f, "{service} answered {status}: {message}")?;
        match (code, trace_id) {
            (Some(code), Some(trace_id)) => write!(f, " (code {code}, trace id {trace_id})"),
            (Some(code), None) => write!(f, " (code {code})"),
            (None, Some(trace_id)) => write!(f, " (trace id {trace_id})"),
            (None, None) => Ok(()),
        }
    }
}

impl Error for ApiError {}

/// Why a request failed, after all attempts.
#[derive(Debug)]
pub enum RequestError {
    /// A status from 300 to 499 other than 429: the same request is rejected again. Redirects are not followed.
    Rejected(ApiError),
    /// A status from 500 on.
    Failed(ApiError),
    /// 429 again and again, or with a longer time to wait than this client waits.
    RateLimited { retry_after: Option<Duration> },
    /// No complete answer in time.
    TimedOut(Duration),
    /// The connection could not be made, or broke off.
    Connection(reqwest::Error),
    /// The answer has more bytes than the limit.
    TooLarge { bytes_max: usize },
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe("Clerk", f)
    }
}

impl Error for RequestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Connection(error) => Some(error),
            _ => None,
        }
    }
}

impl RequestError {
    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Failed(_)
            | Self::RateLimited { .. }
            | Self::TimedOut(_)
            | Self::Connection(_) => true,
            Self::Rejected(_) | Self::TooLarge { .. } => false,
        }
    }

    /// What Clerk said, if it said anything.
    #[must_use]
    pub fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Rejected(error) | Self::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// The message of an error of this service: Clerk, or its sender.
    pub(crate) fn describe(&self, service: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(error) | Self::Failed(error) => error.describe(service, f),
            Self::RateLimited { retry_after } => {
                write!(f, "the rate limit of {service} is exceeded{}", of_wait(*retry_after))
            }
            Self::TimedOut(time) => {
                write!(f, "{service} did not answer within {} s", time.as_secs_f64())
            }
            Self::Connection(_) => write!(f, "the connection to {service} failed"),
            Self::TooLarge { bytes_max } => {
                write!(f, "the answer of {service} has more than {bytes_max} bytes")
            }
        }
    }
}

/// An answer that is not what Clerk documents.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    #[error("Clerk's answer is not the expected JSON")]
    Json(#[source] serde_json::Error),
    #[error("an object in Clerk's answer has no `id`")]
    NoId,
}

/// Why there is no next page. The pages stay where they are: asking again continues.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// Page after page has nothing but objects that were read before.
    #[error("{pages} pages of {list} in a row had no new objects")]
    NoProgress { list: &'static str, pages: u32 },
}

/// Why the objects of a list could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// The list came without `total_count`.
    #[error("Clerk's list of {0} has no count")]
    NoCount(&'static str),
}

/// Why an object could not be read.
#[derive(Debug, thiserror::Error)]
pub enum GetError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
    #[error(transparent)]
    Id(#[from] InvalidId),
}

/// Why it is not known whose key it is.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// An id that cannot be one of Clerk's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of letters, digits, `_` and `-`, found {0:?}")]
pub struct InvalidId(pub String);

macro_rules! is_transient {
    ($($error:ident),*) => {$(
        impl $error {
            /// Whether the same may succeed later.
            #[must_use]
            pub fn is_transient(&self) -> bool {
                matches!(self, Self::Request(error) if error.is_transient())
            }

            /// What Clerk said, if it said anything.
            #[must_use]
            pub fn api_error(&self) -> Option<&ApiError> {
                match self {
                    Self::Request(error) => error.api_error(),
                    _ => None,
                }
            }
        }
    )*};
}

is_transient!(PageError, CountError, GetError, InstanceError);

fn of_wait(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!("; retry after {} s", wait.as_secs()))
}
