//! A batch takes effect or it does not, whatever happens in the middle.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use deskbell_sync::MirrorConsumer;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::backend::{CHECKPOINTS, STEP, USERS};
use super::consumer::World;
use super::faulty::{Answer, Faulty};

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

#[tokio::test]
async fn a_database_that_fails_now_and_then_gets_everything_in_the_end() {
    let world = World::new().await;
    world.append_users(0, 40).await;
    let calls = AtomicU32::new(0);
    let target = Faulty::connect(&world, move || match calls.fetch_add(1, Ordering::Relaxed) % 7 {
        2 => Answer::Away,
        5 => Answer::Lost,
        _ => Answer::Given,
    });
    let target = target.await;
    let consumer = MirrorConsumer::new(world.store.clone(), target, world.options.clone());
    let mut applied = consumer.applied();
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::from_iter([consumer.run(shutdown.clone())]);
    applied.wait_for(|seq| seq.get() == 40).await.unwrap();
    shutdown.cancel();
    tasks.join_next().await.unwrap().unwrap();
    assert_eq!(world.users().await, 40);
    assert_eq!(world.checkpoint().await, Some(40));
}

#[tokio::test]
async fn a_database_that_says_nothing_does_not_hold_up_a_stop() {
    let world = World::new().await;
    let asked = Arc::new(Notify::new());
    let was_asked = Arc::clone(&asked);
    let target = Faulty::connect(&world, move || {
        asked.notify_one();
        Answer::Never
    });
    let target = target.await;
    let consumer = MirrorConsumer::new(world.store.clone(), target, world.options.clone());
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::from_iter([consumer.run(shutdown.clone())]);
    was_asked.notified().await;
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
