//! What is not as it should be.

use deskbell_admin::{AlertView, DestinationState, DestinationView, Overview, SourceOverview};

use crate::badge::{Tone, destination_tone};
use crate::clip::clip;
use crate::destination::address;
use crate::link;
use crate::number;
use crate::switched_off::is_switched_off;
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

/// The worst first. What an alert says already is not repeated.
pub(super) fn problems(overview: &Overview) -> Vec<Problem> {
    let mut problems: Vec<_> =
        overview.alerts.iter().map(|alert| of_alert(alert, overview)).collect();
    problems.extend(overview.destinations.iter().filter_map(|one| of_destination(one, overview)));
    problems.extend(overview.sources.iter().filter_map(|source| of_silence(source, overview)));
    problems.sort_by_key(|problem| std::cmp::Reverse(problem.tone));
    problems
}

/// Whether an alert of one of these kinds is open. A kind begins with what it is about: a destination
/// and a source can have the same name.
fn is_alerted(overview: &Overview, about: &str, kinds: &[&str]) -> bool {
    overview.alerts.iter().any(|alert| alert.about == about && kinds.contains(&&*alert.kind))
}

/// The alerts that say what a state says.
fn alerts_of(state: DestinationState) -> &'static [&'static str] {
    match state {
        DestinationState::Failing => &["destination.failing"],
        DestinationState::Disabled => &["destination.disabled"],
        DestinationState::Waiting => &["mirror.away"],
        DestinationState::Blocked => &["mirror.blocked"],
        _ => &[],
    }
}

const ALERTS_OF_DEAD_LETTERS: &[&str] = &["delivery.dead_letters", "mirror.dead_letters"];
const ALERTS_OF_SILENCE: &[&str] = &["source.silent"];

fn of_alert(alert: &AlertView, overview: &Overview) -> Problem {
    let is_of_source = alert.kind.starts_with("source.");
    let mut destinations = overview.destinations.iter().filter(|_| !is_of_source);
    let destination = destinations.find(|one| one.name == alert.about);
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

fn of_destination(destination: &DestinationView, overview: &Overview) -> Option<Problem> {
    let is_alerted = |kinds| is_alerted(overview, &destination.name, kinds);
    let state = destination.state;
    let is_wrong = !state.is_well() && !is_switched_off(destination);
    let summary = (is_wrong && !is_alerted(alerts_of(state)))
        .then(|| clip(&destination.summary, TEXT_CHARS_MAX));
    let dead = destination.dead_lettered.filter(|dead| *dead > 0);
    let dead = dead.filter(|_| !is_alerted(ALERTS_OF_DEAD_LETTERS));
    let dead = dead.map(|dead| number::counted(dead, "dead letter"));
    let texts: Vec<_> = summary.iter().chain(&dead).map(String::as_str).collect();
    if texts.is_empty() {
        return None;
    }
    Some(Problem {
        tone: if summary.is_some() { destination_tone(state) } else { Tone::Warn },
        about: destination.name.clone(),
        text: texts.join("; "),
        link: Some(if summary.is_some() {
            ("Show", address(destination))
        } else {
            ("Dead letters", link::dead_letters(&destination.name))
        }),
    })
}

fn of_silence(source: &SourceOverview, overview: &Overview) -> Option<Problem> {
    if is_alerted(overview, &source.name, ALERTS_OF_SILENCE) {
        return None;
    }
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
    use deskbell_admin::Timestamp;
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
            "dead_lettered": dead_lettered, "summary": format!("{} since noon", state.as_str()),
        }))
        .unwrap()
    }

    fn alert(kind: &str, about: &str) -> AlertView {
        AlertView {
            kind: kind.to_owned(),
            about: about.to_owned(),
            since: Timestamp(NOW - 60_000),
            message: "alerted".to_owned(),
        }
    }

    fn texts(overview: &Overview) -> Vec<(String, String)> {
        problems(overview).into_iter().map(|one| (one.about, one.text)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(about, text)| ((*about).to_owned(), (*text).to_owned())).collect()
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
            destination("down", DestinationState::Failing, 0),
        ];
        overview.alerts = vec![alert("destination.failing", "down")];
        let expected = [
            ("down", "alerted (for 1 min)"),
            ("letters", "2 dead letters"),
            ("paused", "paused since noon"),
        ];
        assert_eq!(texts(&overview), pairs(&expected));
    }

    #[test]
    fn an_alert_hides_nothing_that_it_does_not_say() {
        let mut overview = overview();
        overview.destinations = vec![
            destination("crm", DestinationState::Failing, 3),
            destination("clerk", DestinationState::NotRunning, 0),
        ];
        overview.alerts =
            vec![alert("delivery.dead_letters", "crm"), alert("source.silent", "clerk")];
        let expected = [
            ("crm", "alerted (for 1 min)"),
            ("clerk", "alerted (for 1 min)"),
            ("crm", "failing since noon"),
            ("clerk", "not_running since noon"),
        ];
        assert_eq!(texts(&overview), pairs(&expected));
        assert_eq!(problems(&overview)[1].link, None, "the source is no destination");
    }

    #[test]
    fn a_paused_mirror_is_a_problem_and_what_is_switched_off_is_none() {
        let mut overview = overview();
        let mut mirror = destination("mirror", DestinationState::Paused, 0);
        let mut off = destination("off", DestinationState::NotStarted, 0);
        (mirror.enabled, off.enabled) = (Some(false), Some(false));
        overview.destinations = vec![mirror, off];
        assert_eq!(texts(&overview), pairs(&[("mirror", "paused since noon")]));
    }
}
