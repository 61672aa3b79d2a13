//! What was seen of the endpoints: kept in the store, so that every process can tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was seen of the endpoint of every source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WatchState {
    pub sources: BTreeMap<String, EndpointState>,
}

/// What was seen of one endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EndpointState {
    /// When it was last looked at, in milliseconds since the Unix epoch; 0 where it never was.
    pub looked_at_ms: i64,
    pub problems: Vec<NoticedProblem>,
    /// Why something could not be looked at since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Since when, in milliseconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_since_ms: Option<i64>,
}

/// A problem, and since when it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticedProblem {
    pub problem: EndpointProblem,
    /// In milliseconds since the Unix epoch.
    pub since_ms: i64,
}

/// What keeps events from coming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndpointProblem {
    /// The sender has no endpoint for the source.
    Missing,
    Disabled {
        id: String,
        /// Whether it has been enabled again since.
        is_enabled_again: bool,
    },
    /// Every attempt of the last hour has failed.
    Failing {
        id: String,
        attempts: u64,
        /// The HTTP status of the last one; `None` without an answer.
        last_status: Option<i32>,
    },
    /// The endpoint's URL does not lead to the source.
    OtherUrl { id: String, url: String },
    /// Types that the config uses, and that the endpoint does not get.
    MissingEventTypes { id: String, types: Vec<String> },
    /// The endpoint signs with a secret that the config does not have.
    OtherSecret { id: String },
}

/// What a look found, and what it could not look at.
pub(super) struct SeenProblems<'a> {
    pub(super) problems: Vec<EndpointProblem>,
    /// The names of problems of which nothing is known now.
    pub(super) unknown: &'a [&'static str],
    /// Whether all of it could be looked at.
    pub(super) is_whole: bool,
}

impl EndpointProblem {
    /// Its name, by which it is known.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Disabled { .. } => "disabled",
            Self::Failing { .. } => "failing",
            Self::OtherUrl { .. } => "other_url",
            Self::MissingEventTypes { .. } => "missing_event_types",
            Self::OtherSecret { .. } => "other_secret",
        }
    }
}

impl WatchState {
    /// Notes what a look at the endpoint found. A problem that was known stays as old as it is; one of
    /// which nothing is known now stays.
    pub(super) fn note(&mut self, source: &str, seen: SeenProblems<'_>, now_ms: i64) {
        let SeenProblems { problems, unknown, is_whole } = seen;
        let before = self.sources.remove(source).unwrap_or_default();
        let since = |problem: &EndpointProblem| {
            let same = |known: &&NoticedProblem| known.problem.as_str() == problem.as_str();
            before.problems.iter().find(same).map_or(now_ms, |known| known.since_ms)
        };
        let noticed = problems.into_iter().map(|problem| {
            let since_ms = since(&problem);
            NoticedProblem { problem, since_ms }
        });
        let mut problems: Vec<_> = noticed.collect();
        let stays = |known: &&NoticedProblem| unknown.contains(&known.problem.as_str());
        problems.extend(before.problems.iter().filter(stays).cloned());
        let (error, error_since_ms) = match is_whole {
            true => (None, None),
            false => (before.error, before.error_since_ms),
        };
        let state = EndpointState { looked_at_ms: now_ms, problems, error, error_since_ms };
        self.sources.insert(source.to_owned(), state);
    }

    pub(super) fn note_failure(
        &mut self,
        source: &str,
        error: &dyn std::error::Error,
        now_ms: i64,
    ) {
        let state = self.sources.entry(source.to_owned()).or_default();
        state.error = Some(error.to_string());
        state.error_since_ms.get_or_insert(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_as_old_as_it_was_first_seen_without_a_break() {
        let disabled =
            |again| EndpointProblem::Disabled { id: "ep_1".to_owned(), is_enabled_again: again };
        let mut state = WatchState::default();
        let mut since = |problems: Vec<EndpointProblem>, now_ms| {
            let seen = SeenProblems { problems, unknown: &[], is_whole: true };
            state.note("clerk", seen, now_ms);
            state.sources["clerk"].problems.iter().map(|one| one.since_ms).collect::<Vec<_>>()
        };
        assert_eq!(since(vec![disabled(false)], 10), [10]);
        assert_eq!(since(vec![disabled(true), EndpointProblem::Missing], 20), [10, 20]);
        assert!(since(vec![], 30).is_empty());
        assert_eq!(since(vec![disabled(false)], 40), [40]);
    }

    #[test]
    fn what_was_seen_stays_while_the_sender_cannot_be_asked() {
        let mut state = WatchState::default();
        let problems = vec![EndpointProblem::Missing];
        state.note("clerk", SeenProblems { problems, unknown: &[], is_whole: true }, 10);
        state.note_failure("clerk", &std::io::Error::other("closed"), 20);
        state.note_failure("clerk", &std::io::Error::other("closed"), 30);
        let text = serde_json::to_string(&state).unwrap();
        let read: WatchState = serde_json::from_str(&text).unwrap();
        assert_eq!(read, state);
        let clerk = &state.sources["clerk"];
        assert_eq!((clerk.problems.len(), clerk.looked_at_ms), (1, 10));
        assert_eq!((clerk.error.as_deref(), clerk.error_since_ms), (Some("closed"), Some(20)));
        let seen = SeenProblems { problems: vec![], unknown: &["missing"], is_whole: false };
        state.note("clerk", seen, 40);
        assert_eq!(state.sources["clerk"].problems[0].since_ms, 10, "nobody knows better");
        let seen = SeenProblems { problems: vec![], unknown: &[], is_whole: true };
        state.note("clerk", seen, 50);
        assert_eq!(
            state.sources["clerk"],
            EndpointState { looked_at_ms: 50, ..Default::default() }
        );
    }
}
