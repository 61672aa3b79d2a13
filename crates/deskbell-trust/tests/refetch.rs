//! Mirrors whose events only say what to fetch from a simulated Clerk.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clerk_api::{Client, ClientOptions, RateShare, SecretKey};
use deskbell_sim::INSTANCE_ID;
use deskbell_sim::backend_api::{BackendApiOptions, Fault, SharedDirectory, sample};
use deskbell_store::NewEvent;
use deskbell_sync::status::MirrorState;
use deskbell_sync::{DatabaseConfig, MirrorService, SyncError};
use deskbell_trust::{BackfillSource, Refetch, refetched_entities};
use serde_json::{Value, json};
use testkit::PostgresDatabase;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{Mirror, START_MS, World, filled};

const USER: &str = "user_00000000";
const LATER_MS: i64 = START_MS + 60_000;

fn event(message_id: &str, event_type: &str, data: &Value) -> NewEvent {
    let event = testkit::event(message_id, event_type).at(START_MS).data(data).new_event();
    NewEvent { instance_id: Some(INSTANCE_ID.to_owned()), ..event }
}

/// The object of this list that Clerk has from now on.
fn update(directory: &SharedDirectory, list: &'static str, number: usize, name: &str) -> Value {
    let mut object = sample(list, number, START_MS);
    object["updated_at"] = LATER_MS.into();
    object[if list == "users" { "first_name" } else { "name" }] = name.into();
    let mut state = directory.lock();
    state.insert(list, &object);
    state.set_now(LATER_MS + 1_000);
    object
}

/// The state of a user that an event has.
fn user_at(number: usize, updated_at: i64, name: &str) -> Value {
    let mut user = sample("users", number, START_MS);
    user["updated_at"] = updated_at.into();
    user["first_name"] = name.into();
    user
}

async fn drain(world: &World, mirror: &Mirror, refetch: &Refetch) {
    let mut consumer = mirror.consumer(&world.store).refetching(Arc::new(refetch.clone()));
    while consumer.run_once().await.unwrap().more {}
}

async fn names(mirror: &Mirror, table: &str, column: &str) -> Vec<Value> {
    let rows = mirror.reader().await.rows(table).await.unwrap();
    rows.iter().map(|row| row[column].clone()).collect()
}

/// The paths and queries that were asked for, without those about the key.
type Asked = Arc<Mutex<Vec<String>>>;

async fn recording(directory: &SharedDirectory) -> (World, Asked) {
    let asked = Asked::default();
    let noted = Arc::clone(&asked);
    let world = World::with(directory.clone(), move |request| {
        if request.path != "/instance" {
            noted.lock().unwrap().push(format!("{}?{}", request.path, request.query));
        }
        Fault::None
    });
    (world.await, asked)
}

async fn the_newest_state_is_written(database: Option<&PostgresDatabase>) {
    let directory = filled(&["users"], 2);
    update(&directory, "users", 0, "Newest");
    let (world, asked) = recording(&directory).await;
    let mirror = match database {
        Some(database) => world.mirror_in("app", &database.url(), DatabaseConfig::default()).await,
        None => world.mirror("app").await,
    };
    let refetch = world.refetch(Some(INSTANCE_ID));
    // As many as a batch has.
    for number in 0..999 {
        let data = user_at(0, START_MS + number, "of an event");
        world.append(event(&format!("msg_{number}"), "user.updated", &data)).await;
    }
    world.append(event("msg_unknown", "user.created", &user_at(7, START_MS, "Unknown"))).await;
    drain(&world, &mirror, &refetch).await;
    assert_eq!(names(&mirror, "users", "first_name").await, ["Newest", "Unknown"]);
    assert_eq!(asked.lock().unwrap().len(), 1, "{asked:?}");
    // The answer of a server that lags.
    let newer = user_at(0, LATER_MS + 5_000, "Newer still");
    world.append(event("msg_newer", "user.updated", &newer)).await;
    drain(&world, &mirror, &refetch).await;
    assert_eq!(names(&mirror, "users", "first_name").await, ["Newer still", "Unknown"]);
    let requests = asked.lock().unwrap().len();
    for (number, id) in [(0, USER), (7, "user_00000007")] {
        let gone = json!({ "id": id, "object": "user", "deleted": true });
        world.append(event(&format!("msg_gone_{number}"), "user.deleted", &gone)).await;
    }
    drain(&world, &mirror, &refetch).await;
    assert_eq!(mirror.count("users").await, 0);
    assert_eq!(asked.lock().unwrap().len(), requests, "a delete makes no request");
}

