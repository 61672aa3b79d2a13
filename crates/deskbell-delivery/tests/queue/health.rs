//! Destinations that fail for days: people are told, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use deskbell_delivery::{Attempt, NOTICE_SOURCE, Notice, Outcome, Route, Worker};
use deskbell_store::deliveries::{DeliveryState, DestinationHealth};
use deskbell_store::{Deliveries, ReadLimit, Seq, Store, StoredEvent};
use tokio::task::JoinSet;

use crate::support::{Scripted, World, delivered, options, route, status, work_for_days};

const DAY: Duration = Duration::from_secs(86_400);

async fn notices(world: &World) -> Vec<StoredEvent> {
    let all = world.store.read(Seq::ZERO, ReadLimit::default()).await.unwrap();
    all.into_iter().filter(|event| *event.source == *NOTICE_SOURCE).collect()
}

fn types(notices: &[StoredEvent]) -> Vec<&str> {
    notices.iter().map(|event| event.event_type.as_str()).collect()
}

/// A channel that can be told what to answer.
fn switched(destination: &str) -> (Arc<AtomicU8>, Arc<Scripted>) {
    let answer = Arc::new(AtomicU8::new(5));
    let heard = Arc::clone(&answer);
    let channel = Scripted::new(destination, move |_| match heard.load(Ordering::Relaxed) {
        2 => delivered(),
        4 => Attempt::without_reply(Outcome::Gone { reason: "410 Gone".to_owned() }),
        _ => status(503),
    });
    (answer, channel)
}

/// Appends an event a day, and works.
async fn fail_for_days(world: &World, worker: &mut Worker, days: u64) {
    for day in 0..days {
        let id = format!("day_{day}_{}", world.clock.now_ms());
        world.append(&[&id]).await;
        world.route(&["crm"]).await;
        let began_ms = world.clock.now_ms();
        work_for_days(world, worker, 1).await;
        let went_by = Duration::from_millis((world.clock.now_ms() - began_ms).unsigned_abs());
        world.clock.advance(DAY.saturating_sub(went_by));
    }
    worker.run_until_idle().await.unwrap();
}

#[tokio::test]
async fn people_are_told_on_the_way_and_then_it_is_disabled_and_enabled() {
    let world = World::new().await;
    world.register("crm").await;
    let mut tasks = JoinSet::new();
    let log = world.log_handle(&mut tasks);
    let (answer, channel) = switched("crm");
    let channel_of_worker = Arc::clone(&channel) as Arc<dyn deskbell_delivery::Channel>;
    let mut options = options("crm");
    options.poll_every = Duration::ZERO;
    let mut worker = Worker::new(world.deliveries(), channel_of_worker, Some(log), options);
    fail_for_days(&world, &mut worker, 8).await;
    let told = notices(&world).await;
    let failing = "destination.failing";
    assert_eq!(types(&told), [failing, failing, failing, "destination.disabled"]);
    let subjects: Vec<_> = told.iter().map(|event| Notice::of(event).unwrap().subject).collect();
    assert!(subjects[0].contains("50 %") && subjects[2].contains("90 %"), "{subjects:?}");
    let state = world.destination("crm").await;
    assert!(state.health.disabled.unwrap().reason.contains("503"));

    // Nothing is sent to it, and nothing is lost.
    let attempts = channel.seen().len();
    fail_for_days(&world, &mut worker, 2).await;
    assert_eq!(channel.seen().len(), attempts);
    answer.store(2, Ordering::Relaxed);
    world.store_health(&DestinationHealth::default()).await;
    let (progress, _) = worker.run_until_idle().await.unwrap();
    assert!(progress.delivered >= 2, "{progress:?}");
    assert_eq!(types(&notices(&world).await).len(), 4, "who enabled it knows");
}

#[tokio::test]
async fn recovery_is_told_where_trouble_was() {
    let world = World::new().await;
    world.register("crm").await;
    let mut tasks = JoinSet::new();
    let log = world.log_handle(&mut tasks);
    let (answer, channel) = switched("crm");
    let channel_of_worker = Arc::clone(&channel) as Arc<dyn deskbell_delivery::Channel>;
    let mut worker = Worker::new(world.deliveries(), channel_of_worker, Some(log), options("crm"));
    fail_for_days(&world, &mut worker, 4).await;
    answer.store(2, Ordering::Relaxed);
    fail_for_days(&world, &mut worker, 2).await;
    let told = notices(&world).await;
    assert_eq!(types(&told).last(), Some(&"destination.recovered"));
    assert_eq!(types(&told).iter().filter(|name| **name == "destination.recovered").count(), 1);
    assert_eq!(world.destination("crm").await.health, DestinationHealth::default());
}

#[tokio::test]
async fn who_answers_410_is_disabled_at_once() {
    let world = World::new().await;
    world.register("crm").await;
    let (answer, channel) = switched("crm");
    answer.store(4, Ordering::Relaxed);
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    let mut worker = world.worker(&channel);
    worker.run_until_idle().await.unwrap();
    let state = world.state("crm", 1).await;
    assert!(matches!(state, DeliveryState::DeadLettered { reason, .. } if reason == "410 Gone"));
    world.append(&["msg_2"]).await;
    world.route(&["crm"]).await;
    worker.run_until_idle().await.unwrap();
    assert_eq!(channel.seen(), ["msg_1"]);
    assert!(matches!(world.state("crm", 2).await, DeliveryState::Pending { .. }));
    assert!(world.destination("crm").await.health.disabled.is_some());
}

#[tokio::test]
async fn notices_go_to_who_asked_for_them_and_never_to_whom_they_are_about() {
    let world = World::new().await;
    let names = ["crm", "ops", "mail"];
    for name in names {
        world.register(name).await;
    }
    let about = |destination: &str| {
        let notice = Notice {
            destination: destination.to_owned(),
            subject: "failing".to_owned(),
            text: "failing".to_owned(),
        };
        notice.into_event("destination.failing", "1", 5)
    };
    world.store.append(&[about("crm"), about("ops")]).await.unwrap();
    let routes = names.map(|name| Route { takes_notices: name != "crm", ..route(name) });
    let mut router = world.router(routes.to_vec());
    assert_eq!(router.run_once().await.unwrap().deliveries, 3);
    for (seq, told) in [(1, &["mail", "ops"][..]), (2, &["mail"])] {
        let deliveries = world.store.deliveries_of(Seq::new(seq)).await.unwrap();
        let names: Vec<_> = deliveries.iter().map(|one| &*one.key.destination).collect();
        assert_eq!(names, told);
    }
}
