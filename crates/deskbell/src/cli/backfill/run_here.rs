//! A backfill by this process, where no `serve` runs.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{COMMANDS, Leader, Leases, Store, run_as_leader};
use deskbell_sync::connect;
use deskbell_trust::{
    BACKFILL, BackfillProgress, BackfillRequest, BackfillState, FollowedMirror, RunError,
    TrustService,
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::super::clerk::error::{Error, failure};
use super::super::clerk::task::Task;
use super::super::exit;
use super::show::Shown;

/// How long others are kept out before this process leads.
const LEASE: Duration = Duration::from_secs(3);

/// Fills once, while this process is the leader.
struct Once<'a> {
    service: TrustService,
    store: Arc<dyn Store>,
    request: &'a BackfillRequest,
    shown: &'a Shown,
    done: CancellationToken,
    outcome: Option<Result<BackfillState, RunError>>,
}

pub(super) async fn run(
    task: &Task,
    store: &Arc<dyn Store>,
    shown: &Shown,
) -> Result<BackfillState, exit::Failure> {
    let outcome = fill(task, store, shown).await;
    // Where that fails, a program that starts meanwhile waits for the lease's end.
    let _ = store.release_lease(COMMANDS).await;
    outcome.map_err(failure)
}

async fn fill(task: &Task, store: &Arc<dyn Store>, shown: &Shown) -> Result<BackfillState, Error> {
    let mut mirrors = Vec::new();
    for options in &task.mirrors {
        let target = connect(options)
            .await
            .map_err(|source| Error::Mirror { destination: options.destination.clone(), source })?;
        let (_, target) = watch::channel(Some(target));
        mirrors.push(FollowedMirror { options: options.clone(), target });
    }
    if !store.renew_lease(BACKFILL, LEASE).await? {
        return Err(Error::Busy);
    }
    let service = TrustService::new(store.clone(), task.sources.clone(), mirrors, None);
    let done = CancellationToken::new();
    let mut once = Once {
        service,
        store: Arc::clone(store),
        request: &task.request,
        shown,
        done: done.clone(),
        outcome: None,
    };
    run_as_leader(&**store, BACKFILL, &done, &mut once).await;
    once.outcome
        .unwrap_or(Err(RunError::Progress(deskbell_trust::ProgressError::NotLeader)))
        .map_err(Error::Run)
}

impl Once<'_> {
    async fn fill(&self) -> Result<BackfillState, RunError> {
        let progress = BackfillProgress::load(&*self.store as &dyn Leases).await?;
        let state = progress.subscribe();
        let running = self.service.run_request(self.request, &progress);
        tokio::select! {
            outcome = running => outcome?,
            () = self.shown.follow(state.clone()) => {}
        }
        let now = state.borrow().clone();
        Ok(now)
    }
}

#[async_trait]
impl Leader for Once<'_> {
    async fn lead(&mut self, _: CancellationToken) {
        self.outcome = Some(self.fill().await);
        self.done.cancel();
    }
}
