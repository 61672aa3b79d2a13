//! Mirrors whose events only say what to fetch, with a reader in place of Clerk's API.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use deskbell_store::ReadLimit;
use deskbell_sync::entity::Entity;
use deskbell_sync::rebuild::rebuild;
use deskbell_sync::{
    Expressions, FetchedFrom, MirrorConsumer, NewestObject, NewestObjects, ObjectReadError,
    ObjectReader, ReadRequest, StatementConfig, SyncError, WantedObject,
};
use serde_json::{Value, json};

use super::backend::USERS;
use super::consumer::World;
use super::fetched;
use super::mapped;
use super::never_stops::{drain, letters};
use super::support::{deleted, membership, user};

/// What Clerk has, by id, and what it was asked for.
#[derive(Default)]
pub(crate) struct Clerk {
    objects: Mutex<BTreeMap<String, Value>>,
    asked: Mutex<Vec<Vec<String>>>,
    pub(crate) is_away: AtomicBool,
    /// Requests for each, beside one for all.
    pub(crate) costs_of_one: AtomicUsize,
}

impl fmt::Debug for Clerk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clerk")
    }
}

/// When Clerk answers, later than every event.
const ANSWERED_AT_MS: i64 = 1_000;

impl Clerk {
    pub(crate) fn of(objects: &[Value]) -> Arc<Self> {
        let clerk = Self::default();
        for object in objects {
            clerk.put(object);
        }
        Arc::new(clerk)
    }

    pub(crate) fn put(&self, object: &Value) {
        let id = object["id"].as_str().unwrap().to_owned();
        self.objects.lock().unwrap().insert(id, object.clone());
    }

    /// The ids of each request since it was asked last.
    pub(crate) fn asked(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[async_trait]
impl ObjectReader for Clerk {
    fn reads(&self, entity: &Entity) -> bool {
        entity.name != "organization_domain"
    }

    /// Roles are read one by one, all others together if nothing else is said.
    fn requests(&self, wanted: &[WantedObject]) -> usize {
        let of_one = |wanted: &WantedObject| match wanted.entity.name {
            "role" => 1,
            _ => self.costs_of_one.load(Ordering::SeqCst),
        };
        1 + wanted.iter().map(of_one).sum::<usize>()
    }

    async fn read(&self, request: ReadRequest<'_>) -> Result<NewestObjects, ObjectReadError> {
        let ids: Vec<_> = request.wanted.iter().map(|wanted| wanted.id.clone()).collect();
        self.asked.lock().unwrap().push(ids);
        if self.is_away.load(Ordering::SeqCst) {
            let cause = Box::new(std::io::Error::other("Clerk answered 500"));
            let source_name = request.source.to_owned();
            return Err(ObjectReadError { source_name, is_permanent: false, cause });
        }
        let objects = self.objects.lock().unwrap();
        let newest = request.wanted.iter().filter_map(|wanted| {
            let json = objects.get(&wanted.id)?.to_string().into();
            Some(NewestObject { entity: wanted.entity, json, answered_at_ms: ANSWERED_AT_MS })
        });
        let from = FetchedFrom { source: request.source.into(), instance_id: "ins_1".to_owned() };
        Ok(NewestObjects { from, objects: newest.collect() })
    }
}

pub(crate) async fn consumer(world: &World, clerk: &Arc<Clerk>) -> MirrorConsumer {
    world.consumer().await.refetching(clerk.clone())
}

pub(crate) async fn names(world: &World) -> Vec<Vec<String>> {
    world.place.rows(&format!("SELECT id, first_name FROM {USERS} ORDER BY id")).await
}

#[tokio::test]
async fn the_newest_state_is_written_once_for_many_events() {
    let mut world = World::new().await;
    world.options.batch = ReadLimit::default();
    let clerk = Clerk::of(&[user("user_1", 7), user("user_2", 8)]);
    // As many as a batch has.
    for number in 0..999 {
        let data = user("user_1", 1 + number % 3);
        world.append(&format!("msg_{number}"), "user.updated", &data).await;
    }
    world.append("msg_second", "user.updated", &user("user_2", 1)).await;
    drain(&mut consumer(&world, &clerk).await).await;
    assert_eq!(names(&world).await, [["user_1", "at 7"], ["user_2", "at 8"]]);
    assert_eq!(clerk.asked(), [["user_1", "user_2"]], "once for the batch");
    // Later events are older than what was read, or newer than what Clerk answers.
    world.append("msg_late", "user.updated", &user("user_1", 6)).await;
    world.append("msg_newer", "user.updated", &user("user_2", 9)).await;
    drain(&mut consumer(&world, &clerk).await).await;
    assert_eq!(names(&world).await, [["user_1", "at 7"], ["user_2", "at 9"]]);
}

#[tokio::test]
async fn whom_clerk_does_not_have_is_written_from_the_event_and_deleted_by_one() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7)]);
    let mut consumer = consumer(&world, &clerk).await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append("msg_2", "user.created", &user("user_2", 1)).await;
    drain(&mut consumer).await;
    assert_eq!(names(&world).await, [["user_1", "at 7"], ["user_2", "at 1"]]);
    clerk.asked();
    // Clerk may still have it where the answer comes from.
    world.append("msg_3", "user.deleted", &deleted("user", "user_1")).await;
    world.append("msg_4", "user.created", &user("user_3", 1)).await;
    world.append("msg_5", "user.deleted", &deleted("user", "user_3")).await;
    drain(&mut consumer).await;
    assert_eq!(names(&world).await, [["user_2", "at 1"]]);
    assert!(clerk.asked().is_empty(), "a delete says all");
    // What comes back late stays away, whatever Clerk answers.
    world.append("msg_6", "user.updated", &user("user_1", 9)).await;
    drain(&mut consumer).await;
    assert_eq!(names(&world).await, [["user_2", "at 1"]]);
}

