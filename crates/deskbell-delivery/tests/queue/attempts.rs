//! What is written down of attempts, and when they are made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use deskbell_delivery::{Attempt, DeliveryConfig, Outcome, WorkerOptions};
use deskbell_store::deliveries::DeliveryState;
use tokio::time::Instant;

use super::support::{
    START_MS, Scripted, World, delivered, event, in_flight, options, status, work_for_days,
};

#[tokio::test]
async fn an_event_arrives_once_and_the_attempt_is_written_down() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |_| delivered());
    let mut worker = world.worker(&channel);
    assert_eq!(worker.run_until_idle().await.unwrap().delivered, 1);
    assert_eq!(worker.run_until_idle().await.unwrap().delivered, 0);
    assert_eq!(channel.seen(), ["msg_1"]);
    let delivery = world.delivery("crm", 1).await;
    assert!(matches!(delivery.state, DeliveryState::Delivered { .. }), "{delivery:?}");
    let [attempt] = &delivery.attempts[..] else { panic!("{delivery:?}") };
    assert_eq!((attempt.number, attempt.status, &attempt.error), (1, Some(200), &None));
    assert_eq!(&attempt.reply[..], b"\0thanks\xff", "a NUL byte and what is no text");
}

#[tokio::test]
async fn an_attempt_is_signed_with_the_time_of_the_stores_clock() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    world.clock.advance(Duration::from_secs(3_600));
    let sent_at = Arc::new(AtomicU64::new(0));
    let noted = Arc::clone(&sent_at);
    let channel = Scripted::new("crm", move |delivery| {
        noted.store(delivery.sent_at_seconds, Ordering::Relaxed);
        delivered()
    });
    world.worker(&channel).run_until_idle().await.unwrap();
    let start = u64::try_from(START_MS).unwrap() / 1_000;
    let late = sent_at.load(Ordering::Relaxed) - (start + 3_600);
    assert!(late < 60, "{late} s after the store's time");
}

#[tokio::test]
async fn attempts_follow_the_schedule_and_end_with_a_dead_letter() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |_| status(503));
    let mut worker = world.worker(&channel);
    let times = work_for_days(&world, &mut worker, 30).await;
    let hours: Vec<f64> = times.iter().map(|time| time.as_secs_f64() / 3_600.0).collect();
    // 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 10 h, then every 14 h until 72 h have gone by. Where
    // jitter brought the tenth attempt past 58 h, the eleventh would be too late.
    let planned = [0.0, 0.0, 0.08, 0.58, 2.58, 7.58, 17.58, 27.58, 41.58, 55.58, 69.58];
    let attempts = if hours[9] > 58.0 { 10 } else { 11 };
    assert_eq!(hours.len(), attempts, "{hours:?}");
    for (hour, planned) in hours.iter().zip(planned) {
        assert!((hour - planned).abs() <= 0.01 + planned * 0.1, "{hour} for {planned}: {hours:?}");
    }
    let delivery = world.delivery("crm", 1).await;
    let DeliveryState::DeadLettered { reason, .. } = &delivery.state else {
        panic!("{delivery:?}")
    };
    assert!(
        reason.starts_with(&format!("failed permanently after {attempts} attempts in ")),
        "{reason}"
    );
    assert!(reason.ends_with("the receiver answered 503"), "{reason}");
    assert_eq!(delivery.attempts.len(), attempts);
    let last = delivery.attempts.last().unwrap();
    assert_eq!(last.error.as_deref(), Some("the receiver answered 503"));
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    let tries = AtomicU32::new(0);
    let channel = Scripted::new("crm", move |_| match tries.fetch_add(1, Ordering::Relaxed) {
        0 => Attempt::without_reply(Outcome::Retry {
            after: Some(Duration::from_secs(600)),
            reason: "429".to_owned(),
        }),
        _ => delivered(),
    });
    // It asks for quiet, which is kept by the real clock too: none of that here.
    let mut options = options("crm");
    options.probe.pause_max = Duration::ZERO;
    let mut worker = world.worker_with(&channel, options);
    let times = work_for_days(&world, &mut worker, 1).await;
    assert_eq!(times.iter().map(Duration::as_secs).collect::<Vec<_>>(), [0, 600]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_dead_lettered_at_once() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1", "msg_2"]).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |delivery| match &*delivery.event.message_id {
        "msg_1" => Attempt::rejected("no recipient"),
        _ => delivered(),
    });
    let progress = world.worker(&channel).run_until_idle().await.unwrap();
    assert_eq!((progress.dead_lettered, progress.delivered, progress.next_due), (1, 1, None));
    let state = world.state("crm", 1).await;
    assert!(
        matches!(state, DeliveryState::DeadLettered { reason, .. } if reason == "no recipient")
    );
}

