//! The newest attempts to send messages to an endpoint: whether they arrive.

use std::collections::BTreeSet;

use clerk_api::sender::{AttemptStatus, ReadError, SenderSession, TimeRange};

use super::state::{EndpointProblem, EndpointState};

/// For so long the sender tries to send a message, with pauses of up to ten hours: whoever looks for less
/// sees nothing in a quiet time.
const WITHIN_MS: i64 = 28 * 3_600_000;
/// It fails if the attempts for so many messages have all failed, the first of them so long ago.
const MESSAGES_MIN: usize = 2;
const FAILING_FOR_MS: i64 = 10 * 60_000;
/// Pages that are read until one is so old.
const PAGES_MAX: usize = 8;

/// What became of the newest attempts.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    failed: u64,
    has_success: bool,
    /// The messages that failed.
    messages: BTreeSet<String>,
    /// The oldest of those that failed, in Unix milliseconds.
    first_failure_ms: Option<i64>,
    last_status: Option<i32>,
}

impl Attempts {
    /// Reads as many as it takes to know.
    pub(super) async fn read(
        session: &SenderSession,
        endpoint_id: &str,
        now_ms: i64,
    ) -> Result<Self, ReadError> {
        let range = TimeRange { after: Some(now_ms - WITHIN_MS), before: None };
        let (mut attempts, mut iterator) = (Self::default(), None);
        for _ in 0..PAGES_MAX {
            let page = session.attempts(endpoint_id, range, iterator.as_deref()).await?;
            for attempt in page.items {
                attempts.add(
                    attempt.status,
                    attempt.msg_id,
                    attempt.timestamp,
                    attempt.response_status,
                );
            }
            iterator = page.next;
            if iterator.is_none() || attempts.has_success || attempts.is_failing(now_ms) {
                break;
            }
        }
        Ok(attempts)
    }

    /// Adds one that is older than those before.
    fn add(&mut self, status: AttemptStatus, message: String, at_ms: i64, response: i32) {
        match status {
            AttemptStatus::Succeeded => self.has_success = true,
            AttemptStatus::Failed => {
                self.failed += 1;
                self.messages.insert(message);
                self.first_failure_ms = Some(at_ms);
                self.last_status.get_or_insert(response);
            }
            _ => {}
        }
    }

    /// Whether there are some, and none has arrived.
    pub(super) fn only_fail(&self) -> bool {
        self.failed > 0 && !self.has_success
    }

    fn is_failing(&self, now_ms: i64) -> bool {
        self.only_fail()
            && self.messages.len() >= MESSAGES_MIN
            && self.first_failure_ms.is_some_and(|first| now_ms - first >= FAILING_FOR_MS)
    }

    /// Whether nothing arrives. An endpoint that failed does so until something arrives, also where
    /// nothing is sent.
    pub(super) fn failing(
        &self,
        endpoint_id: &str,
        before: &EndpointState,
        now_ms: i64,
    ) -> Option<EndpointProblem> {
        if self.is_failing(now_ms) {
            return Some(EndpointProblem::Failing {
                id: endpoint_id.to_owned(),
                attempts: self.failed,
                last_status: self.last_status.filter(|status| *status > 0),
            });
        }
        let known = before.problems.iter().map(|noticed| &noticed.problem);
        let mut known = known.filter(|problem| match problem {
            EndpointProblem::Failing { id, .. } => id == endpoint_id,
            _ => false,
        });
        known.next().filter(|_| !self.has_success).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::NoticedProblem;
    use super::*;

    const MINUTE_MS: i64 = 60_000;
    const NOW_MS: i64 = 100 * MINUTE_MS;

    /// Attempts so many minutes ago, the newest first; whether each arrived.
    fn attempts(all: &[(i64, &str, bool)]) -> Attempts {
        let mut attempts = Attempts::default();
        for (minutes_ago, message, arrived) in all {
            let status = if *arrived { AttemptStatus::Succeeded } else { AttemptStatus::Failed };
            attempts.add(status, (*message).to_owned(), NOW_MS - minutes_ago * MINUTE_MS, 401);
        }
        attempts
    }

    #[test]
    fn it_fails_where_the_attempts_of_several_messages_have_all_failed_for_a_while() {
        let before = EndpointState::default();
        for (all, expected) in [
            (&[][..], false),
            (&[(1, "a", false), (11, "b", false)], true),
            (&[(1, "a", false), (9, "b", false)], false),
            (&[(1, "a", false), (11, "a", false), (60, "a", false)], false),
            (&[(1, "a", false), (11, "b", false), (12, "c", true)], false),
        ] {
            let found = attempts(all).failing("ep_1", &before, NOW_MS);
            assert_eq!(found.is_some(), expected, "{all:?}");
        }
    }

    #[test]
    fn it_fails_until_something_arrives() {
        let problem =
            EndpointProblem::Failing { id: "ep_1".to_owned(), attempts: 3, last_status: Some(401) };
        let problems = vec![NoticedProblem { problem, since_ms: 5 }];
        let before = EndpointState { problems, ..EndpointState::default() };
        for (all, id, expected) in [
            (&[][..], "ep_1", true),
            (&[(1, "a", false)], "ep_1", true),
            (&[(1, "a", true), (2, "b", false)], "ep_1", false),
            (&[], "ep_2", false),
        ] {
            let found = attempts(all).failing(id, &before, NOW_MS);
            assert_eq!(found.is_some(), expected, "{all:?} {id}");
        }
    }
}
