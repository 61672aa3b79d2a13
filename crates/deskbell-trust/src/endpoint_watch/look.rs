//! One look at an endpoint.

use clerk_api::ApiError;
use clerk_api::sender::{
    Endpoint, EndpointChange, EndpointError, EventFilter, ReadError, SenderSession, SessionError,
};
use clerk_webhooks::Secret;
use url::Url;

use super::attempts::Attempts;
use super::source::WatchedSource;
use super::state::{EndpointProblem, EndpointState};
use crate::connect::endpoint_uid;
use crate::sender_login::SenderLogin;

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

/// What a look found.
#[derive(Default)]
pub(super) struct Looked {
    pub(super) problems: Vec<EndpointProblem>,
    /// The names of problems of which it is not known whether there are any.
    pub(super) unknown: Vec<&'static str>,
    /// The first failure.
    pub(super) error: Option<LookError>,
}

impl LookError {
    pub(super) fn api_error(&self) -> Option<&ApiError> {
        match self {
            Self::Session(_) => None,
            Self::Read(error) => error.api_error(),
            Self::Enable(error) => error.api_error(),
        }
    }
}

impl Looked {
    fn of(problem: EndpointProblem) -> Self {
        Self { problems: vec![problem], ..Self::default() }
    }

    /// Notes what was found, or that this could not be looked at.
    fn add<E: Into<LookError>>(
        &mut self,
        names: &[&'static str],
        found: Result<Vec<EndpointProblem>, E>,
    ) {
        match found {
            Ok(problems) => self.problems.extend(problems),
            Err(error) => {
                self.unknown.extend(names);
                self.error.get_or_insert(error.into());
            }
        }
    }
}

/// Looks at the endpoint of a source, and enables it again if that is wanted. `before` is what was seen
/// last.
pub(super) async fn look(
    source: &WatchedSource,
    login: &mut SenderLogin,
    before: &EndpointState,
    now_ms: i64,
) -> Result<Looked, LookError> {
    let Some(session) = login.find().await? else {
        return Ok(Looked::of(EndpointProblem::Missing));
    };
    let endpoints = session.endpoints().await?;
    let candidates = candidates(source, &endpoints);
    let endpoint = match candidates[..] {
        [] => return Ok(Looked::of(EndpointProblem::Missing)),
        [endpoint] => endpoint,
        // As during a rotation, or where several environments have one path: ours has our secret.
        [first, ..] => match with_our_secret(source, &candidates, &session).await? {
            Some(endpoint) => endpoint,
            None => return Ok(Looked::of(EndpointProblem::OtherSecret { id: first.id.clone() })),
        },
    };
    let mut looked = Looked::default();
    if endpoint.is_disabled {
        let (problem, error) = disabled(source, endpoint, &session).await;
        looked.problems.push(problem);
        looked.error = error.map(LookError::from);
    }
    let attempts = Attempts::read(&session, &endpoint.id, now_ms).await;
    let of_attempts =
        attempts.map(|attempts| problems_of_attempts(source, endpoint, &attempts, before, now_ms));
    looked.add(&["failing", "other_url"], of_attempts);
    looked.add(&["missing_event_types"], missing_types(source, endpoint, &session).await);
    looked.add(&["other_secret"], other_secret(source, endpoint, &session).await);
    Ok(looked)
}

/// The endpoint that `connect` made, or all that lead to the source.
fn candidates<'a>(source: &WatchedSource, endpoints: &'a [Endpoint]) -> Vec<&'a Endpoint> {
    let uid = endpoint_uid(&source.name);
    if let Some(ours) = endpoints.iter().find(|one| one.uid.as_ref() == Some(&uid)) {
        return vec![ours];
    }
    let leads_here = |one: &&Endpoint| {
        let url = Url::parse(&one.url).ok();
        url.is_some_and(|url| is_at(source, &url) && has_path(source, &url))
    };
    endpoints.iter().filter(leads_here).collect()
}

fn is_at(source: &WatchedSource, url: &Url) -> bool {
    source.public_url.as_ref().is_none_or(|public| public.origin() == url.origin())
}

