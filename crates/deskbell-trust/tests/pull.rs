//! Messages are fetched from the sender's record: in order, each once, whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use clerk_api::Client;
use deskbell_sim::sender_api::{Fault, SentMessage};
use deskbell_store::Origin;
use deskbell_trust::{MessagePull, PulledSource, PulledState, fetch_messages, read_pull_state};

use crate::sender::{Running, SenderWorld, message, now_ms, until};

const MINUTE_MS: i64 = 60_000;

fn start(world: &SenderWorld) -> Running {
    start_with(world, None)
}

fn start_with(world: &SenderWorld, instance_id: Option<&str>) -> Running {
    start_by(world, instance_id, world.client())
}

fn start_by(world: &SenderWorld, instance_id: Option<&str>, client: Client) -> Running {
    let source = PulledSource {
        name: "clerk".into(),
        instance_id: instance_id.map(str::to_owned),
        takes: Arc::new(|event_type| event_type != "email.created"),
        client,
    };
    let pull = MessagePull::new(world.store.clone(), vec![source], Duration::from_millis(5));
    Running::of(|shutdown| pull.run(shutdown))
}

async fn state(world: &SenderWorld) -> PulledState {
    let state = read_pull_state(&*world.store).await.unwrap().unwrap_or_default();
    state.sources.get("clerk").cloned().unwrap_or_default()
}

async fn until_begun(world: &SenderWorld) {
    until("begun", async || state(world).await.begun_at_ms.is_some()).await;
}

fn numbered(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|number| format!("msg_{number:05}")).collect()
}

#[tokio::test]
async fn what_is_new_comes_in_and_says_how() {
    let world = SenderWorld::new().await;
    let now_ms = now_ms();
    world.api.insert_message(message(0, "user.created", now_ms - 5 * MINUTE_MS));
    let running = start(&world);
    until_begun(&world).await;
    world.api.insert_message(message(1, "user.created", now_ms));
    world.api.insert_message(message(2, "email.created", now_ms + 1));
    world.api.insert_message(message(3, "user.updated", now_ms + 2));
    until("both", async || world.ids().await.len() == 2).await;
    let events = world.events().await;
    assert_eq!(world.ids().await, ["msg_00001", "msg_00003"], "neither an old one nor a code");
    assert!(events.iter().all(|event| event.origin == Origin::SenderRecord));
    assert_eq!(events[0].subject.as_deref(), Some("user_1"));
    assert_eq!((&*events[0].event_type, events[0].occurred_at_ms), ("user.created", now_ms));
    let body: serde_json::Value = serde_json::from_slice(&events[1].payload).unwrap();
    assert_eq!(body["data"]["id"], "user_3");
    running.stop().await;
}

#[tokio::test]
async fn one_that_came_by_itself_is_not_taken_for_a_replay() {
    let world = SenderWorld::new().await;
    let running = start(&world);
    until_begun(&world).await;
    let event = testkit::event("msg_00001", "user.created").new_event();
    world.store.append(&[event]).await.unwrap();
    let now_ms = now_ms();
    world.api.insert_message(message(1, "user.created", now_ms));
    world.api.insert_message(message(2, "user.created", now_ms + 1));
    until("the second", async || world.ids().await.len() == 2).await;
    assert!(world.store.replay_requests(0, 10).await.unwrap().is_empty());
    running.stop().await;
}

#[tokio::test]
async fn one_that_becomes_visible_late_is_found() {
    let world = SenderWorld::new().await;
    let running = start(&world);
    until_begun(&world).await;
    let now_ms = now_ms();
    world.api.insert_message(message(2, "user.created", now_ms));
    until("the newer one", async || world.ids().await.len() == 1).await;
    world.api.insert_message(message(1, "user.created", now_ms - MINUTE_MS / 2));
    until("the older one", async || world.ids().await == ["msg_00002", "msg_00001"]).await;
    running.stop().await;
}

