//! A database that fails when a test says so.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use deskbell_store::{BackendError, LogId, Seq};
use deskbell_sync::entity::Entity;
use deskbell_sync::{
    Batch, CatchUp, Checkpoint, Commit, ErrorMode, FetchedCommit, FetchedFrom, Mappings, Part,
    Retry, Target, TargetError, Waiting, connect,
};

use super::consumer::World;

/// What becomes of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// It is answered.
    Given,
    /// The same, but there is no time to isolate what is refused, or to catch up, with several events at
    /// once.
    Slow,
    /// The database is away: nothing happens.
    Away,
    /// It takes effect, and the answer is lost.
    Lost,
    /// Nothing happens, and there is no answer.
    Never,
}

/// A mirror's database, and what becomes of the next call of it.
pub(crate) struct Faulty {
    target: Arc<dyn Target>,
    next: Box<dyn Fn() -> Answer + Send + Sync>,
}

impl Faulty {
    pub(crate) async fn connect(
        world: &World,
        next: impl Fn() -> Answer + Send + Sync + 'static,
    ) -> Arc<dyn Target> {
        let target = connect(&world.options).await.unwrap();
        Arc::new(Self { target, next: Box::new(next) })
    }

    async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, TargetError>>,
    ) -> Result<T, TargetError> {
        Self::give((self.next)(), work).await
    }

    async fn give<T>(
        answer: Answer,
        work: impl Future<Output = Result<T, TargetError>>,
    ) -> Result<T, TargetError> {
        let refused = || std::io::Error::other("connection refused");
        let away = || TargetError::Unavailable(BackendError::new(refused()));
        match answer {
            Answer::Given | Answer::Slow => work.await,
            Answer::Away => Err(away()),
            Answer::Lost => work.await.and_then(|_| Err(away())),
            Answer::Never => std::future::pending().await,
        }
    }
}

#[async_trait]
impl Target for Faulty {
    fn mappings(&self) -> Arc<Mappings> {
        self.target.mappings()
    }

    async fn checkpoints(&self, destination: &str) -> Result<Vec<Checkpoint>, TargetError> {
        self.answer(self.target.checkpoints(destination)).await
    }

    async fn take_over(
        &self,
        current: Option<&Checkpoint>,
        next: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        self.answer(self.target.take_over(current, next)).await
    }

    async fn apply(
        &self,
        batch: &Batch,
        current: &Checkpoint,
        next: &Checkpoint,
        error_mode: ErrorMode,
    ) -> Result<Commit, TargetError> {
        let answer = (self.next)();
        if matches!((answer, error_mode), (Answer::Slow, ErrorMode::IsolateWithin(_))) {
            return Err(TargetError::OverBudget);
        }
        Self::give(answer, self.target.apply(batch, current, next, error_mode)).await
    }

    async fn reads_behind(&self, destination: &str, log_id: LogId) -> Result<Seq, TargetError> {
        self.answer(self.target.reads_behind(destination, log_id)).await
    }

    async fn waiting(&self, destination: &str) -> Result<Waiting, TargetError> {
        self.answer(self.target.waiting(destination)).await
    }

    async fn retry(&self, retry: &Retry, current: &Checkpoint) -> Result<Commit, TargetError> {
        self.answer(self.target.retry(retry, current)).await
    }

    async fn catch_up(
        &self,
        part: &Part,
        batch: &Batch,
        seq: Seq,
        current: &Checkpoint,
        error_mode: ErrorMode,
    ) -> Result<CatchUp, TargetError> {
        if matches!((self.next)(), Answer::Slow) && error_mode != ErrorMode::Isolate {
            return Err(TargetError::OverBudget);
        }
        self.answer(self.target.catch_up(part, batch, seq, current, error_mode)).await
    }

    async fn is_still_blocked(
        &self,
        part: &Part,
        batch: &Batch,
        current: &Checkpoint,
    ) -> Result<bool, TargetError> {
        self.answer(self.target.is_still_blocked(part, batch, current)).await
    }

    async fn apply_fetched(
        &self,
        batch: &Batch,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        self.answer(self.target.apply_fetched(batch, log_id)).await
    }

    async fn remove_unlisted(
        &self,
        entity: &'static Entity,
        ids: &[String],
        from: &FetchedFrom,
        at_ms: i64,
        log_id: LogId,
    ) -> Result<FetchedCommit, TargetError> {
        self.answer(self.target.remove_unlisted(entity, ids, from, at_ms, log_id)).await
    }

    async fn lift_tombstones(
        &self,
        entity: &'static Entity,
        ids: &[String],
    ) -> Result<u64, TargetError> {
        self.answer(self.target.lift_tombstones(entity, ids)).await
    }

    async fn close(&self) {
        self.target.close().await;
    }
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("target", &self.target).finish_non_exhaustive()
    }
}
