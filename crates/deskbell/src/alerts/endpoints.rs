//! Alerts about endpoints in Clerk's sender, and about messages that cannot be fetched from it.

use std::collections::BTreeMap;

use deskbell_delivery::shown_time;
use deskbell_trust::{EndpointProblem, EndpointState, NoticedProblem, PullState, WatchState};

use super::condition::{AlertTarget, Condition, ConditionKind, Observation, plural};

/// The step of a condition that has no further one.
const ONLY_STEP: u32 = 1;
/// So long an endpoint that cannot be looked at is no matter.
const UNREAD_MS: i64 = 6 * 3_600_000;
const WHERE: &str = "the Clerk dashboard (Configure > Webhooks)";
const REPLAY: &str =
    "Then run `deskbell reconcile --messages --repair` for the events that were missed.";

/// What is wrong with the endpoint of this source. What is not observed any more is over.
pub(super) fn observe(source: &str, state: &WatchState, now_ms: i64) -> Vec<(String, Observation)> {
    let Some(state) = state.sources.get(source) else { return Vec::new() };
    let observed = state.problems.iter().map(|noticed| {
        let key = format!("endpoint/{source}/{}", noticed.problem.as_str());
        (key, Observation::State(Some(condition(source, noticed))))
    });
    let unread = unread(source, state, now_ms).map(|condition| {
        (format!("endpoint/{source}/unread"), Observation::State(Some(condition)))
    });
    observed.chain(unread).collect()
}

/// That the endpoint cannot be looked at, for hours.
fn unread(source: &str, state: &EndpointState, now_ms: i64) -> Option<Condition> {
    let since_ms = state.error_since_ms.filter(|since| now_ms - since >= UNREAD_MS)?;
    let error = state.error.as_deref().unwrap_or("unknown");
    let subject = "the endpoint in Clerk cannot be looked at";
    let text = format!(
        "Since {} Deskbell cannot look at the endpoint of the source {source}, or not at all of it: \
         {error}. Clerk does not document this way. Look at the endpoint in {WHERE} now and then, and set \
         `sender = {{ watch = false }}` if the way stays closed.",
        shown_time(since_ms)
    );
    let kind = ConditionKind::SourceEndpoint;
    Some(of_source(kind, (source, Some("unread")), since_ms, (subject, text)))
}

fn condition(source: &str, noticed: &NoticedProblem) -> Condition {
    let (subject, text) = texts(source, &noticed.problem);
    let target = (source, Some(noticed.problem.as_str()));
    of_source(ConditionKind::SourceEndpoint, target, noticed.since_ms, (&subject, text))
}

fn of_source(
    kind: ConditionKind,
    (source, cause): (&str, Option<&str>),
    since_ms: i64,
    (subject, text): (&str, String),
) -> Condition {
    let cause = cause.map(str::to_owned);
    Condition {
        kind,
        target: AlertTarget::Source { name: source.to_owned(), cause },
        since_ms,
        step: ONLY_STEP,
        subject: format!("{source}: {subject}"),
        text,
        counts: BTreeMap::new(),
    }
}

fn texts(source: &str, problem: &EndpointProblem) -> (String, String) {
    match problem {
        EndpointProblem::Missing => (
            "Clerk has no endpoint for this source".to_owned(),
            format!(
                "Clerk's sender has no endpoint for the source {source}, so that no event arrives. \
                 Create it with `deskbell connect --url URL`, or in {WHERE}."
            ),
        ),
        EndpointProblem::Disabled { id, is_enabled_again } => {
            let (subject, what) = match is_enabled_again {
                true => ("was disabled", "Deskbell has enabled it again (`re_enable`)."),
                false => ("is disabled", "Enable it there, or run `deskbell connect` again."),
            };
            (
                format!("the endpoint in Clerk {subject}"),
                format!(
                    "The endpoint {id} of the source {source} {subject}: no event arrives at a \
                     disabled endpoint. Clerk disables one after five days of failures; {WHERE} shows \
                     them. {what} {REPLAY}"
                ),
            )
        }
        EndpointProblem::Failing { id, attempts, last_status } => {
            let answer = last_status.map_or("no answer".to_owned(), |status| status.to_string());
            (
                "Clerk cannot deliver events".to_owned(),
                format!(
                    "The newest attempts to send events to the endpoint {id} of the source {source} have \
                     all failed ({attempts} of them; the last got {answer}). Compare the URL and \
                     the signing secret in {WHERE} with the config, and check that no firewall, proxy or \
                     DNS record blocks Clerk. After five days of failures Clerk disables the endpoint."
                ),
            )
        }
        EndpointProblem::OtherUrl { id, url } => (
            "the endpoint in Clerk has another URL".to_owned(),
            format!(
                "The endpoint {id} of the source {source} sends to {url}, which does not lead here by \
                 the source's `path` and `public_url`. Correct the URL in {WHERE}, or run `deskbell connect \
                 --url URL`. {REPLAY}"
            ),
        ),
        EndpointProblem::MissingEventTypes { id, types } => (
            format!(
                "the endpoint in Clerk lacks {}",
                plural(len(types), "event type", "event types")
            ),
            format!(
                "The endpoint {id} of the source {source} does not get these event types, which the config \
                 uses: {}. Run `deskbell connect` again, or add them in {WHERE}. Events of these types that \
                 happened meanwhile were not sent: `deskbell reconcile --repair` mends the mirrors.",
                types.join(", ")
            ),
        ),
        EndpointProblem::OtherSecret { id } => (
            "the endpoint in Clerk has another signing secret".to_owned(),
            format!(
                "The endpoint {id} of the source {source} signs with a secret that is not among \
                 `signing_secrets`, so that its requests are rejected. Copy the Signing Secret from {WHERE}, or \
                 run `deskbell connect --url URL --write-env .env`, and reload the config. {REPLAY}"
            ),
        ),
    }
}

