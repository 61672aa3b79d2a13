//! Destinations that fail everything: a timer disables them, and nothing is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use deskbell_delivery::{
    Attempt, DeliveryConfig, HealthPolicy, Notice, NoticeState, NoticeSubject, Outcome,
    RetryPolicy, Route, Worker, WorkerOptions,
};
use deskbell_store::deliveries::{DeliveryState, DestinationHealth};
use deskbell_store::{NewEvent, Seq};

use super::support::{START_MS, Scripted, World, delivered, event, options, route, status};

const SECOND: Duration = Duration::from_secs(1);

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

/// Options of a worker that looks at its destination whenever it is run, with waits in seconds.
fn disabling(after: Duration, schedule: &[u64], then_every: Option<u64>) -> WorkerOptions {
    let seconds = |seconds| deskbell_config::Duration::new(Duration::from_secs(seconds));
    WorkerOptions {
        poll_every: Duration::ZERO,
        health: HealthPolicy { disable_after: Some(after) },
        delivery: DeliveryConfig {
            retry: RetryPolicy {
                schedule: schedule.iter().copied().map(seconds).collect(),
                then_every: then_every.map(seconds),
                ..RetryPolicy::default()
            },
            ..DeliveryConfig::default()
        },
        ..options("crm")
    }
}

/// Runs the worker every so often until the destination is disabled, for so long at most. When that
/// was, and when there were attempts.
async fn run_until_disabled(
    world: &World,
    worker: &mut Worker,
    channel: &Scripted,
    every: Duration,
    at_most: Duration,
) -> (Option<Duration>, Vec<Duration>) {
    let (mut now, mut attempts) = (Duration::ZERO, Vec::new());
    while now <= at_most {
        let before = channel.seen().len();
        worker.run_until_idle().await.unwrap();
        attempts.extend((before..channel.seen().len()).map(|_| now));
        if world.destination("crm").await.health.disabled.is_some() {
            return (Some(now), attempts);
        }
        world.clock.advance(every);
        now += every;
    }
    (None, attempts)
}

/// At the first or the second look: the attempts themselves take some real milliseconds, by which
/// the clock begins later.
fn is_on_time(disabled: Option<Duration>, after: Duration) -> bool {
    disabled.is_some_and(|at| at >= after && at <= after + SECOND)
}

async fn world_with_one_event() -> World {
    let world = World::new().await;
    world.register("crm").await;
    world.append(&["msg_1"]).await;
    world.route(&["crm"]).await;
    world
}

#[tokio::test]
async fn it_is_disabled_on_time_whatever_the_schedule() {
    let seconds = Duration::from_secs;
    let hour = 3_600;
    for (after, every, options, made) in [
        // Each attempt is where the schedule has it, within its jitter, but for those in the last
        // quarter that are lacking.
        (seconds(20), SECOND, (&[5, 300][..], Some(hour)), vec![0..=0, 5..=7, 15..=16]),
        (seconds(20), SECOND, (&[hour], None), vec![0..=0, 15..=16, 17..=18]),
        (seconds(24), SECOND, (&[10], Some(10)), vec![0..=0, 9..=12, 18..=19, 19..=24]),
    ] {
        let world = world_with_one_event().await;
        let (_, channel) = switched("crm");
        let mut worker = world.worker_with(&channel, disabling(after, options.0, options.1));
        let ran = run_until_disabled(&world, &mut worker, &channel, every, 3 * after).await;
        assert!(is_on_time(ran.0, after), "{options:?}: {ran:?}");
        assert_eq!(ran.1.len(), made.len(), "{options:?}: {ran:?}");
        for (at, expected) in ran.1.iter().zip(made) {
            assert!(expected.contains(&at.as_secs()), "{options:?}: {ran:?}");
        }
        let reason = world.destination("crm").await.health.disabled.unwrap().reason;
        let expected = "every attempt has failed for 2";
        assert!(reason.starts_with(expected) && reason.contains("seconds: the"), "{reason}");
    }
}

#[tokio::test]
async fn five_days_of_failures_by_the_default_schedule() {
    let world = world_with_one_event().await;
    let (_, channel) = switched("crm");
    let options = WorkerOptions { poll_every: Duration::ZERO, ..options("crm") };
    let mut worker = world.worker_with(&channel, options);
    let (hour, day) = (3_600 * SECOND, 24 * 3_600 * SECOND);
    // The one delivery is given up on after three days: there is nothing to judge it by.
    let (disabled, attempts) =
        run_until_disabled(&world, &mut worker, &channel, hour, 6 * day).await;
    assert_eq!(disabled, None);
    assert!(attempts.len() > 8 && *attempts.last().unwrap() > 2 * day, "{attempts:?}");
    // The next one that fails has been failing for long.
    world.append(&["msg_2"]).await;
    world.route(&["crm"]).await;
    let (disabled, attempts) =
        run_until_disabled(&world, &mut worker, &channel, hour, SECOND).await;
    assert_eq!((disabled, attempts.len()), (Some(Duration::ZERO), 1));
    assert_eq!(world.destination("crm").await.dead_letters_total, 1);
}