#[tokio::test]
async fn the_newest_state_is_written_to_sqlite() {
    the_newest_state_is_written(None).await;
}

#[tokio::test]
async fn the_newest_state_is_written_to_postgresql() {
    let database = PostgresDatabase::new().await;
    the_newest_state_is_written(Some(&database)).await;
}

#[tokio::test]
async fn every_entity_that_can_be_is_read_and_few_requests_are_made() {
    let directory = filled(&["users"], 250);
    update(&directory, "organizations", 0, "Newest");
    update(&directory, "organization_roles", 0, "Newest");
    update(&directory, "organization_permissions", 0, "Newest");
    for (number, organization) in [(0, "org_00000000"), (1, "org_00000001")] {
        let mut membership = sample("organization_memberships", number, START_MS);
        membership["organization"] = json!({ "id": organization, "object": "organization" });
        membership["public_user_data"] = json!({ "user_id": USER });
        membership["role"] = "org:newest".into();
        membership["updated_at"] = LATER_MS.into();
        directory.lock().insert_of("organization_memberships", USER, &membership);
    }
    let (world, asked) = recording(&directory).await;
    let mirror = world.mirror("app").await;
    for number in 0..250 {
        let data = user_at(number, START_MS, "event");
        world.append(event(&format!("msg_user_{number}"), "user.created", &data)).await;
    }
    for (list, event_type) in [
        ("organizations", "organization.created"),
        ("organization_roles", "role.created"),
        ("organization_permissions", "permission.created"),
        ("organization_domains", "organizationDomain.created"),
    ] {
        world.append(event(&format!("msg_{list}"), event_type, &sample(list, 0, START_MS))).await;
    }
    for number in 0..2 {
        let mut membership = sample("organization_memberships", number, START_MS);
        membership["organization"] = json!({ "id": format!("org_0000000{number}") });
        membership["public_user_data"] = json!({ "user_id": USER });
        let message_id = format!("msg_membership_{number}");
        world.append(event(&message_id, "organizationMembership.created", &membership)).await;
    }
    drain(&world, &mirror, &world.refetch(Some(INSTANCE_ID))).await;
    for (table, column, expected) in [
        ("organizations", "name", vec!["Newest"]),
        ("roles", "name", vec!["Newest"]),
        ("permissions", "name", vec!["Newest"]),
        ("organization_memberships", "role", vec!["org:newest"; 2]),
    ] {
        assert_eq!(names(&mirror, table, column).await, expected, "{table}");
    }
    assert_eq!((mirror.count("users").await, mirror.count("organization_domains").await), (250, 1));
    let mut paths: Vec<_> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|asked| asked.split('?').next().unwrap().to_owned())
        .collect();
    paths.sort();
    let expected = [
        "/organization_permissions/perm_00000000",
        "/organization_roles/role_00000000",
        "/organizations",
        "/users",
        "/users",
        "/users",
        "/users/user_00000000/organization_memberships",
    ];
    assert_eq!(paths, expected);
    assert_eq!(refetched_entities().len(), 5);
}

