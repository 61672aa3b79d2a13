//! Deliveries about one subject, in the order of the log.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering as Atomic};
use std::time::Duration;

use deskbell_store::deliveries::{DeliveryState, Ordering, StartFrom};

use super::support::{Scripted, World, delivered, event, options, status};

#[tokio::test]
async fn each_subject_goes_in_order_and_a_stuck_one_blocks_only_itself() {
    let world = World::new().await;
    world.register_as("crm", StartFrom::Beginning, Ordering::Subject).await;
    let events: Vec<_> = (0..300)
        .map(|n| event(&format!("msg_{n:03}"), "user.updated", &format!("user_{}", n % 7)))
        .collect();
    world.store.append(&events).await.unwrap();
    world.route(&["crm"]).await;
    let is_stuck = Arc::new(AtomicBool::new(true));
    let stuck = Arc::clone(&is_stuck);
    let channel = Scripted::new("crm", move |delivery| {
        let is_three = delivery.event.subject.as_deref() == Some("user_3");
        if is_three && stuck.load(Atomic::Relaxed) { status(500) } else { delivered() }
    });
    let mut worker = world.worker_with(&channel, options("crm"));
    let progress = worker.run_until_idle().await.unwrap();
    let of_three = events.iter().filter(|event| event.subject.as_deref() == Some("user_3")).count();
    let of_three = u64::try_from(of_three).unwrap();
    assert_eq!((progress.delivered, progress.retried), (300 - of_three, 1));
    assert!(matches!(world.state("crm", 11).await, DeliveryState::Pending { due_at_ms: None }));
    is_stuck.store(false, Atomic::Relaxed);
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(worker.run_until_idle().await.unwrap().delivered, of_three);

    let mut seen: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for id in channel.seen() {
        let number: usize = id.trim_start_matches("msg_").parse().unwrap();
        seen.entry(number % 7).or_default().push(id);
    }
    for (subject, mut ids) in seen {
        // The stuck one was attempted twice.
        ids.dedup();
        assert!(ids.is_sorted(), "user_{subject}: {ids:?}");
    }
}

#[tokio::test]
async fn what_is_given_up_on_makes_way() {
    let world = World::new().await;
    world.register_as("crm", StartFrom::Beginning, Ordering::Subject).await;
    world.append(&["msg_1", "msg_2"]).await;
    world.route(&["crm"]).await;
    let channel = Scripted::new("crm", |delivery| match &*delivery.event.message_id {
        "msg_1" => deskbell_delivery::Attempt::rejected("never"),
        _ => delivered(),
    });
    world.worker(&channel).run_until_idle().await.unwrap();
    assert_eq!(channel.seen(), ["msg_1", "msg_2"]);
}
