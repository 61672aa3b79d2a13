//! States, each with a colour, an icon and a word: none is told by its colour alone.

use deskbell_admin::{DeadLetterState, DeliveryCounts, DestinationState, DestinationView};
use maud::{Markup, html};

use crate::icon::{Icon, icon};
use crate::number::count;
use crate::switched_off::is_switched_off;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    Quiet,
    Info,
    Good,
    Warn,
    Bad,
}

impl Tone {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Info => "info",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    pub(crate) fn icon(self) -> Icon {
        match self {
            Self::Quiet => Icon::Dot,
            Self::Info => Icon::Clock,
            Self::Good => Icon::Check,
            Self::Warn => Icon::Warning,
            Self::Bad => Icon::Cross,
        }
    }
}

pub(crate) fn badge(tone: Tone, text: &str) -> Markup {
    html! { span.badge.(tone.class()) { (icon(tone.icon())) (text) } }
}

pub(crate) fn destination_tone(state: DestinationState) -> Tone {
    match state {
        DestinationState::Following | DestinationState::Ok => Tone::Good,
        DestinationState::Behind => Tone::Info,
        DestinationState::NotStarted => Tone::Quiet,
        DestinationState::Waiting | DestinationState::Blocked | DestinationState::Paused => {
            Tone::Warn
        }
        DestinationState::NotRunning | DestinationState::Failing | DestinationState::Disabled => {
            Tone::Bad
        }
    }
}

pub(crate) fn destination_state(destination: &DestinationView) -> Markup {
    if is_switched_off(destination) {
        return badge(Tone::Quiet, "disabled");
    }
    badge(destination_tone(destination.state), &words(destination.state.as_str()))
}

/// What became of an event at a destination, or a delivery's state.
pub(crate) fn outcome(outcome: &str) -> Markup {
    let tone = match outcome {
        "applied" | "delivered" => Tone::Good,
        "pending" => Tone::Info,
        "waiting" => Tone::Warn,
        "dead_lettered" => Tone::Bad,
        _ => Tone::Quiet,
    };
    badge(tone, &words(if outcome == "dead_lettered" { "dead letter" } else { outcome }))
}

pub(crate) fn dead_letter_state(state: DeadLetterState) -> Markup {
    match state {
        DeadLetterState::Waiting => badge(Tone::Warn, "waiting"),
        DeadLetterState::Stuck => badge(Tone::Warn, "stuck"),
        DeadLetterState::Failed => badge(Tone::Bad, "failed"),
        DeadLetterState::Requested => badge(Tone::Info, "retry requested"),
    }
}

/// How an event's deliveries are, in a list.
pub(crate) fn deliveries(counts: &DeliveryCounts) -> Markup {
    html! {
        @if counts.dead_lettered > 0 {
            (badge(Tone::Bad, &format!("{} failed", count(counts.dead_lettered))))
        }
        @if counts.pending > 0 {
            (badge(Tone::Info, &format!("{} pending", count(counts.pending))))
        }
        @if counts.delivered > 0 && counts.dead_lettered == 0 && counts.pending == 0 {
            (badge(Tone::Good, &format!("{} delivered", count(counts.delivered))))
        }
        @if *counts == DeliveryCounts::default() { span.muted { "no deliveries" } }
    }
}

/// An HTTP status by its class.
pub(crate) fn status(status: u16) -> Markup {
    let tone = match status {
        200..300 => Tone::Good,
        300..500 => Tone::Warn,
        _ => Tone::Bad,
    };
    badge(tone, &status.to_string())
}

/// A code such as `dead_lettered` as words.
pub(crate) fn words(code: &str) -> String {
    code.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_state_has_an_icon_and_a_word() {
        for (state, enabled, word) in [
            ("following", true, "following"),
            ("not_running", true, "not running"),
            ("paused", true, "paused"),
            ("paused", false, "paused"),
            ("ok", false, "disabled"),
            ("not_started", false, "disabled"),
        ] {
            let view =
                json!({"name": "a", "type": "http", "enabled": enabled, "state": state, "head": 9});
            let shown = destination_state(&serde_json::from_value(view).unwrap()).into_string();
            assert!(shown.contains("<svg") && shown.contains(word), "{shown}");
            assert_eq!(shown.contains("good"), state == "following", "{shown}");
        }
    }

    #[test]
    fn what_failed_is_not_hidden_by_what_was_delivered() {
        let counts = DeliveryCounts { pending: 0, delivered: 3, dead_lettered: 1 };
        let shown = deliveries(&counts).into_string();
        assert!(shown.contains("1 failed") && !shown.contains("3 delivered"), "{shown}");
    }
}