#[tokio::test]
async fn a_key_that_must_not_be_used_reads_nothing_and_says_what_to_do() {
    let directory = filled(&["users"], 1);
    let world = World::new(directory.clone()).await;
    let mirror = world.mirror("app").await;
    let other = world.refetch(Some("ins_2Another0000000000000000000"));
    world.append(event("msg_1", "user.created", &user_at(0, START_MS, "event"))).await;
    let revoked = World::with(directory, |_| Fault::Status(401)).await;
    for (refetch, says) in [
        (other, "set `secret_key` to a key of that instance"),
        (revoked.refetch(Some(INSTANCE_ID)), "Clerk rejects the secret key"),
        (Refetch::new(world.store.clone(), Vec::new()), "the source has no secret key"),
    ] {
        let mut consumer = mirror.consumer(&world.store).refetching(Arc::new(refetch));
        let error = consumer.run_once().await.unwrap_err();
        let SyncError::Clerk(error) = error else { panic!("{error:?}") };
        let cause = error.cause.to_string();
        assert!(error.is_permanent && cause.contains(says), "{cause}");
        assert_eq!(mirror.count("users").await, 0);
    }
}

#[tokio::test]
async fn what_clerk_rejects_is_written_from_the_event_and_what_a_proxy_does_is_not() {
    let status = Arc::new(AtomicU16::new(403));
    let (answered, directory) = (Arc::clone(&status), filled(&["organizations"], 1));
    let world = World::with(directory, move |request| match request.path.as_str() {
        "/organizations" if answered.load(Ordering::SeqCst) == 0 => Fault::Close,
        "/organizations" => Fault::Status(answered.load(Ordering::SeqCst)),
        _ => Fault::None,
    })
    .await;
    let mirror = world.mirror("app").await;
    let refetch = world.refetch(Some(INSTANCE_ID));
    let organization = sample("organizations", 0, START_MS);
    world.append(event("msg_1", "organization.created", &organization)).await;
    drain(&world, &mirror, &refetch).await;
    assert_eq!(mirror.count("organizations").await, 1, "organizations are switched off");
    world.append(event("msg_2", "organization.updated", &organization)).await;
    for fault in [500, 0] {
        status.store(fault, Ordering::SeqCst);
        let mut consumer = mirror.consumer(&world.store).refetching(Arc::new(refetch.clone()));
        let error = consumer.run_once().await.unwrap_err();
        assert!(matches!(&error, SyncError::Clerk(error) if !error.is_permanent), "{error:?}");
    }
}

/// What this thread logs at the default level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn what_clerk_rejects_is_logged_once_until_it_changes() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let status = Arc::new(AtomicU16::new(0));
    let (answered, directory) = (Arc::clone(&status), filled(&["organizations"], 1));
    let world = World::with(directory, move |request| match request.path.as_str() {
        "/organizations" if answered.load(Ordering::SeqCst) != 0 => {
            Fault::Status(answered.load(Ordering::SeqCst))
        }
        _ => Fault::None,
    })
    .await;
    let mirror = world.mirror("app").await;
    let refetch = world.refetch(Some(INSTANCE_ID));
    let organization = sample("organizations", 0, START_MS);
    for (number, answer) in [403, 403, 422, 422, 0, 422, 422].into_iter().enumerate() {
        status.store(answer, Ordering::SeqCst);
        let message_id = format!("msg_{number}");
        world.append(event(&message_id, "organization.updated", &organization)).await;
        drain(&world, &mirror, &refetch).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let warnings = log.lines().filter(|line| line.contains("Clerk rejects reading objects"));
    let warnings: Vec<_> = warnings.collect();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    for (warning, status) in warnings.iter().zip(["403", "422", "422"]) {
        assert!(warning.contains(status) && warning.contains("organization"), "{warning}");
    }
}

/// Keeps the mirror up while the test runs.
fn follow(world: &World, mirror: &Mirror, refetch: &Refetch) -> (MirrorService, CancellationToken) {
    let mut options = mirror.options.clone();
    options.database.refetch = true;
    let service = MirrorService::new(world.store.clone(), options);
    (service.reading_from(Arc::new(refetch.clone())), CancellationToken::new())
}