#[tokio::test]
async fn a_probe_costs_a_delivery_nothing_of_its_schedule() {
    let world = world_with_one_event().await;
    let (answer, channel) = switched("crm");
    // The one retry is in an hour: the probes before it are not it.
    let mut worker = world.worker_with(&channel, disabling(20 * SECOND, &[3_600], None));
    run_until_disabled(&world, &mut worker, &channel, SECOND, 60 * SECOND).await;
    assert_eq!(channel.seen().len(), 3);
    answer.store(2, Ordering::Relaxed);
    world.store_health(&DestinationHealth::default()).await;
    let progress = worker.run_until_idle().await.unwrap();
    assert_eq!((progress.delivered, progress.dead_lettered), (0, 0), "it is not due yet");
    let next_due = progress.next_due.unwrap();
    assert!(next_due > 3_000 * SECOND, "{next_due:?}");
    world.clock.advance(2 * 3_600 * SECOND);
    assert_eq!(worker.run_until_idle().await.unwrap().delivered, 1);
}

#[tokio::test]
async fn nothing_is_sent_to_a_disabled_one_and_nothing_is_lost() {
    let world = world_with_one_event().await;
    let (answer, channel) = switched("crm");
    let mut worker = world.worker_with(&channel, disabling(20 * SECOND, &[5], Some(5)));
    run_until_disabled(&world, &mut worker, &channel, SECOND, 60 * SECOND).await;
    let attempts = channel.seen().len();
    world.append(&["msg_2"]).await;
    world.route(&["crm"]).await;
    world.clock.advance(3_600 * SECOND);
    worker.run_until_idle().await.unwrap();
    assert_eq!(channel.seen().len(), attempts);
    answer.store(2, Ordering::Relaxed);
    world.store_health(&DestinationHealth::default()).await;
    assert_eq!(worker.run_until_idle().await.unwrap().delivered, 2);
}

#[tokio::test]
async fn a_success_starts_anew() {
    let world = world_with_one_event().await;
    let (answer, channel) = switched("crm");
    let mut worker = world.worker_with(&channel, disabling(20 * SECOND, &[1], Some(1)));
    let ran = run_until_disabled(&world, &mut worker, &channel, SECOND, 16 * SECOND).await;
    assert_eq!(ran.0, None);
    assert!(world.destination("crm").await.health.failed_attempts >= 3);
    answer.store(2, Ordering::Relaxed);
    world.clock.advance(2 * SECOND);
    worker.run_until_idle().await.unwrap();
    assert_eq!(world.destination("crm").await.health, DestinationHealth::default());
    answer.store(5, Ordering::Relaxed);
    world.append(&["msg_2"]).await;
    world.route(&["crm"]).await;
    let ran = run_until_disabled(&world, &mut worker, &channel, SECOND, 60 * SECOND).await;
    assert!(is_on_time(ran.0, 20 * SECOND), "{ran:?}");
}

#[tokio::test]
async fn what_several_workers_see_adds_up() {
    const EVENTS: usize = 200;
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, EVENTS).await;
    world.route(&["crm"]).await;
    let (_, channel) = switched("crm");
    let options = || disabling(3_600 * SECOND, &[7_200], None);
    let mut one = world.worker_with(&channel, options());
    let mut other = world.worker_with(&channel, options());
    let (first, second) = tokio::join!(one.run_until_idle(), other.run_until_idle());
    assert_eq!(first.unwrap().retried + second.unwrap().retried, EVENTS as u64);
    let health = world.destination("crm").await.health;
    assert_eq!(usize::try_from(health.failed_attempts), Ok(EVENTS));
    let first_at_ms = health.first_failure_at_ms.unwrap();
    assert!((START_MS..START_MS + 60_000).contains(&first_at_ms), "{first_at_ms}");
}

#[tokio::test]
async fn who_answers_410_is_disabled_at_once() {
    let world = world_with_one_event().await;
    let (answer, channel) = switched("crm");
    answer.store(4, Ordering::Relaxed);
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

fn notice_about(destination: &str) -> NewEvent {
    let about = NoticeSubject {
        kind: "destination.failing".to_owned(),
        destination: Some(destination.to_owned()),
        source: None,
        since_ms: 5,
    };
    let (condition, words) = (format!("destination/{destination}/5"), || "failing".to_owned());
    let notice = Notice::new(&condition, NoticeState::Firing, &about, words(), words());
    notice.into_event("1", 5)
}

#[tokio::test]
async fn notices_go_to_who_asked_for_them_and_never_to_whom_they_are_about() {
    let world = World::new().await;
    let names = ["crm", "ops", "mail"];
    for name in names {
        world.register(name).await;
    }
    world.store.append(&[notice_about("crm"), notice_about("ops")]).await.unwrap();
    let routes = names.map(|name| Route { takes_notices: name != "crm", ..route(name) });
    let mut router = world.router(routes.to_vec());
    assert_eq!(router.run_once().await.unwrap().deliveries, 3);
    for (seq, expected) in [(1, &["mail", "ops"][..]), (2, &["mail"])] {
        let deliveries = world.store.deliveries_of(Seq::new(seq)).await.unwrap();
        let names: Vec<_> = deliveries.iter().map(|one| &*one.key.destination).collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn dead_letters_are_counted_but_not_those_of_notices() {
    let world = World::new().await;
    world.register("ops").await;
    let events = [event("msg_1", "user.updated", "user_1"), notice_about("crm")];
    world.store.append(&events).await.unwrap();
    let routes = vec![Route { takes_notices: true, ..route("ops") }];
    world.router(routes).run_once().await.unwrap();
    let channel = Scripted::new("ops", |_| Attempt::rejected("no"));
    let progress = world.worker(&channel).run_until_idle().await.unwrap();
    assert_eq!(progress.dead_lettered, 2);
    assert_eq!(world.destination("ops").await.dead_letters_total, 1);
}
