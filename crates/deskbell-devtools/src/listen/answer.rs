//! What a handler made of an event.

use std::time::Duration;

use url::Url;

use crate::hints::{Hint, hint};
use crate::reply::{NoReply, Reply};

/// What a handler made of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The handler's position among the targets.
    pub target: usize,
    /// `None` where there was no answer.
    pub status: Option<u16>,
    /// The start of the reply, or why there is none.
    pub text: String,
    pub took: Duration,
    pub hint: Option<Hint>,
}

impl Answer {
    pub(super) fn new(
        target: usize,
        url: &Url,
        answer: Result<Reply, NoReply>,
        took: Duration,
    ) -> Self {
        let hint = hint(&answer, url);
        match answer {
            Ok(reply) => Self {
                target,
                status: Some(reply.status),
                text: reply.body,
                took: reply.took,
                hint,
            },
            Err(no_reply) => Self { target, status: None, text: no_reply.to_string(), took, hint },
        }
    }

    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}
