//! A dead letter as it is shown: a row that a mirror could not take, or a delivery that failed.

use std::collections::BTreeMap;

use clerk_webhooks::UnixMillis;
use deskbell_store::deliveries::DeadLetter;
use deskbell_sync::dead_letters::{self, State};
use serde_json::{Value, json};

/// The part of a letter that is a delivery.
const DELIVERY: &str = "delivery";

/// A dead letter.
pub(super) struct Letter {
    state: &'static str,
    since: Option<UnixMillis>,
    destination: String,
    part: String,
    /// What people know the part by, where that is another word.
    title: Option<String>,
    source: String,
    message_id: String,
    event_type: String,
    entity: String,
    id: String,
    reason: Option<String>,
    /// The database's code, the constraint and the table, where it names them.
    cause: Option<String>,
    constraint: Option<String>,
    table: Option<String>,
    /// `None` where it is no delivery.
    attempts: Option<u32>,
}

impl Letter {
    /// One of a mirror, whose statements have these titles.
    pub(super) fn of_mirror(
        letter: dead_letters::DeadLetterEntry,
        titles: &BTreeMap<String, String>,
    ) -> Self {
        Self {
            title: titles.get(&letter.part).cloned(),
            state: match letter.state {
                State::Waiting => "waiting",
                State::Stuck => "stuck",
                State::Failed => "failed",
                State::Requested => "requested",
            },
            since: letter.since,
            destination: letter.destination,
            part: letter.part,
            source: letter.source,
            message_id: letter.message_id,
            event_type: letter.event_type,
            entity: letter.entity,
            id: letter.id,
            reason: letter.reason,
            cause: letter.cause,
            constraint: letter.constraint,
            table: letter.table,
            attempts: None,
        }
    }
}

impl From<DeadLetter> for Letter {
    fn from(letter: DeadLetter) -> Self {
        Self {
            state: "failed",
            since: UnixMillis::from_millis(letter.settled_at_ms),
            destination: letter.key.destination.to_string(),
            part: DELIVERY.to_owned(),
            title: None,
            source: letter.source,
            message_id: letter.message_id,
            event_type: letter.event_type,
            entity: String::new(),
            id: letter.subject.unwrap_or_default(),
            reason: Some(letter.reason),
            cause: None,
            constraint: None,
            table: None,
            attempts: Some(letter.attempts),
        }
    }
}

impl Letter {
    /// The cells of a table: state, since, destination, part, entity, message, reason.
    pub(super) fn cells(&self) -> [String; 7] {
        [
            self.state.to_owned(),
            self.since(),
            self.destination.clone(),
            self.part().to_owned(),
            self.entity(),
            self.message_id.clone(),
            self.reason().to_owned(),
        ]
    }

    /// All that is known of it, each with its name.
    pub(super) fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("state", self.state.to_owned()),
            ("since", self.since()),
            ("destination", self.destination.clone()),
            ("part", self.part().to_owned()),
            ("source", self.source.clone()),
            ("message", self.message_id.clone()),
            ("type", self.event_type.clone()),
            ("entity", self.entity()),
            ("reason", self.reason().to_owned()),
        ];
        let named =
            [("cause", &self.cause), ("constraint", &self.constraint), ("table", &self.table)];
        fields.extend(named.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
        fields.extend(self.attempts.map(|attempts| ("attempts", attempts.to_string())));
        fields
    }

    pub(super) fn json(&self) -> Value {
        let mut json = json!({
            "state": self.state,
            "since": self.since.map(|since| since.to_string()),
            "destination": self.destination,
            "part": self.part,
            "source": self.source,
            "message_id": self.message_id,
            "type": self.event_type,
            "entity": self.entity,
            "id": self.id,
            "reason": self.reason,
            "cause": self.cause,
            "constraint": self.constraint,
            "table": self.table,
        });
        if let Some(title) = &self.title {
            json["title"] = title.as_str().into();
        }
        if let Some(attempts) = self.attempts {
            json["attempts"] = attempts.into();
        }
        json
    }

    fn since(&self) -> String {
        self.since.map_or_else(|| "-".to_owned(), |since| since.to_string())
    }

    fn part(&self) -> &str {
        match &self.title {
            Some(title) => title,
            None if self.part.is_empty() => "mirror",
            None => &self.part,
        }
    }

    fn entity(&self) -> String {
        match (self.entity.is_empty(), self.id.is_empty()) {
            (true, true) => "-".to_owned(),
            (true, false) => self.id.clone(),
            (false, true) => self.entity.clone(),
            (false, false) => format!("{} {}", self.entity, self.id),
        }
    }

    fn reason(&self) -> &str {
        self.reason.as_deref().unwrap_or("conflicts with another row; retried automatically")
    }
}
