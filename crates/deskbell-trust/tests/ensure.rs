//! Who looks for what is not in the mirror yet gets it all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{Fault, SharedDirectory, sample};
use deskbell_store::NewEvent;
use deskbell_sync::{DatabaseConfig, MirrorService};
use deskbell_trust::{EnsureError, EnsuredMirror, Wanted};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{Mirror, START_MS, World, filled};

const NOW: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(30);
const USER: &str = "user_00000000";

fn user(id: &str) -> Wanted {
    Wanted::user(id).unwrap()
}

fn event(message_id: &str, event_type: &str, data: &Value) -> NewEvent {
    let body = json!({
        "type": event_type,
        "data": data,
        "instance_id": INSTANCE_ID,
        "timestamp": START_MS,
    });
    let event = testkit::event(message_id, event_type).at(START_MS).body(body.to_string());
    NewEvent { instance_id: Some(INSTANCE_ID.to_owned()), ..event.new_event() }
}

/// Keeps the mirror up while the test runs.
async fn follow(world: &World, mirror: &Mirror) -> (EnsuredMirror, JoinSet<()>) {
    let mut service = MirrorService::new(world.store.clone(), mirror.options.clone());
    service.open().await.unwrap();
    let ensured = EnsuredMirror { progress: service.progress(), ..mirror.to_ensure() };
    let mut tasks = JoinSet::new();
    tasks.spawn(service.run(CancellationToken::new()));
    (ensured, tasks)
}

#[tokio::test]
async fn what_the_mirror_has_costs_no_request() {
    let world = World::new(filled(&["users"], 3)).await;
    let mirror = world.mirror("app").await;
    world.fill_entities(&[&mirror], &["user"], deskbell_trust::Scope::Missing).await;
    let requests = world.api.requests();
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    let row = ensure.row(user(USER), None, NOW).await.unwrap().unwrap();
    assert_eq!((&row["id"], &row["first_name"]), (&json!(USER), &json!("Ada")));
    assert!(row.keys().all(|name| name != "raw" && !name.starts_with('_')), "{row:?}");
    assert_eq!(world.api.requests(), requests);
}

#[tokio::test]
async fn a_user_whose_event_is_late_is_fetched_and_mirrored() {
    let world = World::new(filled(&["users"], 3)).await;
    let mirror = world.mirror("app").await;
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    let row = ensure.row(user(USER), None, NOW).await.unwrap().unwrap();
    assert_eq!(row["id"], USER);
    assert_eq!(mirror.tables().await["users"][0], *row, "and nobody else");
    assert_eq!(world.api.requests(), 2, "whose key it is, and the user");
    ensure.row(user(USER), None, NOW).await.unwrap().unwrap();
    ensure.row(user("user_00000001"), None, NOW).await.unwrap().unwrap();
    assert_eq!(world.api.requests(), 3, "the key was checked");
}

#[tokio::test]
async fn a_thousand_who_ask_at_once_cost_one_request() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let world = World::with(filled(&["users"], 1), move |request| {
        if request.path.starts_with("/users/") {
            count.fetch_add(1, Ordering::SeqCst);
        }
        Fault::Slow(Duration::from_millis(50))
    })
    .await;
    let mirror = world.mirror("app").await;
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    let rows = (0..1_000).map(|_| ensure.row(user(USER), None, NOW));
    for row in join_all(rows).await {
        assert_eq!(row.unwrap().unwrap()["id"], USER);
    }
    assert_eq!((asked.load(Ordering::SeqCst), world.api.requests()), (1, 2));
}

#[tokio::test]
async fn whom_clerk_does_not_have_is_asked_for_once() {
    let world = World::new(SharedDirectory::default()).await;
    let mirror = world.mirror("app").await;
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    // What Clerk says counts at once, however long the event might be waited for.
    for _ in 0..5 {
        assert_eq!(ensure.row(user("user_1"), None, LONG).await.unwrap(), None);
    }
    assert_eq!(world.api.requests(), 2);
}

#[tokio::test]
async fn whoever_was_deleted_is_not_asked_for() {
    let world = World::new(filled(&["users"], 1)).await;
    let mirror = world.mirror("app").await;
    let gone = json!({ "id": USER, "object": "user", "deleted": true });
    world.append(event("msg_1", "user.deleted", &gone)).await;
    mirror.drain(&world.store).await;
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    assert_eq!(ensure.row(user(USER), None, LONG).await.unwrap(), None);
    assert_eq!(world.api.requests(), 0);
}

