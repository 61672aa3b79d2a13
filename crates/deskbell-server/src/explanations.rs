//! What is known of an entity or an event, and why: the answer of `deskbell explain` over HTTP.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::once_a_minute::OnceAMinute;
use crate::replies::{self, Refusal};

/// Requests that are answered at the same time: each reads the log and every mirror.
const RUNNING_MAX: usize = 8;
/// Events that are explained where nothing else is said, and the most.
const EVENTS_DEFAULT: u32 = 50;
const EVENTS_MAX: u32 = 200;

/// Explains entities and events.
#[async_trait]
pub trait Explanations: fmt::Debug + Send + Sync + 'static {
    /// What is known, as JSON; `None` if nothing is.
    ///
    /// # Errors
    /// Why it could not be found out; for the log.
    async fn explain(&self, id: &str, events_max: u32) -> Result<Option<Value>, String>;
}

#[async_trait]
impl Explanations for () {
    async fn explain(&self, _: &str, _: u32) -> Result<Option<Value>, String> {
        Ok(None)
    }
}

/// Answers requests for explanations, so many at a time.
#[derive(Debug)]
pub(crate) struct Explaining {
    explanations: Arc<dyn Explanations>,
    running: Semaphore,
    failed: OnceAMinute,
}

impl Explaining {
    pub(crate) fn new(explanations: Arc<dyn Explanations>) -> Self {
        let (running, failed) = (Semaphore::new(RUNNING_MAX), OnceAMinute::new());
        Self { explanations, running, failed }
    }

    /// `GET /api/v1/explain/{id}`.
    pub(crate) async fn answer(&self, id: &str, query: &str) -> Response {
        let Some(events_max) = events_max(query) else {
            return replies::error(StatusCode::BAD_REQUEST, "invalid_parameter");
        };
        let Ok(_permit) = self.running.try_acquire() else {
            return Refusal::Overloaded.into_response();
        };
        match self.explanations.explain(id, events_max).await {
            Ok(Some(explained)) => replies::json(StatusCode::OK, explained.to_string()),
            Ok(None) => replies::not_found(),
            Err(error) => {
                match self.failed.count() {
                    Some(requests) => tracing::warn!(requests, error, "cannot explain an entity"),
                    None => tracing::debug!(error, "cannot explain an entity"),
                }
                replies::unavailable("log_unavailable")
            }
        }
    }
}

/// How many events the query asks for; `None` if it asks for something else.
fn events_max(query: &str) -> Option<u32> {
    let mut events_max = EVENTS_DEFAULT;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let limit = pair.strip_prefix("limit=")?.parse().ok()?;
        events_max = Some(limit).filter(|limit| (1..=EVENTS_MAX).contains(limit))?;
    }
    Some(events_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_how_many_events() {
        for (query, expected) in [
            ("", Some(50)),
            ("limit=1", Some(1)),
            ("limit=200", Some(200)),
            ("limit=201", None),
            ("limit=0", None),
            ("limit=", None),
            ("limits=5", None),
        ] {
            assert_eq!(events_max(query), expected, "{query}");
        }
    }
}