#[tokio::test]
async fn while_clerk_is_away_the_mirror_says_so_and_others_go_on() {
    let status = Arc::new(AtomicU16::new(503));
    let (answered, directory) = (Arc::clone(&status), filled(&["users"], 1));
    update(&directory, "users", 0, "Newest");
    let world = World::with(directory, move |_| match answered.load(Ordering::SeqCst) {
        0 => Fault::None,
        status => Fault::Status(status),
    })
    .await;
    let (mirror, other) = (world.mirror("app").await, world.mirror("other").await);
    world.append(event("msg_1", "user.created", &user_at(0, START_MS, "event"))).await;
    let (service, shutdown) = follow(&world, &mirror, &world.refetch(Some(INSTANCE_ID)));
    let (mut said, mut progress) = (service.status(), service.progress());
    let mut tasks = JoinSet::new();
    tasks.spawn(service.run(shutdown.clone()));
    let is_waiting = |status: &Option<deskbell_sync::status::MirrorStatus>| {
        matches!(status.as_ref().map(|status| &status.state), Some(MirrorState::Waiting(_)))
    };
    let state = said.wait_for(is_waiting).await.unwrap().clone().unwrap().state.to_string();
    assert!(state.starts_with("waiting for Clerk's API since "), "{state}");
    for text in ["cannot read Clerk's Backend API for source `clerk`", "503"] {
        assert!(state.contains(text), "{state}");
    }
    other.drain(&world.store).await;
    assert_eq!(names(&other, "users", "first_name").await, ["event"]);
    assert_eq!(mirror.count("users").await, 0);
    status.store(0, Ordering::SeqCst);
    progress.wait_for(|seq| seq.get() == 1).await.unwrap();
    assert_eq!(names(&mirror, "users", "first_name").await, ["Newest"]);
    shutdown.cancel();
    tasks.join_all().await;
}

#[tokio::test]
async fn a_program_that_stops_does_not_wait_for_clerk() {
    let world = World::with(filled(&["users"], 1), |_| Fault::Hang).await;
    let mirror = world.mirror("app").await;
    world.append(event("msg_1", "user.created", &user_at(0, START_MS, "event"))).await;
    let (service, shutdown) = follow(&world, &mirror, &world.refetch(Some(INSTANCE_ID)));
    let mut tasks = JoinSet::new();
    tasks.spawn(service.run(shutdown.clone()));
    while world.api.requests() == 0 {
        tokio::task::yield_now().await;
    }
    shutdown.cancel();
    // Far less than Clerk is waited for, and than a batch may take to be finished.
    tokio::time::timeout(Duration::from_secs(5), tasks.join_all()).await.unwrap();
    assert_eq!(mirror.count("users").await, 0);
}

/// Roles are read one by one: more requests than a window has.
#[tokio::test]
async fn requests_keep_to_the_share() {
    let window = Duration::from_millis(500);
    let options = BackendApiOptions { requests_max: 5, window, ..BackendApiOptions::default() };
    let share = RateShare::new(5, window);
    let directory = filled(&["organization_roles"], 12);
    let world = World::limited(directory, options, share.clone(), |_| Fault::None).await;
    let (mirror, other) = (world.mirror("app").await, world.mirror("other").await);
    for number in 0..12 {
        let role = sample("organization_roles", number, START_MS);
        world.append(event(&format!("msg_{number}"), "role.created", &role)).await;
    }
    // Two mirrors of one process have one client.
    let options =
        ClientOptions { base_url: world.api.url().parse().unwrap(), ..ClientOptions::default() };
    let key = SecretKey::parse("sk_test_SimulatedByDeskbell").unwrap();
    let client = Client::new(key, share, options).unwrap();
    let source = BackfillSource { refetching: client, ..world.source(Some(INSTANCE_ID)) };
    let refetch = Refetch::new(world.store.clone(), vec![source]);
    tokio::join!(drain(&world, &mirror, &refetch), drain(&world, &other, &refetch));
    assert_eq!((mirror.count("roles").await, other.count("roles").await), (12, 12));
    assert_eq!((world.api.requests(), world.api.rate_limited()), (26, 0));
    assert!(world.api.in_window_max() <= 5);
}
