//! A dead letter as it is shown: a row that a mirror could not take, or a delivery that failed.

use clerk_webhooks::UnixMillis;
use deskbell_store::deliveries::DeadLetter;
use deskbell_sync::dead_letters::{DeadLetterEntry, State};
use serde_json::{Value, json};

/// The part of a dead letter that is a delivery.
const DELIVERY: &str = "delivery";

pub(super) struct Row {
    pub(super) entry: DeadLetterEntry,
    /// What people know the part by, where that is another word.
    pub(super) title: Option<String>,
    /// `None` where it is no delivery.
    pub(super) attempts: Option<u32>,
}

impl From<DeadLetter> for Row {
    fn from(delivery: DeadLetter) -> Self {
        let entry = DeadLetterEntry {
            state: State::Failed,
            since: UnixMillis::from_millis(delivery.settled_at_ms),
            destination: delivery.key.destination.to_string(),
            part: DELIVERY.to_owned(),
            source: delivery.source,
            message_id: delivery.message_id,
            event_type: delivery.event_type,
            entity: String::new(),
            id: delivery.subject.unwrap_or_default(),
            reason: Some(delivery.reason),
            cause: None,
            constraint: None,
            table: None,
        };
        Self { entry, title: None, attempts: Some(delivery.attempts) }
    }
}

impl Row {
    /// The cells of a table: state, since, destination, part, entity, message, reason.
    pub(super) fn cells(&self) -> [String; 7] {
        [
            self.state().to_owned(),
            self.since(),
            self.entry.destination.clone(),
            self.part().to_owned(),
            self.entity(),
            self.entry.message_id.clone(),
            self.reason().to_owned(),
        ]
    }

    /// All that is known of it, each with its name.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("state", self.state().to_owned()),
            ("since", self.since()),
            ("destination", self.entry.destination.clone()),
            ("part", self.part().to_owned()),
            ("source", self.entry.source.clone()),
            ("message", self.entry.message_id.clone()),
            ("type", self.entry.event_type.clone()),
            ("entity", self.entity()),
            ("reason", self.reason().to_owned()),
        ];
        let named = [
            ("cause", &self.entry.cause),
            ("constraint", &self.entry.constraint),
            ("table", &self.entry.table),
        ];
        fields.extend(named.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
        fields.extend(self.attempts.map(|attempts| ("attempts", attempts.to_string())));
        fields
    }

    pub(super) fn json(&self) -> Value {
        let mut json = json!({
            "state": self.state(),
            "since": self.entry.since.map(|since| since.to_string()),
            "destination": self.entry.destination,
            "part": self.entry.part,
            "source": self.entry.source,
            "message_id": self.entry.message_id,
            "type": self.entry.event_type,
            "entity": self.entry.entity,
            "id": self.entry.id,
            "reason": self.entry.reason,
            "cause": self.entry.cause,
            "constraint": self.entry.constraint,
            "table": self.entry.table,
        });
        if let Some(title) = &self.title {
            json["title"] = title.as_str().into();
        }
        if let Some(attempts) = self.attempts {
            json["attempts"] = attempts.into();
        }
        json
    }

    fn state(&self) -> &'static str {
        match self.entry.state {
            State::Waiting => "waiting",
            State::Stuck => "stuck",
            State::Failed => "failed",
            State::Requested => "requested",
        }
    }

    fn since(&self) -> String {
        self.entry.since.map_or_else(|| "-".to_owned(), |since| since.to_string())
    }

    fn part(&self) -> &str {
        match &self.title {
            Some(title) => title,
            None if self.entry.part.is_empty() => "mirror",
            None => &self.entry.part,
        }
    }

    fn entity(&self) -> String {
        match (self.entry.entity.is_empty(), self.entry.id.is_empty()) {
            (true, true) => "-".to_owned(),
            (true, false) => self.entry.id.clone(),
            (false, true) => self.entry.entity.clone(),
            (false, false) => format!("{} {}", self.entry.entity, self.entry.id),
        }
    }

    fn reason(&self) -> &str {
        self.entry.reason.as_deref().unwrap_or("conflicts with another row; retried automatically")
    }
}
