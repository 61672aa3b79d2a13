//! Outcomes as sentences.

use deskbell_admin::{DestinationOutcome, ExplainedOutcome, OutcomePart, Timestamp};

/// What became of an event.
pub(super) struct Outcome<'a> {
    kind: &'a str,
    reason: Option<&'a str>,
    at: Option<Timestamp>,
}

impl<'a> From<&'a DestinationOutcome> for Outcome<'a> {
    fn from(outcome: &'a DestinationOutcome) -> Self {
        Self { kind: &outcome.outcome, reason: outcome.reason.as_deref(), at: outcome.at }
    }
}

impl<'a> From<&'a OutcomePart> for Outcome<'a> {
    fn from(outcome: &'a OutcomePart) -> Self {
        Self { kind: &outcome.outcome, reason: outcome.reason.as_deref(), at: outcome.at }
    }
}

impl<'a> From<&'a ExplainedOutcome> for Outcome<'a> {
    fn from(outcome: &'a ExplainedOutcome) -> Self {
        Self { kind: &outcome.outcome, reason: outcome.reason.as_deref(), at: outcome.at }
    }
}

/// What, when, and why.
pub(super) fn sentence(Outcome { kind, reason, at }: &Outcome<'_>) -> String {
    let mut text = match *kind {
        "dead_lettered" => "dead-lettered".to_owned(),
        kind => kind.replace('_', " "),
    };
    if let Some(at) = at {
        let preposition = match *kind {
            "pending" => ", next attempt at",
            "waiting" => " since",
            _ => " at",
        };
        text += &format!("{preposition} {at}");
    }
    if let Some(reason) = reason {
        text += &format!(": {reason}");
    }
    text
}
