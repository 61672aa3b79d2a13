//! What is checked, in the order in which it is printed.

use schemars::JsonSchema;
use serde::Serialize;

/// A check of `doctor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckCode {
    Config,
    Ready,
    Secret,
    Variable,
    Exposed,
    AuthProtect,
    ProxyFile,
    ClerkRewrites,
    SvixResult,
    Reachable,
    Tls,
    Clock,
    Redirect,
    Path,
    Method,
    Public,
    Accepts,
    RawBody,
    Tampered,
    Stale,
    WrongSecret,
    MissingHeader,
    ErrorsHidden,
    Duplicate,
    LargeBody,
    UnknownType,
    NullFields,
    UnknownUser,
    AnswerTime,
}

impl CheckCode {
    pub const ALL: [Self; 29] = [
        Self::Config,
        Self::Ready,
        Self::Secret,
        Self::Variable,
        Self::Exposed,
        Self::AuthProtect,
        Self::ProxyFile,
        Self::ClerkRewrites,
        Self::SvixResult,
        Self::Reachable,
        Self::Tls,
        Self::Clock,
        Self::Redirect,
        Self::Path,
        Self::Method,
        Self::Public,
        Self::Accepts,
        Self::RawBody,
        Self::Tampered,
        Self::Stale,
        Self::WrongSecret,
        Self::MissingHeader,
        Self::ErrorsHidden,
        Self::Duplicate,
        Self::LargeBody,
        Self::UnknownType,
        Self::NullFields,
        Self::UnknownUser,
        Self::AnswerTime,
    ];

    /// What it asks, in a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.text().0
    }

    /// Why it matters.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.text().1
    }

    /// Whether it needs no handler that answers.
    #[must_use]
    pub fn is_of_project(self) -> bool {
        self < Self::Reachable
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Config => ("config is valid", "`serve` does not start with a config that is not"),
            Self::Ready => (
                "server is ready",
                "a server that is not ready answers 503, and Clerk's sender tries again",
            ),
            Self::Secret => (
                "signing secret is right",
                "events are refused if the handler has another secret than the sender",
            ),
            Self::Variable => (
                "secret is in the right variable",
                "the handler refuses every event if it reads a variable that is not set",
            ),
            Self::Exposed => (
                "secret stays on the server",
                "whoever has the secret can forge events; NEXT_PUBLIC_ variables are sent to browsers",
            ),
            Self::AuthProtect => (
                "auth.protect() is called as it is now",
                "auth() returns a promise, which has no protect: middleware fails for every request",
            ),
            Self::ProxyFile => (
                "middleware file has its name",
                "Next.js runs no middleware from a file that it does not look for",
            ),
            Self::ClerkRewrites => (
                "Clerk's package verifies raw bytes",
                "a parsed body that is written again differs from what was signed, as with \\u0026",
            ),
            Self::SvixResult => (
                "verify's result is not used",
                "verify of svix 2 returns nothing, so that whatever reads its result crashes",
            ),
            Self::Reachable => {
                ("handler is reachable", "events can only be sent to a server that answers")
            }
            Self::Tls => (
                "connection is secure",
                "events hold personal data, and the sender checks certificates",
            ),
            Self::Clock => (
                "clocks agree",
                "a signature is refused if its time is more than 5 minutes from the handler's",
            ),
            Self::Redirect => (
                "URL does not redirect",
                "Clerk's sender does not follow redirects: the event counts as failed",
            ),
            Self::Path => {
                ("path leads to a handler", "without a handler at this path, no event arrives")
            }
            Self::Method => ("POST is handled", "events are sent by POST"),
            Self::Public => (
                "route is public",
                "Clerk's sender has no session: what protects pages refuses its events",
            ),
            Self::Accepts => (
                "valid event is acknowledged",
                "an event that is not answered with 2xx is sent again for a day, and then lost",
            ),
            Self::RawBody => (
                "raw body is verified",
                "the signature is over the bytes as sent; JSON that is parsed and written again has others",
            ),
            Self::Tampered => {
                ("tampered event is refused", "anybody can change your data otherwise")
            }
            Self::Stale => (
                "old event is refused",
                "whoever recorded a request can send it again years later otherwise",
            ),
            Self::WrongSecret => (
                "event signed with another secret is refused",
                "anybody can change your data otherwise",
            ),
            Self::MissingHeader => {
                ("event without signature is refused", "anybody can change your data otherwise")
            }
            Self::ErrorsHidden => (
                "errors are not answered with 2xx",
                "an event that failed and was answered with 2xx is never sent again: it is lost",
            ),
            Self::Duplicate => (
                "same event twice is no error",
                "events arrive more than once: after a timeout, at a replay, while a secret is rotated",
            ),
            Self::LargeBody => (
                "large event is taken",
                "events grow with metadata; one over the limit is refused at every attempt, and lost",
            ),
            Self::UnknownType => (
                "unknown type is acknowledged",
                "Clerk adds types; one that is refused is sent again for a day, and the endpoint may be disabled",
            ),
            Self::NullFields => (
                "empty fields are taken",
                "names are null and email_addresses is empty for many ways to sign up",
            ),
            Self::UnknownUser => (
                "deletion of an unknown user is acknowledged",
                "events have no order: a user may be deleted before the handler has heard of it",
            ),
            Self::AnswerTime => (
                "answers in time",
                "Clerk's sender gives an attempt up after 15 s, and sends the event again",
            ),
        }
    }
}
