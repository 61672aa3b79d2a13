//! Events that are sent again because somebody asks for it.

use std::time::Duration;

use deskbell_delivery::{Attempt, Filter, Replay, ReplayError, Replayer, Route, What};

use super::support::{START_MS, Scripted, World, delivered, event, route, route_with};

fn replay(what: What) -> Replay {
    Replay { what, destination: None, events: None, subject: None, limit: None, dry_run: false }
}

fn replayer(world: &World, routes: Vec<Route>) -> Replayer {
    Replayer::new(world.store.clone(), routes, vec!["clerk".to_owned()])
}

/// Ten events at seconds 0 to 9; the destination gave up on those with an odd number.
async fn world_with_dead_letters() -> (World, std::sync::Arc<Scripted>) {
    let world = World::new().await;
    world.register("crm").await;
    for n in 0..10 {
        world.append_many(n, 1).await;
        world.route(&["crm"]).await;
        let channel = Scripted::new("crm", move |_| match n % 2 {
            0 => delivered(),
            _ => Attempt::rejected("never"),
        });
        world.worker(&channel).run_until_idle().await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    (world, Scripted::new("crm", |_| delivered()))
}

async fn sent_again(world: &World, channel: &std::sync::Arc<Scripted>) -> Vec<String> {
    world.worker(channel).run_until_idle().await.unwrap();
    let mut seen = channel.seen();
    seen.sort();
    seen
}

#[tokio::test]
async fn what_was_given_up_on_since_then_is_sent_again() {
    let (world, channel) = world_with_dead_letters().await;
    let replayer = replayer(&world, vec![route("crm")]);
    let since = replay(What::DeadLettered { since_ms: START_MS + 4_500 });
    let counted = Replay { dry_run: true, ..since.clone() };
    assert_eq!(replayer.replay(&counted).await.unwrap().deliveries, 3);
    assert_eq!(sent_again(&world, &channel).await, Vec::<String>::new());
    let one = Replay { limit: Some(1), ..since.clone() };
    assert_eq!(replayer.replay(&one).await.unwrap().deliveries, 1);
    assert_eq!(replayer.replay(&since).await.unwrap().deliveries, 2);
    assert_eq!(replayer.replay(&since).await.unwrap().deliveries, 0);
    assert_eq!(sent_again(&world, &channel).await, ["msg_5", "msg_7", "msg_9"]);
}

#[tokio::test]
async fn a_type_and_a_subject_narrow_it_down() {
    let (world, channel) = world_with_dead_letters().await;
    let replayer = replayer(&world, vec![route("crm")]);
    let all = replay(What::DeadLettered { since_ms: 0 });
    let other = Replay { events: Some(vec!["organization.*".to_owned()]), ..all.clone() };
    assert_eq!(replayer.replay(&other).await.unwrap().deliveries, 0);
    let one = Replay {
        events: Some(vec!["user.*".to_owned()]),
        subject: Some("user_3".to_owned()),
        ..all
    };
    assert_eq!(replayer.replay(&one).await.unwrap().deliveries, 1);
    assert_eq!(sent_again(&world, &channel).await, ["msg_3"]);
}

#[tokio::test]
async fn one_event_is_sent_again_also_where_it_had_arrived() {
    let (world, channel) = world_with_dead_letters().await;
    let replayer = replayer(&world, vec![route("crm")]);
    let one = |id: &str| replay(What::Event { message_id: id.to_owned(), source: None });
    assert_eq!(replayer.replay(&one("msg_4")).await.unwrap().deliveries, 1);
    assert_eq!(sent_again(&world, &channel).await, ["msg_4"]);
    let unknown = replayer.replay(&one("msg_x")).await.unwrap_err();
    assert_eq!(unknown.to_string(), "event \"msg_x\" not found in the log");
    let of = |source: &str| {
        let (message_id, source) = ("msg_4".to_owned(), Some(source.to_owned()));
        replay(What::Event { message_id, source })
    };
    assert_eq!(replayer.replay(&of("clerk")).await.unwrap().deliveries, 1);
    let elsewhere = replayer.replay(&of("staging")).await.unwrap_err();
    assert!(matches!(elsewhere, ReplayError::NoSuchEvent { .. }), "{elsewhere}");
    let nobody = Replay { destination: Some("crn".to_owned()), ..one("msg_4") };
    let refused = replayer.replay(&nobody).await.unwrap_err();
    assert!(matches!(refused, ReplayError::NoSuchDestination { .. }));
    assert!(refused.to_string().contains("crm"), "{refused}");
}

#[tokio::test]
async fn what_a_destination_has_not_had_is_sent_as_far_as_it_wants_it() {
    let world = World::new().await;
    for (n, name) in ["user.created", "organization.created", "user.deleted"].iter().enumerate() {
        let events = [event(&format!("msg_{n}"), name, &format!("subject_{n}"))];
        world.store.append(&events).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    world.register_as("crm", deskbell_store::deliveries::StartFrom::Now, Default::default()).await;
    world.append_many(3, 1).await;
    let events = Some(vec!["user.*".to_owned()]);
    let users = route_with("crm", Filter { events, ..Filter::default() });
    while world.router(vec![users.clone()]).run_once().await.unwrap().more {}
    let replayer = replayer(&world, vec![users.clone()]);
    let missing = replay(What::Missing { since_ms: START_MS + 500 });
    let counted = Replay { dry_run: true, ..missing.clone() };
    assert_eq!(replayer.replay(&counted).await.unwrap().deliveries, 1);
    assert_eq!(replayer.replay(&missing).await.unwrap().deliveries, 1);
    assert_eq!(replayer.replay(&missing).await.unwrap().deliveries, 0);
    let channel = Scripted::new("crm", |_| delivered());
    assert_eq!(sent_again(&world, &channel).await, ["msg_2", "msg_3"]);
    // Named, it gets also what its filter does not want.
    let forced = Replay {
        destination: Some("crm".to_owned()),
        ..replay(What::Event { message_id: "msg_1".to_owned(), source: None })
    };
    assert_eq!(replayer.replay(&forced).await.unwrap().deliveries, 1);
    assert_eq!(sent_again(&world, &channel).await, ["msg_1", "msg_2", "msg_3"]);
}

#[tokio::test]
async fn what_is_missing_about_a_subject_is_sent_the_oldest_first() {
    let world = World::new().await;
    for n in 0..12 {
        let event = event(&format!("msg_{n:02}"), "user.updated", ["user_1", "user_2"][n % 2]);
        world.store.append(&[event]).await.unwrap();
        world.clock.advance(Duration::from_secs(1));
    }
    world.register_as("crm", deskbell_store::deliveries::StartFrom::Now, Default::default()).await;
    world.store.index_subjects(5).await.unwrap();
    let replayer = replayer(&world, vec![route("crm")]);
    let missing = Replay {
        subject: Some("user_2".to_owned()),
        ..replay(What::Missing { since_ms: START_MS + 2_500 })
    };
    let counted = Replay { dry_run: true, ..missing.clone() };
    assert_eq!(replayer.replay(&counted).await.unwrap().deliveries, 5);
    let two = Replay { limit: Some(2), ..missing.clone() };
    assert_eq!(replayer.replay(&two).await.unwrap().deliveries, 2);
    let channel = Scripted::new("crm", |_| delivered());
    assert_eq!(sent_again(&world, &channel).await, ["msg_03", "msg_05"]);
    assert_eq!(replayer.replay(&missing).await.unwrap().deliveries, 3);
    let all = ["msg_03", "msg_05", "msg_07", "msg_09", "msg_11"];
    assert_eq!(sent_again(&world, &channel).await, all);
    assert_eq!(replayer.replay(&missing).await.unwrap().deliveries, 0);
}

/// More than are read at a time: none is skipped and none repeated where one page ends.
#[tokio::test]
async fn a_replay_of_many_sends_each_of_them_once() {
    const COUNT: usize = 1_203;
    let world = World::new().await;
    world.register("crm").await;
    world.append_many(0, COUNT).await;
    world.route(&["crm"]).await;
    let refusing = Scripted::new("crm", |_| Attempt::rejected("never"));
    world.worker(&refusing).run_until_idle().await.unwrap();
    let replayer = replayer(&world, vec![route("crm")]);
    let all = replay(What::DeadLettered { since_ms: 0 });
    let count = u64::try_from(COUNT).unwrap();
    assert_eq!(replayer.replay(&all).await.unwrap().deliveries, count);
    let channel = Scripted::new("crm", |_| delivered());
    let mut seen = sent_again(&world, &channel).await;
    seen.dedup();
    assert_eq!((seen.len(), channel.seen().len()), (COUNT, COUNT));

    // The same of what a destination has never had.
    world.register_as("late", deskbell_store::deliveries::StartFrom::Now, Default::default()).await;
    let missing = replay(What::Missing { since_ms: 0 });
    let replayer = self::replayer(&world, vec![route("late")]);
    assert_eq!(replayer.replay(&missing).await.unwrap().deliveries, count);
    let channel = Scripted::new("late", |_| delivered());
    let mut seen = sent_again(&world, &channel).await;
    seen.dedup();
    assert_eq!((seen.len(), channel.seen().len()), (COUNT, COUNT));
}
