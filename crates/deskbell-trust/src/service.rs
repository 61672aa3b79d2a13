//! Filling and comparing mirrors for as long as the program runs, one process at a time: the share of
//! the rate limit is one process's.

mod reconciling;
mod request;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{Backoff, Leader, Store, StoreError, run_as_leader};
use deskbell_sync::FetchedFrom;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::backfill::{
    BACKFILL, Backfill, BackfillError, BackfillMirror, BackfillProgress, ProgressError, Scope,
    is_filled, read_backfill_state, with_causes,
};
use crate::emit::Emission;
use crate::followed::{BackfillSource, FollowedMirror, is_read_from};
use crate::instance::{KeyError, check_key};
use reconciling::Reconciling;
pub use reconciling::read_reconcile_state;
use request::last_request;
pub use request::{BackfillRequest, EmitRequest, request_backfill};

/// How often it is looked for something to do.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// The first pause after what could not be done whole, and the longest.
const RETRY_MIN: Duration = Duration::from_secs(10);
const RETRY_MAX: Duration = Duration::from_secs(600);

/// Fills mirrors, and compares them with Clerk.
#[derive(Debug)]
pub struct TrustService {
    store: Arc<dyn Store>,
    sources: Vec<BackfillSource>,
    mirrors: Vec<FollowedMirror>,
    reconciling: Reconciling,
    /// What was last said about a key, so that it is said once.
    reported: Option<String>,
}

/// Why mirrors could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Backfill(#[from] BackfillError),
    #[error("source `{source_name}` has no `secret_key`")]
    NoKey { source_name: String },
    #[error("destination `{name}` has not been started yet; start `deskbell serve` with it first")]
    NoDestination { name: String },
    #[error("cannot use the event log's store")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Progress(#[from] ProgressError),
}

