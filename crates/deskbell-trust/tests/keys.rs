//! A key of another instance reaches no mirror.

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{Fault, SharedDirectory};
use deskbell_sync::SourceRule;
use deskbell_trust::{BackfillError, BackfillProgress, KeyError, Scope, check_key};

use crate::support::World;

const OTHER: &str = "ins_2Another0000000000000000000";

async fn checked(world: &World, configured: Option<&str>) -> Result<String, KeyError> {
    let mirror = world.mirror("app").await;
    let mirror = mirror.to_fill();
    check_key(&world.client(), &*world.store, "clerk", configured, &[mirror.fold()]).await
}

async fn append(world: &World, message_id: &str, instance: &str) {
    let event = testkit::event(message_id, "user.created");
    let body =
        format!(r#"{{"type":"user.created","data":{{"id":"user_1"}},"instance_id":"{instance}"}}"#);
    let mut event = event.body(body).new_event();
    event.instance_id = Some(instance.to_owned());
    world.append(event).await;
}

#[tokio::test]
async fn the_config_or_an_event_says_whose_key_it_must_be() {
    let world = World::new(SharedDirectory::default()).await;
    assert!(matches!(checked(&world, None).await, Err(KeyError::NoEvent { .. })));
    assert_eq!(checked(&world, Some(INSTANCE_ID)).await.unwrap(), INSTANCE_ID);
    let error = checked(&world, Some(OTHER)).await.unwrap_err();
    assert!(error.is_config_error());
    let text = error.to_string();
    assert!(text.contains(OTHER) && text.contains(INSTANCE_ID), "{text}");
    // Clerk's examples say nothing.
    append(&world, "msg_1", "ins_123").await;
    assert!(matches!(checked(&world, None).await, Err(KeyError::NoEvent { .. })));
    append(&world, "msg_2", INSTANCE_ID).await;
    assert_eq!(checked(&world, None).await.unwrap(), INSTANCE_ID);
}

#[tokio::test]
async fn events_of_another_instance_refuse_the_key() {
    let world = World::new(SharedDirectory::default()).await;
    append(&world, "msg_1", INSTANCE_ID).await;
    append(&world, "msg_2", OTHER).await;
    assert!(matches!(checked(&world, None).await, Err(KeyError::OtherInstance { .. })));
    // Once two agree, the source is theirs.
    append(&world, "msg_3", OTHER).await;
    let mirror = world.mirror("mirror").await;
    let mut consumer = mirror.consumer(&world.store);
    while consumer.run_once().await.unwrap().more {}
    let error = checked(&world, None).await.unwrap_err();
    assert!(error.to_string().ends_with(&format!("its events are of {OTHER}")), "{error}");
}

#[tokio::test]
async fn a_key_that_clerk_rejects_ends_it_at_once() {
    let world = World::with(SharedDirectory::default(), |_| Fault::Status(401)).await;
    let mirror = world.mirror("app").await;
    assert!(checked(&world, None).await.unwrap_err().is_config_error());
    let progress = BackfillProgress::load(&*world.store).await.unwrap();
    let ended = world.backfill(&[&mirror]).run(&[], Scope::Missing, &progress).await;
    assert!(matches!(ended, Err(BackfillError::Key { .. })), "{ended:?}");
}

#[tokio::test]
async fn the_key_of_another_source_is_that_of_the_mirror_or_refused() {
    let world = World::new(SharedDirectory::default()).await;
    let mut mirror = world.mirror("app").await;
    // The mirror is known to be of another instance by its first source; the key is the second one's.
    let known = SourceRule { instance_id: Some(OTHER.to_owned()) };
    let sources = [("first".to_owned(), known), ("clerk".to_owned(), SourceRule::default())];
    mirror.options.sources = sources.into();
    append(&world, "msg_1", INSTANCE_ID).await;
    let mirror = mirror.to_fill();
    let client = world.client();
    let checked = check_key(&client, &*world.store, "clerk", None, &[mirror.fold()]).await;
    assert!(matches!(checked, Err(KeyError::OtherInstance { .. })), "{checked:?}");
}