#[tokio::test]
async fn an_attempt_that_panics_is_a_failure_like_any_other() {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1", "msg_2"]).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |delivery| {
        assert_ne!(delivery.event.message_id, "msg_1", "a fault of a channel");
        delivered()
    });
    let progress = world.worker(&channel).run_until_idle().await.unwrap();
    assert_eq!((progress.retried, progress.delivered), (1, 1));
    assert!(progress.next_due.is_some());
}

#[tokio::test]
async fn no_more_than_agreed_are_under_way_at_once() {
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, 200).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |_| delivered());
    let options = WorkerOptions { delivery: in_flight(3), ..options("crm") };
    let progress = world.worker_with(&channel, options).run_until_idle().await.unwrap();
    assert_eq!(progress.delivered, 200);
    assert_eq!(channel.most_in_flight(), 3);
}

#[tokio::test]
async fn a_rate_limit_holds() {
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, 11).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |_| delivered());
    let delivery = DeliveryConfig { rate_limit: "20/s".parse().ok(), ..DeliveryConfig::default() };
    let mut worker = world.worker_with(&channel, WorkerOptions { delivery, ..options("crm") });
    let began = Instant::now();
    let mut delivered = 0;
    while delivered < 11 {
        delivered += worker.run_until_idle().await.unwrap().delivered;
        tokio::task::yield_now().await;
    }
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_one_time_code_is_worth_a_quarter_of_an_hour() {
    let world = World::new().await;
    world.register("mail").await;
    let codes = ["msg_1", "msg_2"].map(|id| event(id, "email.created", "ema_1"));
    world.store.append(&codes).await.unwrap();
    let events = Some(vec!["email.created".to_owned()]);
    let filter = deskbell_delivery::Filter { events, ..Default::default() };
    let mut router = world.router(vec![super::support::route_with("mail", filter)]);
    assert_eq!(router.run_once().await.unwrap().deliveries, 2);
    let channel = Scripted::new("mail", |delivery| match &*delivery.event.message_id {
        "msg_1" => status(500),
        _ => delivered(),
    });
    let mut worker = world.worker(&channel);
    let times = work_for_days(&world, &mut worker, 1).await;
    // At once, after 5 s, after 5 min; the next would come after 35.
    assert_eq!(times.len(), 4, "{times:?}");
    let DeliveryState::DeadLettered { reason, .. } = world.state("mail", 1).await else {
        panic!("it is kept")
    };
    assert!(reason.contains("one-time code"), "{reason}");
    // One that could not be attempted in time is not attempted late.
    let late = event("msg_3", "email.created", "ema_1");
    world.store.append(&[late]).await.unwrap();
    router.run_once().await.unwrap();
    world.clock.advance(Duration::from_secs(900));
    assert_eq!(worker.run_until_idle().await.unwrap().dead_lettered, 1);
    assert!(!channel.seen().contains(&"msg_3".to_owned()));
}

#[tokio::test]
async fn a_slow_destination_delays_no_other() {
    let world = World::new().await;
    for name in ["slow", "fast"] {
        world.register(name).await;
    }
    world.append_many(0, 300).await;
    world.route(&["slow", "fast"]).await;
    let hanging = Arc::new(super::support::Hanging { begun: tokio::sync::Notify::new() });
    let slow = deskbell_delivery::Worker::new(
        world.store.clone(),
        Arc::clone(&hanging) as Arc<dyn deskbell_delivery::Channel>,
        options("slow"),
    );
    let shutdown = tokio_util::sync::CancellationToken::new();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(slow.run(shutdown.clone()));
    hanging.begun.notified().await;
    let fast = Scripted::new("fast", |_| delivered());
    assert_eq!(world.worker(&fast).run_until_idle().await.unwrap().delivered, 300);
}