impl TrustService {
    /// Compares mirrors that were filled in this interval; never, where there is none.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        sources: Vec<BackfillSource>,
        mirrors: Vec<FollowedMirror>,
        reconcile_every: Option<Duration>,
    ) -> Self {
        let reconciling = Reconciling::new(reconcile_every);
        Self { store, sources, mirrors, reconciling, reported: None }
    }

    /// Fills what is new or asked for until `shutdown`, while this process is the leader.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let store = Arc::clone(&self.store);
        run_as_leader(&*store, BACKFILL, &shutdown, &mut self).await;
    }

    /// Does once what is asked for here, by the process that leads.
    ///
    /// # Errors
    /// [`RunError`]: the first source that could not be read, and why.
    pub async fn run_request(
        &self,
        request: &BackfillRequest,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), RunError> {
        if let Some(emit) = &request.emit {
            return self.emit(emit, progress).await;
        }
        let scope = if request.again { Scope::Again } else { Scope::All };
        let mut outcome = Ok(());
        for source in &self.sources {
            let mirrors = self.mirrors_of(source, |name| request.names(name));
            let done = self.fill(source, mirrors, &request.entities, scope, progress).await;
            outcome = outcome.and(done);
        }
        outcome
    }

    /// Makes events of what Clerk has.
    async fn emit(
        &self,
        request: &EmitRequest,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), RunError> {
        let known = self.store.destinations().await?;
        let is_known = |name: &&String| known.iter().any(|state| *state.name == **name);
        if let Some(name) = request.destinations.iter().find(|name| !is_known(name)) {
            return Err(RunError::NoDestination { name: name.clone() });
        }
        let mut outcome = Ok(());
        for name in &request.sources {
            let found = self.sources.iter().find(|source| source.name == *name);
            let done = match found {
                Some(source) => self.emit_of(source, request, progress).await,
                None => Err(RunError::NoKey { source_name: name.clone() }),
            };
            outcome = outcome.and(done);
        }
        outcome
    }

    async fn emit_of(
        &self,
        source: &BackfillSource,
        request: &EmitRequest,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), RunError> {
        let BackfillSource { name, client, instance_id, .. } = source;
        let (store, configured) = (&*self.store, instance_id.as_deref());
        let instance_id = check_key(client, store, name, configured, &[]).await?;
        let EmitRequest { event_type, destinations, .. } = request;
        let from = FetchedFrom { source: name.as_str().into(), instance_id };
        tracing::info!(source = name, event_type, "making events of what Clerk has");
        let emission = Emission { client: client.clone(), store, from, event_type, destinations };
        Ok(emission.run(progress).await?)
    }

    /// One look at what there is to do; whether something is left that is worth another try.
    async fn run_once(&mut self) -> Result<bool, RunError> {
        let store = Arc::clone(&self.store);
        let progress = BackfillProgress::load(&*store).await?;
        if let Some(request) = last_request(&*store).await?
            && request.number > progress.now().request
        {
            progress.change(|state| (state.is_running, state.error) = (true, None)).await?;
            let outcome = if self.sources.is_empty() {
                Err("the running `deskbell serve` has no `secret_key`".to_owned())
            } else {
                let outcome = self.run_request(&request, &progress).await;
                outcome.map_err(|error| with_causes(&error))
            };
            progress
                .change(|state| {
                    state.is_running = false;
                    state.request = request.number;
                    state.error = outcome.err();
                })
                .await?;
        }
        let (mut is_left, mut outcome) = (false, Ok(()));
        for source in self.sources.iter().filter(|source| source.is_auto) {
            if is_filled(&self.mirrors_of(source, |_| true), &progress) {
                continue;
            }
            let mirrors = self.open_mirrors_of(source).await;
            if is_filled(&mirrors, &progress) {
                continue;
            }
            let done = self.fill(source, mirrors, &[], Scope::Missing, &progress).await;
            outcome = outcome.and(done);
            is_left |= !is_filled(&self.open_mirrors_of(source).await, &progress);
        }
        outcome.map(|()| is_left)
    }

    /// The mirrors of a source, with what is blocked in them.
    async fn open_mirrors_of(&self, source: &BackfillSource) -> Vec<BackfillMirror> {
        let mut mirrors = Vec::new();
        for mut mirror in self.mirrors_of(source, |_| true) {
            // One that is away is tried again by itself.
            if mirror.look_at_blocked().await.is_ok() {
                mirrors.push(mirror);
            }
        }
        mirrors
    }

    async fn fill(
        &self,
        source: &BackfillSource,
        mirrors: Vec<BackfillMirror>,
        entities: &[String],
        scope: Scope,
        progress: &BackfillProgress<'_>,
    ) -> Result<(), RunError> {
        if mirrors.is_empty() {
            return Ok(());
        }
        let BackfillSource { name, client, instance_id, .. } = source;
        let (store, configured) = (&*self.store, instance_id.as_deref());
        let (mut ours, mut refused) = (Vec::new(), None);
        // A mirror of another instance stops none of the others.
        for mirror in mirrors {
            match check_key(client, store, name, configured, &[mirror.fold()]).await {
                Ok(instance_id) => ours.push((instance_id, mirror)),
                Err(error) => refused = Some(error),
            }
        }
        let Some((instance_id, _)) = ours.first() else {
            return refused.map_or(Ok(()), |error| Err(error.into()));
        };
        let instance_id = instance_id.clone();
        let mirrors = ours.into_iter().map(|(_, mirror)| mirror).collect();
        tracing::info!(source = name, instance_id, "filling mirrors from Clerk's Backend API");
        let from = FetchedFrom { source: name.as_str().into(), instance_id };
        let log_id = store.log_id();
        let backfill = Backfill { client: client.clone(), from, log_id, mirrors };
        backfill.run(entities, scope, progress).await?;
        tracing::info!(source = name, "the backfill has ended");
        refused.map_or(Ok(()), |error| Err(error.into()))
    }

    /// The open mirrors that are filled from this source: the first of their sources with a key.
    fn mirrors_of(
        &self,
        source: &BackfillSource,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<BackfillMirror> {
        let ours = self.mirrors.iter().filter(|FollowedMirror { options, .. }| {
            is_wanted(&options.destination) && is_read_from(options, source, &self.sources)
        });
        let open = ours.filter_map(|mirror| {
            let target = mirror.target.borrow().clone()?;
            Some(BackfillMirror::new(target, &mirror.options))
        });
        open.collect()
    }

    fn report(&mut self, error: &RunError, pause: Duration) {
        let text = with_causes(error);
        if self.reported.as_ref() == Some(&text) {
            return;
        }
        let instance = match error {
            RunError::Key(KeyError::NoEvent { found, .. }) => Some(found),
            _ => None,
        };
        let error = error as &dyn std::error::Error;
        let retry_in_s = pause.as_secs();
        if let Some(found) = instance {
            tracing::warn!(
                error,
                "mirrors are not filled with what existed before until an event of this instance \
                 arrives; to confirm the key now, set `instance_id = \"{found}\"`"
            );
        } else {
            tracing::warn!(error, retry_in_s, "mirrors are not filled with what existed before");
        }
        self.reported = Some(text);
    }
}

#[async_trait]
impl Leader for TrustService {
    /// Dropped at any moment: what is written is written, and the rest goes on from the state.
    async fn lead(&mut self, shutdown: CancellationToken) {
        let mut backoff = Backoff::new(RETRY_MAX);
        let mut not_before = Instant::now();
        loop {
            if Instant::now() >= not_before || self.is_asked().await {
                let Some(done) = shutdown.run_until_cancelled(self.run_once()).await else {
                    return;
                };
                let pause = match &done {
                    Ok(false) => {
                        backoff.reset();
                        self.reported = None;
                        Duration::ZERO
                    }
                    // The next event may say whose key it is.
                    Err(RunError::Key(KeyError::NoEvent { .. })) => RETRY_MIN,
                    Ok(true) | Err(_) => backoff.failed().max(RETRY_MIN),
                };
                not_before = Instant::now() + pause;
                if let Err(error) = &done {
                    self.report(error, pause);
                }
            }
            // What cannot be filled keeps nothing else from being compared.
            let (sources, mirrors) = (&self.sources, &self.mirrors);
            let due = self.reconciling.run_if_due(&*self.store, sources, mirrors);
            let pause = async {
                due.await;
                sleep(POLL_INTERVAL).await;
            };
            if shutdown.run_until_cancelled(pause).await.is_none() {
                return;
            }
        }
    }
}

impl TrustService {
    /// Whether there is a request that was not begun.
    async fn is_asked(&self) -> bool {
        let store = &*self.store;
        let (request, state) = tokio::join!(last_request(store), read_backfill_state(store));
        let begun = state.ok().flatten().map_or(0, |state| state.request);
        request.ok().flatten().is_some_and(|request| request.number > begun)
    }
}
