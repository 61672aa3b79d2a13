//! A destination that fails is probed, not hammered, and gets its backlog once it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deskbell_delivery::{ProbePolicy, WorkerOptions};
use tokio::time::Instant;

use super::support::{Scripted, World, delivered, options, status};

#[tokio::test]
async fn a_backlog_waits_behind_probes_and_goes_out_at_once_when_it_is_back() {
    const BACKLOG: usize = 2_000;
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, BACKLOG).await;
    world.route(&["crm"]).await;
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let channel =
        Scripted::new(
            "crm",
            move |_| {
                if up.load(Ordering::Relaxed) { delivered() } else { status(503) }
            },
        );
    let pause = Duration::from_millis(20);
    let probe = ProbePolicy { failures: 10, pause, pause_max: pause };
    let mut worker = world.worker_with(&channel, WorkerOptions { probe, ..options("crm") });
    let began = Instant::now();
    let mut retried = 0;
    while began.elapsed() < 25 * pause {
        retried += worker.run_until_idle().await.unwrap().retried;
        tokio::task::yield_now().await;
    }
    let hammered = channel.seen().len();
    assert_eq!(retried, u64::try_from(hammered).unwrap());
    // Those that were under way when it was noticed, and then one after each pause.
    let probes = began.elapsed().as_millis() / pause.as_millis();
    let at_most = 10 + 16 + usize::try_from(probes).unwrap();
    assert!((12..=at_most).contains(&hammered), "{hammered} attempts, {at_most} at most");
    is_up.store(true, Ordering::Relaxed);
    let mut arrived = 0;
    // What was attempted before is due again later.
    world.clock.advance(Duration::from_secs(400));
    while arrived < BACKLOG as u64 {
        arrived += worker.run_until_idle().await.unwrap().delivered;
    }
    assert_eq!(channel.seen().len(), BACKLOG + hammered, "each once more, and no more");
}

#[tokio::test]
async fn one_message_that_fails_for_itself_does_not_slow_the_others() {
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, 500).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |delivery| {
        if delivery.event.message_id == "msg_3" { status(500) } else { delivered() }
    });
    let mut worker = world.worker_with(&channel, WorkerOptions::new("crm"));
    let progress = worker.run_until_idle().await.unwrap();
    assert_eq!((progress.delivered, progress.retried), (499, 1));
}
