//! `/healthz`: the process answers. `/readyz`: it can take events; with `?strict`, its mirrors go on
//! and its sources are not silent too.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use deskbell_store::{EventLog, LogHandle};
use http::StatusCode;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::mirrors::Strictness;
use crate::replies;

/// How long an answer is good for: asking more often costs the store nothing.
const ANSWER_GOOD_FOR: Duration = Duration::from_secs(1);
/// A store that has not answered after this long is not ready.
const CHECK_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a refused event outweighs what the store says of itself. An event that is taken ends
/// it at once; without it, a process that gets no requests since it is not ready would stay so.
const REFUSAL_HOLDS_FOR: Duration = Duration::from_secs(5);

/// Knows whether the store takes events: from the newest of them where one was refused, else by
/// asking the store, at most once in a while.
#[derive(Debug)]
pub(crate) struct Readiness {
    store: Arc<dyn EventLog>,
    log: LogHandle,
    last: Mutex<Option<(Instant, bool)>>,
    strictness: Strictness,
}

impl Readiness {
    pub(crate) fn new(store: Arc<dyn EventLog>, log: LogHandle, strictness: Strictness) -> Self {
        Self { store, log, last: Mutex::new(None), strictness }
    }

    async fn is_ready(&self) -> bool {
        !self.has_just_refused() && self.can_be_written_to().await
    }

    /// A store that is full refuses an event, and still takes the mark of a check.
    fn has_just_refused(&self) -> bool {
        self.log.refused_at().is_some_and(|at| at.elapsed() < REFUSAL_HOLDS_FOR)
    }

    async fn can_be_written_to(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((asked, ready)) = *last
            && asked.elapsed() < ANSWER_GOOD_FOR
        {
            return ready;
        }
        let ready = self.ask().await;
        *last = Some((Instant::now(), ready));
        ready
    }

    async fn ask(&self) -> bool {
        match tokio::time::timeout(CHECK_TIMEOUT, self.store.check_writable()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "not ready: cannot write to the store");
                false
            }
            Err(_) => {
                tracing::warn!("not ready: the store does not answer");
                false
            }
        }
    }
}

/// The paths that are answered however many requests are in flight.
const PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// Whether this is a path about health.
pub(crate) fn is_about(path: &str) -> bool {
    PATHS.contains(&path)
}

/// `GET /healthz`.
pub(crate) async fn healthz() -> Response {
    replies::json(StatusCode::OK, r#"{"healthy":true}"#)
}

/// `GET /readyz` while the store is not open yet.
pub(crate) async fn not_ready() -> Response {
    replies::json(StatusCode::SERVICE_UNAVAILABLE, r#"{"ready":false,"reason":"store"}"#)
}

/// `GET /readyz`, and `GET /readyz?strict`.
pub(crate) async fn readyz(
    State(readiness): State<Arc<Readiness>>,
    RawQuery(query): RawQuery,
) -> Response {
    if !readiness.is_ready().await {
        return not_ready().await;
    }
    if is_strict(query.as_deref().unwrap_or_default())
        && let Some(reply) = readiness.strictness.reply().await
    {
        return replies::json(StatusCode::SERVICE_UNAVAILABLE, reply);
    }
    replies::json(StatusCode::OK, r#"{"ready":true}"#)
}

fn is_strict(query: &str) -> bool {
    query.split('&').any(|pair| pair.split('=').next() == Some("strict"))
}