fn len(types: &[String]) -> u64 {
    u64::try_from(types.len()).unwrap_or(u64::MAX)
}

/// Whether messages cannot be fetched, for so long.
pub(super) fn observe_pull(
    source: &str,
    state: &PullState,
    after_ms: i64,
    now_ms: i64,
) -> (String, Observation) {
    let failing = state.sources.get(source).and_then(|state| {
        let since_ms = state.failing_since_ms.filter(|since| now_ms - since >= after_ms)?;
        Some((since_ms, state.error.as_deref().unwrap_or("unknown")))
    });
    let condition = failing.map(|(since_ms, error)| {
        let text = format!(
            "Since {} the messages of the source {source} cannot be fetched from Clerk's sender: {error}. \
             Clerk does not document this way; if it stays closed, receive events with `mode = \"push\"`. \
             The sender keeps messages for 90 days: none is lost until then.",
            shown_time(since_ms)
        );
        let what = ("events cannot be fetched", text);
        of_source(ConditionKind::SourcePull, (source, None), since_ms, what)
    });
    (format!("pull/{source}"), Observation::State(condition))
}

#[cfg(test)]
mod tests {
    use deskbell_trust::PulledState;

    use super::*;

    #[test]
    fn every_problem_says_what_to_do() {
        let id = || "ep_1".to_owned();
        for (problem, expected) in [
            (EndpointProblem::Missing, "deskbell connect --url"),
            (EndpointProblem::Disabled { id: id(), is_enabled_again: false }, "Enable it there"),
            (EndpointProblem::Disabled { id: id(), is_enabled_again: true }, "re_enable"),
            (
                EndpointProblem::Failing { id: id(), attempts: 7, last_status: Some(401) },
                "7 of them; the last got 401",
            ),
            (
                EndpointProblem::Failing { id: id(), attempts: 7, last_status: None },
                "the last got no answer",
            ),
            (
                EndpointProblem::OtherUrl { id: id(), url: "https://old.example".to_owned() },
                "sends to https://old.example",
            ),
            (
                EndpointProblem::MissingEventTypes {
                    id: id(),
                    types: vec!["user.deleted".to_owned()],
                },
                "the config uses: user.deleted",
            ),
            (EndpointProblem::OtherSecret { id: id() }, "--write-env .env"),
        ] {
            let noticed = NoticedProblem { problem, since_ms: 7 };
            let condition = condition("clerk", &noticed);
            assert!(condition.text.contains(expected), "{}", condition.text);
            assert!(condition.subject.starts_with("clerk: "), "{}", condition.subject);
            assert_eq!(condition.since_ms, 7);
        }
    }

    #[test]
    fn only_what_is_seen_is_observed() {
        let problems = vec![NoticedProblem { problem: EndpointProblem::Missing, since_ms: 7 }];
        let seen = EndpointState { problems, ..EndpointState::default() };
        let state = WatchState { sources: BTreeMap::from([("clerk".to_owned(), seen)]) };
        let keys =
            |source| observe(source, &state, 0).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        assert_eq!(keys("clerk"), ["endpoint/clerk/missing"]);
        assert!(keys("other").is_empty());
    }

    #[test]
    fn an_endpoint_that_cannot_be_looked_at_is_alerted_about_after_hours() {
        let (error, error_since_ms) = (Some("closed".to_owned()), Some(1_000));
        let seen = EndpointState { error, error_since_ms, ..EndpointState::default() };
        let state = WatchState { sources: BTreeMap::from([("clerk".to_owned(), seen)]) };
        assert!(observe("clerk", &state, UNREAD_MS).is_empty());
        let observed = observe("clerk", &state, 1_000 + UNREAD_MS);
        assert_eq!(observed[0].0, "endpoint/clerk/unread");
    }

    #[test]
    fn a_short_failure_to_fetch_is_not_alerted_about() {
        let failing = PulledState { failing_since_ms: Some(1_000), ..PulledState::default() };
        let state = PullState { sources: BTreeMap::from([("clerk".to_owned(), failing)]) };
        for (now_ms, source, expected) in
            [(1_299, "clerk", false), (1_300, "clerk", true), (1_300, "other", false)]
        {
            let (_, observation) = observe_pull(source, &state, 300, now_ms);
            let Observation::State(condition) = observation else { panic!("no state") };
            assert_eq!(condition.is_some(), expected, "{now_ms} {source}");
        }
    }
}