#[tokio::test]
async fn nobody_asks_for_what_cannot_be_read_or_is_made_up() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7)]);
    let domain = json!({ "id": "orgdmn_1", "name": "example.com", "updated_at": 1 });
    world.append("msg_1", "organizationDomain.created", &domain).await;
    let mut example = testkit::event("msg_2", "user.created").data(&user("user_1", 1)).new_event();
    example.instance_id = Some("ins_123".to_owned());
    world.store.append(&[example]).await.unwrap();
    drain(&mut consumer(&world, &clerk).await).await;
    assert_eq!(names(&world).await, [["user_1", "at 1"]]);
    assert!(clerk.asked().is_empty());
}

#[tokio::test]
async fn a_membership_is_wanted_with_its_user() {
    #[derive(Debug)]
    struct Parents(Mutex<Vec<(Option<String>, Option<String>)>>);

    #[async_trait]
    impl ObjectReader for Parents {
        fn reads(&self, entity: &Entity) -> bool {
            entity.name == "organization_membership"
        }

        fn requests(&self, wanted: &[WantedObject]) -> usize {
            wanted.len()
        }

        async fn read(&self, request: ReadRequest<'_>) -> Result<NewestObjects, ObjectReadError> {
            for wanted in request.wanted {
                let parent = |name| wanted.parent(name).map(str::to_owned);
                self.0.lock().unwrap().push((parent("user"), parent("organization")));
            }
            let from = FetchedFrom { source: "clerk".into(), instance_id: "ins_1".to_owned() };
            Ok(NewestObjects { from, objects: Vec::new() })
        }
    }

    let world = World::new().await;
    let parents = Arc::new(Parents(Mutex::default()));
    let data = membership("orgmem_1", "org_1", "user_1", 1);
    world.append("msg_1", "organizationMembership.created", &data).await;
    drain(&mut world.consumer().await.refetching(parents.clone())).await;
    let expected = [(Some("user_1".to_owned()), Some("org_1".to_owned()))];
    assert_eq!(*parents.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn while_clerk_is_away_the_mirror_waits_and_then_catches_up() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7)]);
    let mut consumer = consumer(&world, &clerk).await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    drain(&mut consumer).await;
    clerk.is_away.store(true, Ordering::SeqCst);
    clerk.put(&user("user_1", 8));
    for number in 2..=9 {
        world.append(&format!("msg_{number}"), "user.updated", &user("user_1", 2)).await;
    }
    for _ in 0..5 {
        let error = consumer.run_once().await.unwrap_err();
        assert!(matches!(error, SyncError::Clerk(_)), "{error:?}");
        assert_eq!(world.checkpoint().await, Some(1), "no event is passed over");
    }
    assert!(letters(&world).await.is_empty(), "nothing is given up");
    clerk.is_away.store(false, Ordering::SeqCst);
    drain(&mut consumer).await;
    assert_eq!(
        (world.checkpoint().await, names(&world).await),
        (Some(9), vec![vec!["user_1".to_owned(), "at 8".to_owned()]])
    );
}

