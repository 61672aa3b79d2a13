//! Hints for the failures that a simulated Clerk has met.

use deskbell_sim::{Failure, Failures, FirstAnswer};
use url::Url;

use crate::hints::{Hint, hint, of_no_reply};
use crate::reply::{NoReplyKind, Reply};

/// What the most frequent failure means, and how to mend it; `None` where there is none.
#[must_use]
pub fn hint_of_failures(failures: &Failures, url: &Url) -> Option<Hint> {
    let (failure, _) = *failures.by_frequency().first()?;
    let (kind, cause) = match failure {
        Failure::Status(status) => {
            let FirstAnswer { body, location, clerk_reason } = failures.first_answer(failure);
            let reply = Reply { status: *status, body, location, clerk_reason, ..Reply::default() };
            return hint(&Ok(reply), url);
        }
        Failure::Refused => (NoReplyKind::Refused, ""),
        Failure::NotConnected(cause) => (NoReplyKind::of_cause(cause), cause.as_str()),
        Failure::TimedOut => (NoReplyKind::TimedOut, ""),
        Failure::Broken => (NoReplyKind::Lost, ""),
    };
    Some(of_no_reply(kind, cause, url))
}
