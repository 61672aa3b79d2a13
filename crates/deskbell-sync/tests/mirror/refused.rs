//! A row that the database refuses is kept as a dead letter, and the rest goes on.

use deskbell_sync::{SyncError, TargetError};
use serde_json::json;

use super::backend::{REFUSE_THE_SEVENTH, RELENT};
use super::consumer::World;
use super::support::user;

/// Nine users, of whom the database will not have the one that is called "at 7".
async fn world_with_a_refused_user() -> World {
    let world = World::new().await;
    world.consumer().await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    for number in 1..=9 {
        let data = user(&format!("user_{number}"), number);
        world.append(&format!("msg_{number}"), "user.created", &data).await;
    }
    world
}

#[tokio::test]
async fn it_is_found_after_a_few_tries_and_the_rest_goes_on() {
    let world = world_with_a_refused_user().await;
    let mut consumer = world.consumer().await;
    assert_eq!(consumer.run_once().await.unwrap().seq.get(), 4);
    for _ in 0..3 {
        let refused = consumer.run_once().await.unwrap_err();
        assert!(matches!(refused, SyncError::Target(TargetError::Refused(_))), "{refused:?}");
    }
    let progress = consumer.run_once().await.unwrap();
    assert_eq!((progress.seq.get(), progress.dead_letters, progress.rows_written), (8, 1, 3));
    assert_eq!(consumer.run_once().await.unwrap().seq.get(), 9);
    assert_eq!(world.users().await, 8);
    let letters = world.reader().await.rows("_dead_letters").await.unwrap();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["id"], "user_7");
    assert_eq!(letters[0]["message_id"], "msg_7");
    assert_eq!(letters[0]["event_type"], "user.created");
    assert_eq!(letters[0]["source"], "clerk");
    let reason = letters[0]["reason"].as_str().unwrap();
    assert!(reason.contains("no_sevens"), "{reason}");
}

#[tokio::test]
async fn a_passing_refusal_leaves_no_trace() {
    let world = world_with_a_refused_user().await;
    let mut consumer = world.consumer().await;
    consumer.run_once().await.unwrap();
    consumer.run_once().await.unwrap_err();
    world.place.run(RELENT).await;
    while consumer.run_once().await.unwrap().more {}
    assert_eq!(world.users().await, 9);
    assert_eq!(world.reader().await.rows("_dead_letters").await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_later_version_resolves_it() {
    let world = world_with_a_refused_user().await;
    let mut consumer = world.consumer().await;
    let later = json!({ "id": "user_7", "first_name": "Ada", "updated_at": 4_000_000_000_000_i64 });
    for _ in 0..20 {
        let _refused_at_first = consumer.run_once().await;
    }
    world.append("msg_10", "user.updated", &later).await;
    while consumer.run_once().await.unwrap().more {}
    assert_eq!(world.users().await, 9);
    assert_eq!(world.reader().await.rows("_dead_letters").await.unwrap().len(), 0);
}
