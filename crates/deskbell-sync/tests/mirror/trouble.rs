//! A batch takes effect or it does not, whatever happens in the middle.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use async_trait::async_trait;
use deskbell_store::{BackendError, LogId, Seq};
use deskbell_sync::{
    Batch, Care, CatchUp, Checkpoint, Commit, Mappings, MirrorConsumer, Part, Retry, Target,
    TargetError, Waiting, connect,
};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::backend::{CHECKPOINTS, STEP, USERS};
use crate::consumer::World;

#[tokio::test]
async fn a_batch_that_is_dropped_in_the_middle_is_whole_or_not_there() {
    let world = World::new().await;
    world.append_users(0, 40).await;
    let mut consumer = world.consumer().await;
    let seen =
        format!("SELECT (SELECT count(*) FROM {USERS}), (SELECT max(seq) FROM {CHECKPOINTS})");
    world.consumer().await;
    let mut interrupted = 0;
    for polls in (1..).step_by(STEP) {
        interrupted += u32::from(run_for(&mut consumer, polls).await.is_none());
        let (users, seq) = world.place.pair(&seen).await;
        assert_eq!(users, seq.unwrap_or(0), "after {polls} polls");
        if users == 40 {
            break;
        }
    }
    assert!(interrupted > 10, "{interrupted}");
}

/// Runs once, and drops the future when it has been polled this many times.
async fn run_for(consumer: &mut MirrorConsumer, polls: u32) -> Option<()> {
    let mut run = pin!(consumer.run_once());
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        run.as_mut().poll(context).map(|result| result.is_ok().then_some(()))
    })
    .await
}

/// A database that fails now and then: before a commit, or after it, so that its answer is lost.
#[derive(Debug)]
struct Flaky {
    target: Arc<dyn Target>,
    calls: AtomicU32,
}

impl Flaky {
    async fn answer<T>(
        &self,
        work: impl Future<Output = Result<T, TargetError>>,
    ) -> Result<T, TargetError> {
        let away = || TargetError::Unavailable(BackendError::new(std::io::Error::other("away")));
        match self.calls.fetch_add(1, Ordering::Relaxed) % 7 {
            2 => Err(away()),
            5 => work.await.and_then(|_| Err(away())),
            _ => work.await,
        }
    }
}

#[async_trait]
impl Target for Flaky {
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
        care: Care,
    ) -> Result<Commit, TargetError> {
        self.answer(self.target.apply(batch, current, next, care)).await
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
        care: Care,
    ) -> Result<CatchUp, TargetError> {
        self.answer(self.target.catch_up(part, batch, seq, current, care)).await
    }

    async fn close(&self) {
        self.target.close().await;
    }
}

#[tokio::test]
async fn a_database_that_fails_now_and_then_gets_everything_in_the_end() {
    let world = World::new().await;
    world.append_users(0, 40).await;
    let target = connect(&world.options).await.unwrap();
    let target = Arc::new(Flaky { target, calls: AtomicU32::new(0) });
    let consumer = MirrorConsumer::new(Arc::clone(&world.store), target, world.options.clone());
    let mut applied = consumer.applied();
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::from_iter([consumer.run(shutdown.clone())]);
    applied.wait_for(|seq| seq.get() == 40).await.unwrap();
    shutdown.cancel();
    tasks.join_next().await.unwrap().unwrap();
    assert_eq!(world.users().await, 40);
    assert_eq!(world.checkpoint().await, Some(40));
}

/// A database that is asked and does not answer.
#[derive(Debug)]
struct Silent {
    target: Arc<dyn Target>,
    asked: Notify,
}

#[async_trait]
impl Target for Silent {
    fn mappings(&self) -> Arc<Mappings> {
        self.target.mappings()
    }

    async fn checkpoints(&self, _: &str) -> Result<Vec<Checkpoint>, TargetError> {
        self.asked.notify_one();
        std::future::pending().await
    }

    async fn take_over(
        &self,
        _: Option<&Checkpoint>,
        _: &Checkpoint,
    ) -> Result<Commit, TargetError> {
        std::future::pending().await
    }

    async fn apply(
        &self,
        _: &Batch,
        _: &Checkpoint,
        _: &Checkpoint,
        _: Care,
    ) -> Result<Commit, TargetError> {
        std::future::pending().await
    }

    async fn reads_behind(&self, _: &str, _: LogId) -> Result<Seq, TargetError> {
        std::future::pending().await
    }

    async fn waiting(&self, _: &str) -> Result<Waiting, TargetError> {
        std::future::pending().await
    }

    async fn retry(&self, _: &Retry, _: &Checkpoint) -> Result<Commit, TargetError> {
        std::future::pending().await
    }

    async fn catch_up(
        &self,
        _: &Part,
        _: &Batch,
        _: Seq,
        _: &Checkpoint,
        _: Care,
    ) -> Result<CatchUp, TargetError> {
        std::future::pending().await
    }

    async fn close(&self) {
        self.target.close().await;
    }
}

#[tokio::test]
async fn a_database_that_says_nothing_does_not_hold_up_a_stop() {
    let world = World::new().await;
    let target = connect(&world.options).await.unwrap();
    let silent = Arc::new(Silent { target, asked: Notify::new() });
    let target: Arc<dyn Target> = silent.clone();
    let consumer = MirrorConsumer::new(Arc::clone(&world.store), target, world.options.clone());
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::from_iter([consumer.run(shutdown.clone())]);
    silent.asked.notified().await;
    tokio::time::pause();
    shutdown.cancel();
    let stopped = timeout(Duration::from_secs(20), tasks.join_next()).await;
    stopped.expect("it waits for the database").unwrap().unwrap();
}

#[tokio::test]
async fn two_consumers_that_take_turns_write_each_event_once() {
    let world = World::new().await;
    world.append_users(0, 30).await;
    let (mut one, mut other) = (world.consumer().await, world.consumer().await);
    let mut rows_written = 0;
    for turn in 0.. {
        let consumer = if turn % 3 == 0 { &mut one } else { &mut other };
        if let Ok(progress) = consumer.run_once().await {
            rows_written += progress.rows_written;
            if progress.seq.get() == 30 && !progress.more {
                break;
            }
        }
    }
    assert_eq!(rows_written, 30);
    assert_eq!(world.users().await, 30);
}