#[tokio::test]
async fn a_program_that_ends_while_it_waits_loses_nothing() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7)]);
    clerk.is_away.store(true, Ordering::SeqCst);
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    consumer(&world, &clerk).await.run_once().await.unwrap_err();
    clerk.is_away.store(false, Ordering::SeqCst);
    drain(&mut consumer(&world, &clerk).await).await;
    assert_eq!(names(&world).await, [["user_1", "at 7"]]);
}

#[tokio::test]
async fn what_the_api_does_not_say_stays_as_the_newest_event_said_it() {
    let world = World::new().await;
    let clerk = Clerk::of(&[json!({ "id": "user_1", "first_name": "of Clerk", "updated_at": 9 })]);
    let event = |updated_at: i64, username: &str| json!({ "id": "user_1", "username": username, "updated_at": updated_at });
    let mut consumer = consumer(&world, &clerk).await;
    let row = format!("SELECT first_name, username FROM {USERS}");
    world.append("msg_1", "user.updated", &event(5, "fifth")).await;
    drain(&mut consumer).await;
    assert_eq!(world.place.rows(&row).await, [["of Clerk", "fifth"]], "of a row that is new");
    world.append("msg_2", "user.updated", &event(3, "third")).await;
    drain(&mut consumer).await;
    assert_eq!(world.place.rows(&row).await, [["of Clerk", "fifth"]], "older than the row");
    clerk.put(&json!({ "id": "user_1", "first_name": "of Clerk", "updated_at": 12 }));
    world.append("msg_3", "user.updated", &event(11, "eleventh")).await;
    drain(&mut consumer).await;
    assert_eq!(world.place.rows(&row).await, [["of Clerk", "eleventh"]], "newer than the row");
}

#[tokio::test]
async fn the_applications_tables_have_it_and_statements_run_for_each_event() {
    let statement = StatementConfig {
        on: vec!["user.updated".to_owned()],
        sql: format!(
            "insert into visits (name, seen) values (:name, (select last_name from {USERS} where id = :id))"
        ),
        params: Expressions::from_iter([("name", "user.first_name"), ("id", "user.id")]),
        ..fetched::noting()
    };
    let visits = "CREATE TABLE visits (name text, seen text)";
    let world = fetched::with_an_application(visits, statement).await;
    let newest = mapped::user("user_1", "new@x.dev", 9);
    let clerk = Clerk::of(&[newest]);
    for number in 1..=3 {
        let mut data = mapped::user("user_1", "old@x.dev", number);
        data["first_name"] = format!("event {number}").into();
        data["last_name"] = "event".into();
        world.append(&format!("msg_{number}"), "user.updated", &data).await;
    }
    drain(&mut consumer(&world, &clerk).await).await;
    let email = world.place.rows("SELECT clerk_id, email FROM app_users").await;
    assert_eq!(email, [["user_1", "new@x.dev"]]);
    let visits = world.place.rows("SELECT name, seen FROM visits ORDER BY name").await;
    let expected = ["event 1", "event 2", "event 3"].map(|name| [name, "user_1"]);
    assert_eq!(visits, expected, "with the event's own data, beside the newest row");
}

#[tokio::test]
async fn a_rebuild_keeps_what_was_read() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7)]);
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append("msg_2", "user.created", &user("user_2", 1)).await;
    drain(&mut consumer(&world, &clerk).await).await;
    rebuild(&*world.store, &world.options, |_| {}).await.unwrap();
    assert_eq!(names(&world).await, [["user_1", "at 7"], ["user_2", "at 1"]]);
}

#[tokio::test]
async fn a_batch_that_costs_many_requests_is_cut() {
    let mut world = World::new().await;
    world.options.batch = ReadLimit::default();
    let clerk = Clerk::of(&[]);
    for number in 0..300 {
        let role = json!({ "id": format!("role_{number}"), "key": "org:a", "updated_at": 1 });
        world.append(&format!("msg_{number}"), "role.created", &role).await;
    }
    drain(&mut consumer(&world, &clerk).await).await;
    let asked: Vec<_> = clerk.asked().iter().map(Vec::len).collect();
    assert_eq!(asked.iter().sum::<usize>(), 300, "each once: {asked:?}");
    assert!(asked.iter().all(|requests| *requests < 100), "{asked:?}");
    assert_eq!(world.checkpoint().await, Some(300));
}
