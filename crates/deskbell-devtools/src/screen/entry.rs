//! An event of the list, and what handlers made of it.

use std::sync::Arc;

use crate::listen::{Answer, Message, Withheld};

/// An event of the list.
#[derive(Debug)]
pub(super) struct Entry {
    /// The time of day at which it was sent.
    pub(super) at: String,
    pub(super) message: Arc<Message>,
    /// One for each handler that has answered.
    pub(super) answers: Vec<Answer>,
    pub(super) withheld: Option<Withheld>,
}

/// How an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Waiting,
    Done,
    Failed,
    Withheld,
}

impl Entry {
    pub(super) fn mark(&self, targets: usize) -> Mark {
        if self.withheld.is_some() {
            Mark::Withheld
        } else if self.answers.iter().any(|answer| !answer.is_success()) {
            Mark::Failed
        } else if self.answers.len() < targets {
            Mark::Waiting
        } else {
            Mark::Done
        }
    }

    /// The statuses, in the order of the handlers.
    pub(super) fn outcome(&self) -> String {
        let mut answers: Vec<_> = self.answers.iter().collect();
        answers.sort_by_key(|answer| answer.target);
        let texts = answers.iter().map(|answer| {
            let status = answer.status.map_or_else(|| "—".to_owned(), |status| status.to_string());
            format!("{status} {} ms", answer.took.as_millis())
        });
        texts.collect::<Vec<_>>().join(", ")
    }

    /// Whether what was typed is found in what the list shows of it.
    pub(super) fn matches(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let message = &self.message;
        let fields = [Some(&message.event_type), Some(&message.id), message.subject.as_ref()];
        let found = fields.into_iter().flatten().any(|field| field.to_lowercase().contains(&text));
        found || self.outcome().contains(&text)
    }
}
