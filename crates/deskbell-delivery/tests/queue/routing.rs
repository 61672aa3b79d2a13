//! Which destination gets which event, from where on, and why not.

use deskbell_delivery::{Filter, RouterError};
use deskbell_expr::Expression;
use deskbell_store::deliveries::{DeliveryState, Ordering, StartFrom};
use deskbell_store::{Appended, Seq};

use super::support::{Scripted, World, delivered, event, route, route_with};

fn of_types(events: &[&str]) -> Filter {
    let events = Some(events.iter().map(|&name| name.to_owned()).collect());
    Filter { events, ..Filter::default() }
}

async fn pending_for(world: &World, seq: i64) -> Vec<String> {
    let all = world.store.deliveries_of(Seq::new(seq)).await.unwrap();
    all.into_iter().map(|delivery| delivery.key.destination.to_string()).collect()
}

#[tokio::test]
async fn each_gets_what_it_wants_and_what_nobody_wants_is_visible_with_the_reasons() {
    let world = World::new().await;
    for name in ["crm", "pro"] {
        world.register(name).await;
    }
    let events = [
        event("msg_1", "user.created", "user_1"),
        event("msg_2", "organization.created", "org_1"),
        event("msg_3", "email.created", "ema_1"),
    ];
    world.store.append(&events).await.unwrap();
    let pro = when("data.public_metadata.plan == 'pro'");
    let mut router =
        world.router(vec![route_with("crm", of_types(&["user.*"])), route_with("pro", pro)]);
    assert_eq!(router.run_once().await.unwrap().deliveries, 1);
    assert_eq!(pending_for(&world, 1).await, ["crm"]);
    assert_eq!(pending_for(&world, 2).await, Vec::<String>::new());
    assert_eq!(world.store.filtered_out(Seq::new(1)).await.unwrap(), []);
    let why = world.store.filtered_out(Seq::new(2)).await.unwrap();
    let why: Vec<_> = why.iter().map(|one| (&*one.destination, one.reason.as_str())).collect();
    assert_eq!(why[0], ("crm", "`events` does not include organization.created"));
    assert_eq!(why[1].0, "pro");
    assert!(why[1].1.contains("data.public_metadata.plan is missing"), "{why:?}");
    let codes = world.store.filtered_out(Seq::new(3)).await.unwrap();
    assert!(codes.iter().all(|one| one.reason.contains("one-time codes")), "{codes:?}");
}

/// An event whose metadata is as large as a body may be.
fn large_event(id: &str) -> deskbell_store::NewEvent {
    let body = serde_json::json!({
        "type": "user.updated", "object": "event",
        "data": { "id": "user_1", "unsafe_metadata": { "l": vec![1; 400_000] } },
    });
    deskbell_store::NewEvent {
        payload: body.to_string().into(),
        ..event(id, "user.updated", "user_1")
    }
}

fn when(condition: &str) -> Filter {
    Filter { when: Some(Expression::compile(condition).unwrap()), ..Filter::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_event_that_is_too_expensive_to_judge_is_set_aside_and_the_rest_goes_on() {
    let world = World::new().await;
    for name in ["guarded", "plain"] {
        world.register(name).await;
    }
    let expensive = when(
        "data.id == 'user_2' || data.unsafe_metadata.l.all(x, data.unsafe_metadata.l.all(y, y == 1))",
    );
    let events = [large_event("msg_1"), event("msg_2", "user.updated", "user_2")];
    world.store.append(&events).await.unwrap();
    let mut router = world.router(vec![route_with("guarded", expensive), route("plain")]);
    while router.run_once().await.unwrap().more {}
    // It is neither lost nor taken for one that is not wanted, though another destination has it.
    assert_eq!(pending_for(&world, 1).await, ["plain"]);
    let why = world.store.filtered_out(Seq::new(1)).await.unwrap();
    assert_eq!((why.len(), &*why[0].destination), (1, "guarded"));
    assert!(why[0].reason.contains("takes more work than is allowed"), "{why:?}");
    assert_eq!(pending_for(&world, 2).await, ["guarded", "plain"]);
    assert_eq!(world.store.filtered_out(Seq::new(2)).await.unwrap(), []);
}

#[tokio::test]
async fn a_new_destination_begins_where_it_says_and_catches_up_beside_the_others() {
    let world = World::new().await;
    world.register("old").await;
    world.append_many(0, 2_500).await;
    world.route(&["old"]).await;
    world.register_as("now", StartFrom::Now, Ordering::None).await;
    world.register_as("beginning", StartFrom::Beginning, Ordering::None).await;
    world.append_many(2_500, 10).await;
    let mut router = world.router(["old", "now", "beginning"].map(route).to_vec());
    // The first round takes the newest to those in front, and a first part to the one behind.
    let first = router.run_once().await.unwrap();
    assert!(first.more);
    assert_eq!(pending_for(&world, 2_510).await, ["now", "old"]);
    while router.run_once().await.unwrap().more {}
    assert_eq!(pending_for(&world, 2_500).await, ["beginning", "old"]);
    assert_eq!(pending_for(&world, 2_510).await, ["beginning", "now", "old"]);
    assert_eq!(world.destination("beginning").await.routed, Seq::new(2_510));
}

#[tokio::test]
async fn a_router_that_was_overtaken_routes_nothing() {
    let world = World::new().await;
    world.register("crm").await;
    let (mut first, mut second) =
        (world.router(vec![route("crm")]), world.router(vec![route("crm")]));
    world.append(&["msg_1"]).await;
    first.run_once().await.unwrap();
    world.append(&["msg_2"]).await;
    second.run_once().await.unwrap();
    world.append(&["msg_3"]).await;
    assert!(matches!(first.run_once().await, Err(RouterError::Superseded)));
    assert_eq!(pending_for(&world, 3).await, Vec::<String>::new());
    // It takes over again when it is called again; the other is told off then.
    first.run_once().await.unwrap();
    assert_eq!(pending_for(&world, 3).await, ["crm"]);
    world.append(&["msg_4"]).await;
    assert!(matches!(second.run_once().await, Err(RouterError::Superseded)));
}

#[tokio::test]
async fn an_event_that_is_sent_again_revives_what_was_given_up_on_and_nothing_else() {
    let world = World::new().await;
    for name in ["dead", "done"] {
        world.register(name).await;
    }
    world.append(&["msg_1"]).await;
    world.route(&["dead", "done"]).await;
    let dead = Scripted::new("dead", |_| deskbell_delivery::Attempt::rejected("never"));
    let done = Scripted::new("done", |_| delivered());
    for channel in [&dead, &done] {
        world.worker(channel).run_until_idle().await.unwrap();
    }
    // A replay from Clerk's dashboard comes with the same id.
    assert!(matches!(world.append(&["msg_1"]).await[..], [Appended::Duplicate(_)]));
    let mut router = world.router(["dead", "done"].map(route).to_vec());
    assert_eq!(router.run_once().await.unwrap().revived, 1);
    assert_eq!(router.run_once().await.unwrap().revived, 0);
    assert!(matches!(world.state("dead", 1).await, DeliveryState::Pending { .. }));
    assert!(matches!(world.state("done", 1).await, DeliveryState::Delivered { .. }));
    for channel in [&dead, &done] {
        world.worker(channel).run_until_idle().await.unwrap();
    }
    assert_eq!((dead.seen().len(), done.seen().len()), (2, 1));
    assert_eq!(world.delivery("dead", 1).await.attempts.len(), 2, "the first one is still known");
}
