//! Whose events a mirror takes.

use std::collections::BTreeMap;

use deskbell_store::{OutcomeKind, Seq, SourceInstance, StoredEvent};
use deskbell_sync::outcome::OutcomeReader;
use deskbell_sync::{MirrorOptions, SourceRule, rebuild};

use super::consumer::{World, drain};
use super::support::{Mirror, event, user};

/// Of the instance in Clerk's documentation.
const EXAMPLE: &str = "ins_123";

fn from(source: &str, instance_id: Option<&str>, id: &str) -> StoredEvent {
    let mut event = event(&format!("msg_{id}"), "user.created", 1, &user(id, 1));
    event.source = source.into();
    event.instance_id = instance_id.map(str::to_owned);
    event
}

fn taking(rules: &[(&str, Option<&str>)]) -> MirrorOptions {
    let sources: BTreeMap<_, _> = rules
        .iter()
        .map(|(source, instance_id)| {
            ((*source).to_owned(), SourceRule { instance_id: instance_id.map(str::to_owned) })
        })
        .collect();
    MirrorOptions { sources, ..MirrorOptions::default() }
}

#[tokio::test]
async fn events_of_another_instance_are_counted_and_not_applied() {
    let mut mirror = Mirror::with(taking(&[("clerk", Some("ins_ours"))])).await;
    let counts = mirror
        .apply_counted(&[
            from("clerk", Some("ins_ours"), "user_1"),
            from("clerk", Some("ins_theirs"), "user_2"),
            from("clerk", None, "user_3"),
            from("clerk", Some(""), "user_4"),
            from("another", Some("ins_ours"), "user_5"),
        ])
        .await;
    assert_eq!(mirror.ids("users").await, ["user_1", "user_3", "user_4"]);
    assert_eq!((counts.applied, counts.other_instance), (3, 2));
}

#[tokio::test]
async fn a_source_without_a_rule_for_instances_may_send_any() {
    let mut mirror = Mirror::with(taking(&[("clerk", None)])).await;
    mirror.apply(&[from("clerk", Some("ins_1"), "user_1"), from("other", None, "user_2")]).await;
    assert_eq!(mirror.ids("users").await, ["user_1"]);
}

#[tokio::test]
async fn without_rules_every_source_counts() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[from("a", Some("ins_1"), "user_1"), from("b", None, "user_2")]).await;
    assert_eq!(mirror.ids("users").await, ["user_1", "user_2"]);
}

/// Appends an event about each user, by this source and of this instance.
async fn append(world: &World, events: &[(&str, &str, &str)]) {
    for (source, instance_id, id) in events {
        let event = testkit::event(&format!("msg_{id}"), "user.created").source(source);
        let event = event.subject(id).instance(instance_id).at(1).data(&user(id, 1)).new_event();
        world.store.append(&[event]).await.unwrap();
    }
}

async fn users(world: &World) -> Vec<String> {
    let rows = world.reader().await.rows("users").await.unwrap();
    rows.into_iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_first_two_events_that_agree_say_whom_a_source_belongs_to() {
    let mut world = World::new().await;
    world.options.sources = taking(&[("clerk", None)]).sources;
    let mut consumer = world.consumer().await;
    append(
        &world,
        &[
            ("clerk", EXAMPLE, "user_1"),
            ("clerk", EXAMPLE, "user_2"),
            ("clerk", "ins_ours", "user_3"),
            ("clerk", "ins_theirs", "user_4"),
            // In the next batch.
            ("clerk", "ins_ours", "user_5"),
            ("clerk", "ins_theirs", "user_6"),
            ("clerk", "ins_ours", "user_7"),
            ("clerk", EXAMPLE, "user_8"),
        ],
    )
    .await;
    drain(&mut consumer).await;
    let kept = world.store.source_instance("clerk").await.unwrap();
    let pinned = SourceInstance { instance_id: "ins_ours".to_owned(), since: Seq::new(5) };
    assert_eq!(kept, Some(pinned));
    let applied = ["user_1", "user_2", "user_3", "user_4", "user_5", "user_7", "user_8"];
    assert_eq!(users(&world).await, applied);

    // Another process, which has seen none of these events, goes by what is kept.
    append(&world, &[("clerk", "ins_theirs", "user_9"), ("clerk", "ins_theirs", "user_a")]).await;
    drain(&mut world.consumer().await).await;
    assert_eq!(users(&world).await, applied);
    let event = world.store.find("clerk", "msg_user_9").await.unwrap().unwrap();
    let mut reader = OutcomeReader::open(&world.options, world.store.log_id()).await.unwrap();
    reader.load_instances(&*world.store).await.unwrap();
    let outcome = reader.outcome(&event, &[]).await.outcome;
    assert_eq!(outcome.kind, OutcomeKind::OtherInstance);
    rebuild::rebuild(&*world.store, &world.options, |_| {}).await.unwrap();
    assert_eq!(users(&world).await, applied, "whenever the log is read");
}

#[tokio::test]
async fn a_second_source_of_another_instance_stops() {
    let mut world = World::new().await;
    world.options.sources = taking(&[("a", None), ("b", None)]).sources;
    let mut consumer = world.consumer().await;
    append(
        &world,
        &[
            ("b", "ins_b", "user_1"),
            ("a", "ins_a", "user_2"),
            ("a", "ins_a", "user_3"),
            ("b", "ins_b", "user_4"),
            ("b", "ins_b", "user_5"),
            ("a", "ins_a", "user_6"),
        ],
    )
    .await;
    drain(&mut consumer).await;
    assert_eq!(users(&world).await, ["user_1", "user_2", "user_3", "user_4", "user_6"]);
}

#[tokio::test]
async fn two_sources_of_one_instance_share_a_mirror() {
    let mut world = World::new().await;
    world.options.sources = taking(&[("a", Some("ins_1")), ("b", None)]).sources;
    let mut consumer = world.consumer().await;
    let events = ["user_1", "user_2", "user_3"].map(|id| ("b", "ins_1", id));
    append(&world, &events).await;
    append(&world, &[("a", "ins_1", "user_4")]).await;
    drain(&mut consumer).await;
    assert_eq!(users(&world).await, ["user_1", "user_2", "user_3", "user_4"]);
}
