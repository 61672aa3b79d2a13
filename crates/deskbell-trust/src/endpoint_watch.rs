//! The endpoint of a source in Clerk's sender, looked at now and then: whether events can come at all.

mod attempts;
mod look;
mod source;
mod state;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::clock::now_ms;
use deskbell_store::{ConsumerLog, Leader, Leases, StoreError, run_as_leader};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::look::{LookError, Looked, look};
pub use self::source::{UsedTypes, WatchedSource};
use self::state::SeenProblems;
pub use self::state::{EndpointProblem, EndpointState, NoticedProblem, WatchState};
use crate::sender_login::SenderLogin;

/// The consumer whose leader looks at endpoints; its report is what it saw.
const WATCH: &str = "endpoint-watch";
/// How often an endpoint is looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(10 * 60);
/// How soon it is tried again where the sender could not be asked.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// Looks at the endpoints of all sources, in one process at a time.
#[derive(Debug)]
pub struct EndpointWatch {
    store: Arc<dyn ConsumerLog>,
    sources: Vec<(WatchedSource, SenderLogin)>,
    every: Duration,
}

impl EndpointWatch {
    #[must_use]
    pub fn new(store: Arc<dyn ConsumerLog>, sources: Vec<WatchedSource>, every: Duration) -> Self {
        let with_login = |source: WatchedSource| {
            let login = SenderLogin::new(source.client.clone());
            (source, login)
        };
        Self { store, sources: sources.into_iter().map(with_login).collect(), every }
    }

    /// Looks until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        if self.sources.is_empty() {
            return shutdown.cancelled().await;
        }
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, WATCH, &shutdown, &mut self).await;
    }

    /// Looks at every endpoint; whether all could be looked at.
    async fn look_at_all(&mut self) -> Result<bool, StoreError> {
        let mut state = read_watch_state(&*self.store).await?.unwrap_or_default();
        let sources = &self.sources;
        state.sources.retain(|name, _| sources.iter().any(|(source, _)| source.name == *name));
        let mut is_whole = true;
        for (source, login) in &mut self.sources {
            let now_ms = now_ms();
            let before = state.sources.get(&source.name).cloned().unwrap_or_default();
            let mut looked = look(source, login, &before, now_ms).await;
            if let Some(error) = failure(&looked)
                && login.has_ended(error.api_error())
            {
                looked = look(source, login, &before, now_ms).await;
            }
            if let Some(error) = failure(&looked) {
                report_failure(source, error, &before);
                state.note_failure(&source.name, error, now_ms);
                is_whole = false;
            }
            if let Ok(Looked { problems, unknown, error }) = looked {
                report(source, &problems, now_ms);
                let (unknown, is_whole) = (&unknown[..], error.is_none());
                state.note(&source.name, SeenProblems { problems, unknown, is_whole }, now_ms);
            }
        }
        // Strings and numbers: it cannot fail.
        let body = serde_json::to_string(&state).unwrap_or_default();
        self.store.publish_report(WATCH, &body).await?;
        Ok(is_whole)
    }
}

#[async_trait]
impl Leader for EndpointWatch {
    async fn lead(&mut self, shutdown: CancellationToken) {
        loop {
            let Some(looked) = shutdown.run_until_cancelled(self.look_at_all()).await else {
                return;
            };
            let pause = match looked {
                Ok(true) => self.every,
                Ok(false) => RETRY_AFTER.min(self.every),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the state of endpoints in Clerk's sender is not kept");
                    RETRY_AFTER.min(self.every)
                }
            };
            if shutdown.run_until_cancelled(sleep(pause)).await.is_none() {
                return;
            }
        }
    }
}

/// What was seen last; `None` where nothing ever was.
///
/// # Errors
/// The store could not be read.
pub async fn read_watch_state(store: &dyn Leases) -> Result<Option<WatchState>, StoreError> {
    let report = store.latest_report(WATCH).await?;
    Ok(report.and_then(|report| serde_json::from_str(&report.body).ok()))
}

fn failure(looked: &Result<Looked, LookError>) -> Option<&LookError> {
    looked.as_ref().map_or_else(Some, |looked| looked.error.as_ref())
}

fn report(source: &WatchedSource, problems: &[EndpointProblem], now_ms: i64) {
    let count = u32::try_from(problems.len()).unwrap_or(u32::MAX);
    let labels = [("source", source.name.clone())];
    metrics::gauge!("deskbell_endpoint_problems", &labels).set(f64::from(count));
    let seconds = (now_ms / 1_000) as f64;
    metrics::gauge!("deskbell_endpoint_last_look_timestamp_seconds", &labels).set(seconds);
}

/// Logged once, not at each try: Clerk does not document the way, and it may be closed for good.
fn report_failure(source: &WatchedSource, error: &LookError, before: &EndpointState) {
    let text = error.to_string();
    if before.error.as_ref() == Some(&text) {
        return;
    }
    let error = error as &dyn std::error::Error;
    tracing::warn!(
        source = source.name,
        error,
        "cannot look at the endpoint in Clerk's sender; look at it in the Clerk dashboard, Configure > \
         Webhooks"
    );
}