#[tokio::test]
async fn without_a_key_the_event_is_waited_for() {
    let world = World::new(SharedDirectory::default()).await;
    let mirror = world.mirror("app").await;
    let (ensured, _following) = follow(&world, &mirror).await;
    let ensure = deskbell_trust::Ensure::new(world.store.clone(), Vec::new(), vec![ensured]);
    let nothing = ensure.row(user(USER), None, Duration::from_millis(200)).await.unwrap();
    assert_eq!(nothing, None, "it does not come");
    let arrives = async {
        tokio::task::yield_now().await;
        world.append(event("msg_1", "user.created", &sample("users", 0, START_MS))).await;
    };
    let (row, ()) = tokio::join!(ensure.row(user(USER), None, LONG), arrives);
    assert_eq!(row.unwrap().unwrap()["id"], USER);
}

#[tokio::test]
async fn while_clerk_fails_the_event_is_waited_for() {
    let world = World::with(filled(&["users"], 1), |_| Fault::Status(500)).await;
    let mirror = world.mirror("app").await;
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    let failed = ensure.row(user("user_1"), None, NOW).await.unwrap_err();
    assert!(failed.is_of_clerk(), "{failed:?}");
    world.append(event("msg_1", "user.created", &sample("users", 0, START_MS))).await;
    let (row, ()) = tokio::join!(ensure.row(user(USER), None, LONG), mirror.drain(&world.store));
    assert_eq!(row.unwrap().unwrap()["id"], USER);
}

#[tokio::test]
async fn a_key_of_another_instance_fetches_nothing() {
    let world = World::new(filled(&["users"], 1)).await;
    let mirror = world.mirror("app").await;
    let ensure = world.ensure(&[&mirror], Some("ins_2Another0000000000000000000"));
    for _ in 0..3 {
        let error = ensure.row(user(USER), None, NOW).await.unwrap_err();
        assert!(matches!(error, EnsureError::Key(_)), "{error:?}");
    }
    assert_eq!((mirror.count("users").await, world.api.requests()), (0, 1));
}

#[tokio::test]
async fn organizations_and_memberships_are_fetched_too() {
    let directory = filled(&["organizations"], 1);
    for (number, organization) in [(0, "org_00000000"), (1, "org_00000001")] {
        let mut membership = sample("organization_memberships", number, START_MS);
        membership["organization"] = json!({ "id": organization, "object": "organization" });
        membership["public_user_data"] = json!({ "user_id": USER });
        directory.lock().insert_of("organization_memberships", USER, &membership);
    }
    let world = World::new(directory).await;
    let mirror = world.mirror("app").await;
    let ensure = world.ensure(&[&mirror], Some(INSTANCE_ID));
    let wanted = Wanted::organization("org_00000000").unwrap();
    let row = ensure.row(wanted, None, NOW).await.unwrap().unwrap();
    assert_eq!((&row["slug"], &row["members_count"]), (&json!("acme-0"), &json!(1)));
    let wanted = || Wanted::membership(USER, "org_00000000").unwrap();
    let row = ensure.row(wanted(), None, NOW).await.unwrap().unwrap();
    assert_eq!((&row["id"], &row["role"]), (&json!("orgmem_00000000"), &json!("org:admin")));
    let requests = world.api.requests();
    assert_eq!(ensure.row(wanted(), None, NOW).await.unwrap(), Some(row));
    assert_eq!(world.api.requests(), requests);
    let elsewhere = Wanted::membership(USER, "org_7").unwrap();
    assert_eq!(ensure.row(elsewhere, None, NOW).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_mirror_that_has_such_entities_is_asked_or_the_one_that_is_named() {
    let world = World::new(filled(&["users"], 1)).await;
    let entities = Some(vec!["organization".to_owned()]);
    let config = DatabaseConfig { entities, ..DatabaseConfig::default() };
    let organizations = world.mirror_with("organizations", config).await;
    let (one, other) = (world.mirror("one").await, world.mirror("other").await);
    let ensure = world.ensure(&[&organizations, &one, &other], Some(INSTANCE_ID));
    ensure.row(user(USER), None, NOW).await.unwrap().unwrap();
    assert_eq!((one.count("users").await, other.count("users").await), (1, 0));
    ensure.row(user(USER), Some("other"), NOW).await.unwrap().unwrap();
    assert_eq!(other.count("users").await, 1);
    for name in ["organizations", "nowhere"] {
        let error = ensure.row(user(USER), Some(name), NOW).await.unwrap_err();
        assert!(matches!(error, EnsureError::NoMirror), "{error:?}");
    }
}
