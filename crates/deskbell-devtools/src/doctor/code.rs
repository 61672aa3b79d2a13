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

/// Each check: what it asks, and why it matters.
const TEXTS: [(CheckCode, &str, &str); 29] = [
    (CheckCode::Config, "config is valid", "`serve` does not start with a config that is not"),
    (
        CheckCode::Ready,
        "server is ready",
        "a server that is not ready answers 503, and Clerk's sender tries again",
    ),
    (
        CheckCode::Secret,
        "signing secret is right",
        "events are refused if the handler has another secret than the sender",
    ),
    (
        CheckCode::Variable,
        "secret is in the right variable",
        "the handler refuses every event if it reads a variable that is not set",
    ),
    (
        CheckCode::Exposed,
        "secret stays on the server",
        "whoever has the secret can forge events; NEXT_PUBLIC_ variables are sent to browsers",
    ),
    (
        CheckCode::AuthProtect,
        "auth.protect() is called as it is now",
        "auth() returns a promise, which has no protect: middleware fails for every request",
    ),
    (
        CheckCode::ProxyFile,
        "middleware file has its name",
        "Next.js runs no middleware from a file that it does not look for",
    ),
    (
        CheckCode::ClerkRewrites,
        "Clerk's package verifies raw bytes",
        "a parsed body that is written again differs from what was signed, as with \\u0026",
    ),
    (
        CheckCode::SvixResult,
        "verify's result is not used",
        "verify of svix 2 returns nothing, so that whatever reads its result crashes",
    ),
    (
        CheckCode::Reachable,
        "handler is reachable",
        "events can only be sent to a server that answers",
    ),
    (
        CheckCode::Tls,
        "connection is secure",
        "events hold personal data, and the sender checks certificates",
    ),
    (
        CheckCode::Clock,
        "clocks agree",
        "a signature is refused if its time is more than 5 minutes from the handler's",
    ),
    (
        CheckCode::Redirect,
        "URL does not redirect",
        "Clerk's sender does not follow redirects: the event counts as failed",
    ),
    (
        CheckCode::Path,
        "path leads to a handler",
        "without a handler at this path, no event arrives",
    ),
    (CheckCode::Method, "POST is handled", "events are sent by POST"),
    (
        CheckCode::Public,
        "route is public",
        "Clerk's sender has no session: what protects pages refuses its events",
    ),
    (
        CheckCode::Accepts,
        "valid event is acknowledged",
        "an event that is not answered with 2xx is sent again for a day, and then lost",
    ),
    (
        CheckCode::RawBody,
        "raw body is verified",
        "the signature is over the bytes as sent; JSON that is parsed and written again has others",
    ),
    (CheckCode::Tampered, "tampered event is refused", "anybody can change your data otherwise"),
    (
        CheckCode::Stale,
        "old event is refused",
        "whoever recorded a request can send it again years later otherwise",
    ),
    (
        CheckCode::WrongSecret,
        "event signed with another secret is refused",
        "anybody can change your data otherwise",
    ),
    (
        CheckCode::MissingHeader,
        "event without signature is refused",
        "anybody can change your data otherwise",
    ),
    (
        CheckCode::ErrorsHidden,
        "errors are not answered with 2xx",
        "an event that failed and was answered with 2xx is never sent again: it is lost",
    ),
    (
        CheckCode::Duplicate,
        "same event twice is no error",
        "events arrive more than once: after a timeout, at a replay, while a secret is rotated",
    ),
    (
        CheckCode::LargeBody,
        "large event is taken",
        "events grow with metadata; one over the limit is refused at every attempt, and lost",
    ),
    (
        CheckCode::UnknownType,
        "unknown type is acknowledged",
        "Clerk adds types; one that is refused is sent again for a day, and the endpoint may be disabled",
    ),
    (
        CheckCode::NullFields,
        "empty fields are taken",
        "names are null and email_addresses is empty for many ways to sign up",
    ),
    (
        CheckCode::UnknownUser,
        "deletion of an unknown user is acknowledged",
        "events have no order: a user may be deleted before the handler has heard of it",
    ),
    (
        CheckCode::AnswerTime,
        "answers in time",
        "Clerk's sender gives an attempt up after 15 s, and sends the event again",
    ),
];

impl CheckCode {
    pub fn all() -> impl Iterator<Item = Self> {
        TEXTS.iter().map(|(code, ..)| *code)
    }

    /// What it asks, in a few words.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.texts().0
    }

    /// Why it matters.
    #[must_use]
    pub fn why(self) -> &'static str {
        self.texts().1
    }

    /// Whether it needs no handler that answers.
    #[must_use]
    pub fn is_of_project(self) -> bool {
        self < Self::Reachable
    }

    fn texts(self) -> (&'static str, &'static str) {
        let found = TEXTS.iter().find(|(code, ..)| *code == self);
        found.map_or(("", ""), |(_, name, why)| (name, why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_texts_in_the_order_of_the_codes() {
        let codes: Vec<_> = CheckCode::all().collect();
        assert!(codes.is_sorted() && codes.last() == Some(&CheckCode::AnswerTime));
        assert_eq!(codes.len(), CheckCode::AnswerTime as usize + 1);
        let page = include_str!("../../../../docs/doctor.md");
        for code in codes {
            let word = serde_json::to_value(code).unwrap();
            let word = format!("`{}`", word.as_str().unwrap());
            assert!(page.contains(&word), "docs/doctor.md lacks {word}");
        }
    }
}
