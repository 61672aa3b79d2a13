//! What came back for a request, or why nothing did.

use std::error::Error as _;
use std::time::Duration;

use http::{HeaderMap, HeaderName, header};

/// Why Clerk's middleware judged a request as it did. `protect-…` is its refusal.
const CLERK_AUTH_REASON: HeaderName = HeaderName::from_static("x-clerk-auth-reason");

/// A handler's answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// The start of the body.
    pub body: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    pub content_type: Option<String>,
    /// How long to wait, as `Retry-After` has it.
    pub retry_after: Option<String>,
    /// What Clerk's middleware said of the request, where it saw it.
    pub clerk_reason: Option<String>,
    /// When it was made, by the server's clock.
    pub date: Option<String>,
    pub took: Duration,
}

/// There was no answer.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.kind.text())]
pub struct NoReply {
    pub kind: NoReplyKind,
    #[source]
    source: reqwest::Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReplyKind {
    /// Nothing listens there.
    Refused,
    /// The host has no address.
    UnknownHost,
    /// TLS could not be agreed on.
    Tls,
    TimedOut,
    /// The connection ended before an answer.
    Lost,
}

impl Reply {
    pub(crate) fn new(status: u16, headers: &HeaderMap) -> Self {
        let text = |name| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        Self {
            status,
            location: text(header::LOCATION),
            content_type: text(header::CONTENT_TYPE),
            retry_after: text(header::RETRY_AFTER),
            clerk_reason: text(CLERK_AUTH_REASON),
            date: text(header::DATE),
            ..Self::default()
        }
    }

    /// Whether Clerk's sender takes this for an acknowledgement.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl NoReplyKind {
    /// Why there is no connection, by what the causes say.
    pub(crate) fn of_cause(text: &str) -> Self {
        let text = text.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        if has(&["dns", "lookup", "resolve"]) {
            Self::UnknownHost
        } else if has(&["certificate", "tls", "handshake", "invalidcontenttype", "corrupt message"])
        {
            Self::Tls
        } else {
            Self::Refused
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::UnknownHost => "the host is not known",
            Self::Tls => "TLS failed",
            Self::TimedOut => "no answer in time",
            Self::Lost => "the connection was closed without an answer",
        }
    }
}

impl From<reqwest::Error> for NoReply {
    fn from(source: reqwest::Error) -> Self {
        let source = source.without_url();
        Self { kind: kind_of(&source), source }
    }
}

fn kind_of(error: &reqwest::Error) -> NoReplyKind {
    if error.is_timeout() {
        return NoReplyKind::TimedOut;
    }
    if !error.is_connect() {
        return NoReplyKind::Lost;
    }
    let mut texts = String::new();
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(io) = error.downcast_ref::<std::io::Error>()
            && io.kind() == std::io::ErrorKind::TimedOut
        {
            return NoReplyKind::TimedOut;
        }
        texts.push_str(&error.to_string());
        cause = error.source();
    }
    NoReplyKind::of_cause(&texts)
}

/// The cause at the bottom, which says most.
pub(crate) fn innermost_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
