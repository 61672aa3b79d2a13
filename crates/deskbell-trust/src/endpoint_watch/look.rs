//! One look at an endpoint.

use clerk_api::sender::{
    AttemptStatus, Endpoint, EndpointChange, EndpointError, EventFilter, ReadError, SenderSession,
    SessionError, TimeRange,
};
use clerk_webhooks::Secret;
use url::Url;

use super::source::WatchedSource;
use super::state::EndpointProblem;
use crate::messages::endpoint_of;
use crate::sender_login::SenderLogin;

/// The attempts of this time say whether the endpoint fails.
const FAILING_WITHIN_MS: i64 = 3_600_000;
/// It fails if all of at least so many attempts have failed, the first of them so long ago.
const ATTEMPTS_MIN: usize = 3;
const FAILING_FOR_MS: i64 = 10 * 60_000;

/// The sender could not be asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum LookError {
    #[error("cannot log in to Clerk's sender")]
    Session(#[from] SessionError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Enable(#[from] EndpointError),
}

/// Looks at the endpoint of a source, and enables it again if that is wanted.
pub(super) async fn look(
    source: &WatchedSource,
    login: &mut SenderLogin,
    now_ms: i64,
) -> Result<Vec<EndpointProblem>, LookError> {
    let Some(session) = login.find().await? else { return Ok(vec![EndpointProblem::Missing]) };
    let endpoints = session.endpoints().await?;
    let Some(endpoint) = endpoint_of(&endpoints, &source.name, &source.paths) else {
        return Ok(vec![EndpointProblem::Missing]);
    };
    let mut problems = Vec::new();
    if endpoint.is_disabled {
        problems.push(disabled(source, endpoint, &session).await?);
    }
    let attempts = last_attempts(endpoint, &session, now_ms).await?;
    if !endpoint.is_disabled && attempts.is_failing(now_ms) {
        problems.push(attempts.problem(&endpoint.id));
    }
    if !is_url_of(source, &endpoint.url, attempts.has_success) {
        let (id, url) = (endpoint.id.clone(), endpoint.url.clone());
        problems.push(EndpointProblem::OtherUrl { id, url });
    }
    problems.extend(missing_types(source, endpoint, &session).await?);
    problems.extend(other_secret(source, endpoint, &session).await?);
    Ok(problems)
}

async fn disabled(
    source: &WatchedSource,
    endpoint: &Endpoint,
    session: &SenderSession,
) -> Result<EndpointProblem, EndpointError> {
    if source.re_enables {
        let change = EndpointChange { is_disabled: Some(false), ..EndpointChange::default() };
        session.change_endpoint(&endpoint.id, &change).await?;
        tracing::warn!(
            source = source.name,
            endpoint = endpoint.id,
            "the endpoint in Clerk's sender was disabled, and is enabled again"
        );
    }
    Ok(EndpointProblem::Disabled { id: endpoint.id.clone(), is_enabled_again: source.re_enables })
}

/// The newest attempts to send a message to the endpoint.
#[derive(Default)]
struct Attempts {
    failed: usize,
    has_success: bool,
    /// The oldest of those that failed, in Unix milliseconds.
    first_failure_ms: Option<i64>,
    last_status: Option<i32>,
}

async fn last_attempts(
    endpoint: &Endpoint,
    session: &SenderSession,
    now_ms: i64,
) -> Result<Attempts, ReadError> {
    let range = TimeRange { after: Some(now_ms - FAILING_WITHIN_MS), before: None };
    let page = session.attempts(&endpoint.id, range, None).await?;
    let mut attempts = Attempts::default();
    for attempt in page.items {
        match attempt.status {
            AttemptStatus::Succeeded => attempts.has_success = true,
            AttemptStatus::Failed => {
                attempts.failed += 1;
                attempts.first_failure_ms = Some(attempt.timestamp);
                // The newest comes first.
                attempts.last_status.get_or_insert(attempt.response_status);
            }
            _ => {}
        }
    }
    Ok(attempts)
}

impl Attempts {
    fn is_failing(&self, now_ms: i64) -> bool {
        !self.has_success
            && self.failed >= ATTEMPTS_MIN
            && self.first_failure_ms.is_some_and(|first| now_ms - first >= FAILING_FOR_MS)
    }

    fn problem(&self, id: &str) -> EndpointProblem {
        EndpointProblem::Failing {
            id: id.to_owned(),
            attempts: u64::try_from(self.failed).unwrap_or(u64::MAX),
            last_status: self.last_status.filter(|status| *status > 0),
        }
    }
}

/// Whether the URL leads here. A proxy may change the path: where attempts succeed, it does.
fn is_url_of(source: &WatchedSource, url: &str, has_success: bool) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let is_here = source.public_url.as_ref().is_none_or(|public| public.origin() == url.origin());
    is_here && (has_success || source.paths.iter().any(|path| path == url.path()))
}

async fn missing_types(
    source: &WatchedSource,
    endpoint: &Endpoint,
    session: &SenderSession,
) -> Result<Option<EndpointProblem>, ReadError> {
    let EventFilter::Only(taken) = &endpoint.events else { return Ok(None) };
    let known = session.event_types().await?;
    // What the sender does not know, no endpoint can have.
    let can_be = |name: &String| known.is_empty() || known.contains(name);
    let used = (source.used_types)(&known).into_iter();
    let types: Vec<_> = used.filter(|name| can_be(name) && !taken.contains(name)).collect();
    let id = endpoint.id.clone();
    Ok((!types.is_empty()).then_some(EndpointProblem::MissingEventTypes { id, types }))
}

async fn other_secret(
    source: &WatchedSource,
    endpoint: &Endpoint,
    session: &SenderSession,
) -> Result<Option<EndpointProblem>, ReadError> {
    let Some(secret) = session.endpoint_secret(&endpoint.id).await? else { return Ok(None) };
    let is_ours =
        Secret::parse(secret.expose()).is_ok_and(|secret| source.signing_secrets.contains(&secret));
    Ok((!is_ours).then(|| EndpointProblem::OtherSecret { id: endpoint.id.clone() }))
}
