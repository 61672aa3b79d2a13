//! Why attempts were not acked: one reason an attempt, and how often there was which.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use reqwest::header::{HeaderMap, LOCATION};

/// Why Clerk's middleware judged a request as it did.
const CLERK_AUTH_REASON: &str = "x-clerk-auth-reason";
/// So much of an answer's body is kept, of one answer of each kind.
const SAMPLE_CHARS_MAX: usize = 200;

/// Why an attempt was not acked.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// The connection was refused: nothing listens there.
    Refused,
    /// There was no connection for another reason, which the text names: no such host, no TLS.
    NotConnected(String),
    /// There was no answer in time.
    TimedOut,
    /// The connection ended before the answer.
    Broken,
    /// The answer had this status, which is not 2xx.
    Status(u16),
}

/// How often attempts failed in which way.
#[derive(Debug, Clone, Default)]
pub struct Failures {
    seen: BTreeMap<Failure, Seen>,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    count: u64,
    first: FirstAnswer,
}

/// What the first answer of a kind said; empty where there was none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FirstAnswer {
    /// The beginning of the body, as one line.
    pub body: String,
    /// Where a redirect leads.
    pub location: Option<String>,
    /// What Clerk's middleware said of the request, where it saw it.
    pub clerk_reason: Option<String>,
}

/// The failures of a run under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedFailures(Arc<Mutex<Failures>>);

impl Failure {
    /// What kept the request from being answered.
    pub(crate) fn of_request(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        let mut innermost: &dyn std::error::Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
        }
        let is_refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        match innermost.downcast_ref::<io::Error>() {
            Some(error) if is_refused(error) => Self::Refused,
            _ if error.is_connect() => Self::NotConnected(innermost.to_string()),
            _ => Self::Broken,
        }
    }
}

impl Failures {
    /// Each kind with its number of attempts, the most frequent first.
    #[must_use]
    pub fn by_frequency(&self) -> Vec<(&Failure, u64)> {
        let mut kinds: Vec<_> = self.seen.iter().map(|(kind, seen)| (kind, seen.count)).collect();
        kinds.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        kinds
    }

    /// What the first answer of this kind said, cut short; empty where it said nothing.
    #[must_use]
    pub fn sample(&self, failure: &Failure) -> &str {
        self.seen.get(failure).map_or("", |seen| &seen.first.body)
    }

    /// The first answer of this kind.
    #[must_use]
    pub fn first_answer(&self, failure: &Failure) -> FirstAnswer {
        self.seen.get(failure).map(|seen| seen.first.clone()).unwrap_or_default()
    }

    pub fn merge(&mut self, other: &Self) {
        for (failure, Seen { count, first }) in &other.seen {
            let seen = self.seen.entry(failure.clone()).or_default();
            seen.count += count;
            if seen.first.body.is_empty() {
                seen.first.clone_from(first);
            }
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

impl SharedFailures {
    pub(crate) fn note(&self, failure: &Failure, headers: &HeaderMap, body: Option<&Bytes>) {
        let mut failures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = failures
            .seen
            .entry(failure.clone())
            .or_insert_with(|| Seen { count: 0, first: FirstAnswer::new(headers, body) });
        seen.count += 1;
    }

    pub(crate) fn so_far(&self) -> Failures {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl FirstAnswer {
    fn new(headers: &HeaderMap, body: Option<&Bytes>) -> Self {
        let text = |name: &str| {
            let value = headers.get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        Self {
            body: body.map_or_else(String::new, |body| sample(body)),
            location: text(LOCATION.as_str()),
            clerk_reason: text(CLERK_AUTH_REASON),
        }
    }
}

/// The beginning of a body, as one line.
fn sample(body: &[u8]) -> String {
    let head = &body[..body.len().min(4 * SAMPLE_CHARS_MAX)];
    let text: String = String::from_utf8_lossy(head).chars().take(SAMPLE_CHARS_MAX).collect();
    let words: Vec<_> = text.split(|c: char| c.is_whitespace() || c.is_control()).collect();
    words.join(" ").trim().to_owned()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("the connection was refused"),
            Self::NotConnected(why) => write!(f, "no connection: {why}"),
            Self::TimedOut => f.write_str("no answer in time"),
            Self::Broken => f.write_str("the connection broke before a reply"),
            Self::Status(status) => write!(f, "it answered {status}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_counted_and_the_first_answer_of_each_is_kept_in_short() {
        let shared = SharedFailures::default();
        assert!(shared.so_far().is_empty());
        let headers = HeaderMap::new();
        shared.note(&Failure::TimedOut, &headers, None);
        let long = Bytes::from(format!("no\r\n\u{1b}[2J {}", "x".repeat(5000)));
        for body in [long, Bytes::from_static(b"another")] {
            shared.note(&Failure::Status(401), &headers, Some(&body));
        }
        let failures = shared.so_far();
        let kinds = failures.by_frequency();
        assert_eq!(kinds, [(&Failure::Status(401), 2), (&Failure::TimedOut, 1)]);
        let sample = failures.sample(&Failure::Status(401));
        assert!(sample.starts_with("no") && sample.ends_with('x'), "{sample}");
        assert!(sample.len() <= SAMPLE_CHARS_MAX, "{}", sample.len());
        assert!(!sample.contains(char::is_control), "{sample}");
        assert_eq!(failures.sample(&Failure::TimedOut), "");
    }
}