#[tokio::test]
async fn a_backlog_comes_in_order_also_when_it_is_cut_and_more_comes_meanwhile() {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    // Every seventh answer is lost.
    let plan = move |_: &_| match counted.fetch_add(1, Ordering::Relaxed) % 7 {
        6 => Fault::Close,
        _ => Fault::None,
    };
    let world = SenderWorld::with(plan).await;
    let running = start(&world);
    until_begun(&world).await;
    running.stop().await;
    let start_ms = now_ms();
    for number in 0..1_300 {
        let at_ms = start_ms + i64::from(number) * 1_000;
        world.api.insert_message(message(number, "user.updated", at_ms));
    }
    for stop_at in [100, 600, 1_000] {
        let running = start(&world);
        until("some", async || world.ids().await.len() >= stop_at).await;
        running.stop().await;
    }
    let running = start(&world);
    for number in 1_300..1_400 {
        let at_ms = start_ms + i64::from(number) * 1_000;
        world.api.insert_message(message(number, "user.updated", at_ms));
    }
    until("all", async || world.ids().await.len() >= 1_400).await;
    running.stop().await;
    assert_eq!(world.ids().await, numbered(0..1_400), "each once, and in order");
    assert!(world.store.replay_requests(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sender_that_is_away_is_noted_and_nothing_is_lost() {
    static IS_AWAY: AtomicBool = AtomicBool::new(false);
    let plan = |_: &_| {
        if IS_AWAY.load(Ordering::Relaxed) { Fault::Status(500) } else { Fault::None }
    };
    let world = SenderWorld::with(plan).await;
    let running = start(&world);
    until_begun(&world).await;
    IS_AWAY.store(true, Ordering::Relaxed);
    until("noted", async || state(&world).await.failing_since_ms.is_some()).await;
    assert!(state(&world).await.error.unwrap().contains("500"));
    world.api.insert_message(message(1, "user.created", now_ms()));
    IS_AWAY.store(false, Ordering::Relaxed);
    until("it came", async || world.ids().await == ["msg_00001"]).await;
    until("it is over", async || state(&world).await.failing_since_ms.is_none()).await;
    running.stop().await;
}

#[tokio::test]
async fn a_key_of_another_instance_fetches_nothing() {
    let world = SenderWorld::new().await;
    let running = start_with(&world, Some("ins_another"));
    until("refused", async || state(&world).await.error.is_some()).await;
    let state = state(&world).await;
    assert!(state.error.unwrap().contains("ins_another"));
    assert_eq!(state.begun_at_ms, None);
    running.stop().await;
}

#[tokio::test]
async fn messages_are_fetched_by_their_ids() {
    let world = SenderWorld::new().await;
    for number in 1..4 {
        world.api.insert_message(message(number, "user.created", now_ms()));
    }
    let lost = SentMessage { body: None, ..message(4, "user.created", now_ms()) };
    world.api.insert_message(lost);
    let ids = [numbered(1..3), numbered(4..6)].concat();
    let fetch =
        async || fetch_messages(&world.client(), &*world.store, "clerk", None, &ids).await.unwrap();
    assert_eq!(fetch().await, 2, "neither what has no payload any more, nor what never was");
    assert_eq!(world.ids().await, numbered(1..3));
    assert_eq!(fetch().await, 0);
    assert!(world.store.replay_requests(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_log_that_fails_loses_nothing() {
    let world = SenderWorld::new().await;
    let running = start(&world);
    until_begun(&world).await;
    world.refuse_events(true).await;
    for number in 1..4 {
        world.api.insert_message(message(number, "user.created", now_ms() + i64::from(number)));
    }
    until("noted", async || state(&world).await.failing_since_ms.is_some()).await;
    world.refuse_events(false).await;
    until("all", async || world.ids().await == numbered(1..4)).await;
    running.stop().await;
}

#[tokio::test]
async fn one_that_cannot_be_read_stops_none_of_the_others() {
    static IS_ODD: AtomicBool = AtomicBool::new(false);
    let plan = |request: &deskbell_sim::sender_api::SenderRequest| {
        let is_page = request.path.ends_with("/msg") && IS_ODD.load(Ordering::Relaxed);
        match is_page {
            true => Fault::Body(
                format!(
                    r#"{{"data":[{{"id":5}},{{"id":"msg_00001","eventType":"user.created","timestamp":"2026-01-01T00:00:00Z","payload":{}}}],"iterator":"msg_00001","done":true}}"#,
                    r#"{"type":"user.created","data":{"id":"user_1"}}"#
                )
                .into(),
            ),
            false => Fault::None,
        }
    };
    let world = SenderWorld::with(plan).await;
    let running = start(&world);
    until_begun(&world).await;
    IS_ODD.store(true, Ordering::Relaxed);
    until("the other one", async || world.ids().await == ["msg_00001"]).await;
    running.stop().await;
}

#[tokio::test]
async fn a_page_that_is_too_large_is_read_message_by_message() {
    let world = SenderWorld::new().await;
    let running = start_by(&world, None, world.client_with(20_000));
    until_begun(&world).await;
    for number in 1..4 {
        let mut large = message(number, "user.created", now_ms() + i64::from(number));
        let text = "x".repeat(if number == 2 { 30_000 } else { 12_000 });
        large.body = Some(format!(r#"{{"type":"user.created","data":{{"x":"{text}"}}}}"#).into());
        world.api.insert_message(large);
    }
    // One of them is too large by itself.
    until("the others", async || world.ids().await == ["msg_00001", "msg_00003"]).await;
    running.stop().await;
}

#[tokio::test]
async fn a_time_in_the_future_hides_nothing() {
    let world = SenderWorld::new().await;
    let running = start(&world);
    until_begun(&world).await;
    let day_ms = 24 * 60 * MINUTE_MS;
    world.api.insert_message(message(1, "user.created", now_ms() + 10 * day_ms));
    until("the first", async || world.ids().await.len() == 1).await;
    // As late as any other may become visible.
    world.api.insert_message(message(2, "user.created", now_ms() - MINUTE_MS / 2));
    until("and the next", async || world.ids().await == numbered(1..3)).await;
    running.stop().await;
}

#[tokio::test]
async fn a_source_that_was_sent_to_before_loses_nothing_of_the_last_days() {
    let world = SenderWorld::new().await;
    let now_ms = now_ms();
    let arrived = testkit::event("msg_00001", "user.created").new_event();
    world.store.append(&[arrived]).await.unwrap();
    for (number, minutes_ago) in [(0, 4 * 24 * 60), (1, 90), (2, 60), (3, 30)] {
        let at_ms = now_ms - minutes_ago * MINUTE_MS;
        world.api.insert_message(message(number, "user.created", at_ms));
    }
    let running = start(&world);
    until("those that failed", async || world.ids().await == numbered(1..4)).await;
    running.stop().await;
}
