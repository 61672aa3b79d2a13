//! What is not as it should be.

use deskbell_admin::{AlertView, DestinationView, Overview, SourceOverview};

use crate::badge::{Tone, destination_tone, words};
use crate::clip::clip;
use crate::destination::address;
use crate::number;
use crate::time;

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) tone: Tone,
    /// A destination, a source.
    pub(super) about: String,
    pub(super) text: String,
    /// Where to look: what it is called, and its address.
    pub(super) link: Option<(&'static str, String)>,
}

/// Of a longer text, so many characters are shown: its page has all of it.
const TEXT_CHARS_MAX: usize = 240;

/// The worst first. An alert stands for what its destination's or source's state says too.
pub(super) fn problems(overview: &Overview) -> Vec<Problem> {
    let alerted = |name: &str| overview.alerts.iter().any(|alert| alert.about == name);
    let mut problems: Vec<_> =
        overview.alerts.iter().map(|alert| of_alert(alert, overview)).collect();
    let destinations = overview.destinations.iter().filter(|one| !alerted(&one.name));
    problems.extend(destinations.filter_map(of_destination));
    let sources = overview.sources.iter().filter(|one| !alerted(&one.name));
    problems.extend(sources.filter_map(|source| of_silence(source, overview)));
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.tone));
    problems
}

fn of_alert(alert: &AlertView, overview: &Overview) -> Problem {
    let destination = overview.destinations.iter().find(|one| one.name == alert.about);
    let text = format!(
        "{} (for {})",
        clip(&alert.message, TEXT_CHARS_MAX),
        time::span(overview.now.0.saturating_sub(alert.since.0))
    );
    Problem {
        tone: Tone::Bad,
        about: alert.about.clone(),
        text,
        link: destination.map(|one| ("Show", address(one))),
    }
}

fn of_destination(destination: &DestinationView) -> Option<Problem> {
    let dead = destination.dead_lettered.unwrap_or(0);
    let state = (!destination.state.is_well() && destination.enabled != Some(false))
        .then(|| words(destination.state.as_str()));
    let text = match (&state, dead) {
        (None, 0) => return None,
        (Some(state), 0) => state.clone(),
        (None, dead) => number::counted(dead, "dead letter"),
        (Some(state), dead) => format!("{state}, {}", number::counted(dead, "dead letter")),
    };
    let reason = destination.reason.as_deref().filter(|_| state.is_some());
    Some(Problem {
        tone: if state.is_some() { destination_tone(destination.state) } else { Tone::Warn },
        about: destination.name.clone(),
        text: reason
            .map_or(text.clone(), |reason| format!("{text}: {}", clip(reason, TEXT_CHARS_MAX))),
        link: Some(if state.is_none() {
            ("Dead letters", "/dashboard/dead-letters".to_owned())
        } else {
            ("Show", address(destination))
        }),
    })
}

fn of_silence(source: &SourceOverview, overview: &Overview) -> Option<Problem> {
    let since = source.silent_since?;
    let silence = time::span(overview.now.0.saturating_sub(since.0));
    let usual =
        source.usual_per_hour.map(|rate| format!(", usually {} an hour", number::rate(rate)));
    Some(Problem {
        tone: Tone::Bad,
        about: source.name.clone(),
        text: format!("nothing for {silence}{}", usual.unwrap_or_default()),
        link: Some(("Set-up guide", "/dashboard/setup".to_owned())),
    })
}

#[cfg(test)]
mod tests {
    use deskbell_admin::{DestinationState, Timestamp};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_795_248_000_000;

    fn overview() -> Overview {
        Overview {
            version: "0.1.0".to_owned(),
            now: Timestamp(NOW),
            head: 9,
            minutes: Vec::new(),
            ack_latency: None,
            sources: Vec::new(),
            destinations: Vec::new(),
            duplicates: 0,
            refused: Vec::new(),
            alerts: Vec::new(),
        }
    }

    fn destination(name: &str, state: DestinationState, dead_lettered: u64) -> DestinationView {
        serde_json::from_value(json!({
            "name": name, "type": "http", "enabled": true, "state": state, "head": 9,
            "dead_lettered": dead_lettered, "reason": "the receiver answered 503",
        }))
        .unwrap()
    }

    #[test]
    fn a_log_without_trouble_has_no_problems() {
        let mut overview = overview();
        overview.destinations = vec![
            destination("app", DestinationState::Ok, 0),
            destination("mirror", DestinationState::Behind, 0),
        ];
        assert_eq!(problems(&overview), []);
    }

    #[test]
    fn silence_is_told_with_what_is_usual() {
        let mut overview = overview();
        overview.sources = vec![SourceOverview {
            name: "clerk".to_owned(),
            paths: Vec::new(),
            url: None,
            has_secret_key: false,
            last_event_at: None,
            events_last_day: 0,
            usual_per_hour: Some(40.2),
            silent_since: Some(Timestamp(NOW - 3 * 3_600_000)),
        }];
        assert_eq!(problems(&overview)[0].text, "nothing for 3 h, usually 40 an hour");
    }

    #[test]
    fn the_worst_is_first_and_an_alert_is_not_told_twice() {
        let mut overview = overview();
        overview.destinations = vec![
            destination("letters", DestinationState::Ok, 2),
            destination("paused", DestinationState::Paused, 0),
            destination("down", DestinationState::Failing, 1),
        ];
        overview.alerts = vec![AlertView {
            kind: "destination.failing".to_owned(),
            about: "down".to_owned(),
            since: Timestamp(NOW - 60_000),
            message: "every attempt has failed".to_owned(),
        }];
        let found = problems(&overview);
        let shown: Vec<_> =
            found.iter().map(|one| (one.about.as_str(), one.text.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("down", "every attempt has failed (for 1 min)"),
                ("letters", "2 dead letters"),
                ("paused", "paused: the receiver answered 503"),
            ]
        );
    }
}