fn has_path(source: &WatchedSource, url: &Url) -> bool {
    source.paths.iter().any(|path| path == url.path())
}

/// The endpoint of these that signs with a secret of the config, an enabled one if there is one.
async fn with_our_secret<'a>(
    source: &WatchedSource,
    candidates: &[&'a Endpoint],
    session: &SenderSession,
) -> Result<Option<&'a Endpoint>, ReadError> {
    let mut ours: Option<&Endpoint> = None;
    for endpoint in candidates {
        if is_ours(source, &endpoint.id, session).await?
            && ours.is_none_or(|known| known.is_disabled)
        {
            ours = Some(endpoint);
        }
    }
    Ok(ours)
}

async fn disabled(
    source: &WatchedSource,
    endpoint: &Endpoint,
    session: &SenderSession,
) -> (EndpointProblem, Option<EndpointError>) {
    let id = endpoint.id.clone();
    if !source.re_enables {
        return (EndpointProblem::Disabled { id, is_enabled_again: false }, None);
    }
    let change = EndpointChange { is_disabled: Some(false), ..EndpointChange::default() };
    match session.change_endpoint(&endpoint.id, &change).await {
        Ok(_) => {
            tracing::warn!(
                source = source.name,
                endpoint = endpoint.id,
                "the endpoint in Clerk's sender was disabled, and is enabled again"
            );
            (EndpointProblem::Disabled { id, is_enabled_again: true }, None)
        }
        Err(error) => (EndpointProblem::Disabled { id, is_enabled_again: false }, Some(error)),
    }
}

fn problems_of_attempts(
    source: &WatchedSource,
    endpoint: &Endpoint,
    attempts: &Attempts,
    before: &EndpointState,
    now_ms: i64,
) -> Vec<EndpointProblem> {
    let mut problems = Vec::new();
    if !endpoint.is_disabled {
        problems.extend(attempts.failing(&endpoint.id, before, now_ms));
    }
    // A proxy may change the path. It does not where nothing arrives.
    let leads_here = Url::parse(&endpoint.url)
        .is_ok_and(|url| is_at(source, &url) && (has_path(source, &url) || !attempts.only_fail()));
    if !leads_here {
        let (id, url) = (endpoint.id.clone(), shown(&endpoint.url));
        problems.push(EndpointProblem::OtherUrl { id, url });
    }
    problems
}

/// The address without what may be secret in it.
fn shown(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return "what is no URL".to_owned() };
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

async fn missing_types(
    source: &WatchedSource,
    endpoint: &Endpoint,
    session: &SenderSession,
) -> Result<Vec<EndpointProblem>, ReadError> {
    let EventFilter::Only(taken) = &endpoint.events else { return Ok(Vec::new()) };
    let known = session.event_types().await?;
    // What the sender does not know, no endpoint can have.
    let can_be = |name: &String| known.is_empty() || known.contains(name);
    let used = (source.used_types)(&known).into_iter();
    let types: Vec<_> = used.filter(|name| can_be(name) && !taken.contains(name)).collect();
    let id = endpoint.id.clone();
    let problem = || EndpointProblem::MissingEventTypes { id, types: types.clone() };
    Ok((!types.is_empty()).then(problem).into_iter().collect())
}

async fn other_secret(
    source: &WatchedSource,
    endpoint: &Endpoint,
    session: &SenderSession,
) -> Result<Vec<EndpointProblem>, ReadError> {
    let is_ours = is_ours(source, &endpoint.id, session).await?;
    let problem = || EndpointProblem::OtherSecret { id: endpoint.id.clone() };
    Ok((!is_ours).then(problem).into_iter().collect())
}

/// Whether the endpoint signs with a secret of the config; also where the sender does not say.
async fn is_ours(
    source: &WatchedSource,
    endpoint_id: &str,
    session: &SenderSession,
) -> Result<bool, ReadError> {
    let Some(secret) = session.endpoint_secret(endpoint_id).await? else { return Ok(true) };
    let secret = Secret::parse(secret.expose());
    Ok(secret.is_ok_and(|secret| source.signing_secrets.contains(&secret)))
}
