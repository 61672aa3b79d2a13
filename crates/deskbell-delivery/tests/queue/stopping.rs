//! How a worker stops, and what a program that starts anew finds.

use std::sync::Arc;
use std::time::Duration;

use clerk_webhooks::Event;
use deskbell_delivery::{
    Channel, HandlerChannel, HandlerContext, HandlerError, HandlerFunction, Worker, WorkerOptions,
};
use deskbell_store::deliveries::DeliveryState;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::support::{Hanging, Scripted, World, delivered, in_flight, options};

#[tokio::test]
async fn a_worker_that_is_idle_stops_at_once() {
    let world = World::new().await;
    world.register("crm").await;
    let channel = Scripted::new("crm", |_| delivered());
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(world.worker(&channel).run(shutdown.clone()));
    tokio::task::yield_now().await;
    shutdown.cancel();
    let stopping = Instant::now();
    tasks.join_all().await;
    assert!(stopping.elapsed() < Duration::from_secs(1), "{:?}", stopping.elapsed());
}

#[tokio::test]
async fn what_is_in_flight_is_finished_within_the_grace_period() {
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, 100).await;
    world.route(&["crm"]).await;
    let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gate = (Arc::clone(&begun), Arc::clone(&go_on));
    let handler = move |_event: Event, _context: HandlerContext| {
        let (begun, go_on) = (Arc::clone(&gate.0), Arc::clone(&gate.1));
        async move {
            let gone_on = go_on.notified();
            begun.notify_one();
            gone_on.await;
            Ok::<(), HandlerError>(())
        }
    };
    let shutdown = CancellationToken::new();
    let channel = Arc::new(HandlerChannel::new(HandlerFunction::new(handler), shutdown.clone()))
        as Arc<dyn Channel>;
    let options = WorkerOptions { delivery: in_flight(2), ..options("crm") };
    let worker = Worker::new(world.store.clone(), channel, options);
    let mut tasks = JoinSet::new();
    tasks.spawn(worker.run(shutdown.clone()));
    begun.notified().await;
    begun.notified().await;
    shutdown.cancel();
    tokio::task::yield_now().await;
    go_on.notify_waiters();
    tasks.join_all().await;
    let world = world.restart().await;
    let channel = Scripted::new("crm", |_| delivered());
    let progress = world.worker(&channel).run_until_idle().await.unwrap();
    assert_eq!(progress.delivered, 98, "two were finished, and none was begun after the stop");
}

#[tokio::test]
async fn what_hangs_is_cut_off_after_the_grace_period_and_attempted_again() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    let hanging = Arc::new(Hanging { begun: Notify::new() });
    let options = WorkerOptions { grace: Duration::from_millis(50), ..options("crm") };
    let channel = Arc::clone(&hanging) as Arc<dyn Channel>;
    let worker = Worker::new(world.store.clone(), channel, options);
    let shutdown = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(worker.run(shutdown.clone()));
    hanging.begun.notified().await;
    shutdown.cancel();
    let stopping = Instant::now();
    tasks.join_all().await;
    assert!(stopping.elapsed() < Duration::from_secs(1), "{:?}", stopping.elapsed());
    assert!(matches!(world.state("crm", 1).await, DeliveryState::Pending { .. }));
    let world = world.restart().await;
    let channel = Scripted::new("crm", |_| delivered());
    assert_eq!(world.worker(&channel).run_until_idle().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn a_worker_wakes_when_something_becomes_due() {
    let world = World::new().await;
    world.register("crm").await;
    let arrived = Arc::new(Notify::new());
    let signal = Arc::clone(&arrived);
    let handler = move |_event: Event, _context: HandlerContext| {
        signal.notify_one();
        async { Ok::<(), HandlerError>(()) }
    };
    let shutdown = CancellationToken::new();
    let channel = Arc::new(HandlerChannel::new(HandlerFunction::new(handler), shutdown.clone()))
        as Arc<dyn Channel>;
    // It would not look by itself for an hour.
    let options = WorkerOptions { poll_every: Duration::from_secs(3_600), ..options("crm") };
    let mut tasks = JoinSet::new();
    tasks.spawn(Worker::new(world.store.clone(), channel, options).run(shutdown.clone()));
    for n in 0..20 {
        world.append_many(n, 1).await;
        world.route(&["crm"]).await;
        tokio::time::timeout(Duration::from_secs(10), arrived.notified()).await.unwrap();
    }
    shutdown.cancel();
    tasks.join_all().await;
}
