//! Objects from Clerk's API beside the events of the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use deskbell_sync::dead_letters::{self, Choice};
use deskbell_sync::rebuild::rebuild;
use deskbell_sync::{
    Expressions, FetchedCommit, FetchedFrom, FetchedObject, Fold, Line, MirrorComparison,
    OnRowDelete, PartKind, Stale, StatementConfig, Target, connect, entity,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::backend::{BLOCK_APP_USERS, DUE, REFUSE_THE_SEVENTH, RELENT, UNBLOCK_APP_USERS, USERS};
use super::consumer::World;
use super::mapped;
use super::never_stops::{drain, ids, letters};
use super::support::{deleted, membership, user};

/// Writes objects into the mirror of a world, as a backfill does.
struct Fetching {
    target: Arc<dyn Target>,
    fold: Fold,
    world: World,
}

impl Fetching {
    async fn new(world: World) -> Self {
        let target = connect(&world.options).await.unwrap();
        let fold = Fold::new(target.mappings(), world.options.sources.clone());
        Self { target, fold, world }
    }

    async fn fetch(&self, entity: &str, answered_at_ms: i64, objects: &[Value]) -> FetchedCommit {
        let entity = entity::find(entity).unwrap();
        let texts: Vec<_> = objects.iter().map(Value::to_string).collect();
        let objects = texts.iter().map(|json| FetchedObject { entity, json, answered_at_ms });
        let from = FetchedFrom { source: "clerk".into(), instance_id: "ins_1".to_owned() };
        let batch = self.fold.fold_fetched(&from, &objects.collect::<Vec<_>>());
        self.target.apply_fetched(&batch, self.world.store.log_id()).await.unwrap()
    }

    async fn drain(&self) {
        drain(&mut self.world.consumer().await).await;
    }

    async fn names(&self) -> Vec<Vec<String>> {
        let names = format!("SELECT id, first_name FROM {USERS} ORDER BY id");
        self.world.place.rows(&names).await
    }
}

#[tokio::test]
async fn an_object_fills_the_mirror_that_has_read_nothing_yet() {
    let fetching = Fetching::new(World::new().await).await;
    let commit = fetching.fetch("user", 9, &[user("user_1", 1), user("user_2", 2)]).await;
    assert_eq!((commit.rows_written, commit.passed_over), (2, Vec::new()));
    assert_eq!(fetching.world.checkpoint().await, None, "no checkpoint moves");
    assert_eq!(fetching.names().await, [["user_1", "at 1"], ["user_2", "at 2"]]);
    // The log is read from its beginning, and takes nothing away.
    fetching.world.append("msg_3", "user.created", &user("user_3", 3)).await;
    fetching.drain().await;
    assert_eq!(ids(&fetching.world, USERS).await, ["user_1", "user_2", "user_3"]);
    assert_eq!(fetching.fetch("user", 9, &[user("user_1", 1)]).await.rows_written, 0);
}

#[tokio::test]
async fn newer_events_and_deletes_win_and_older_events_do_not() {
    let fetching = Fetching::new(World::new().await).await;
    let world = &fetching.world;
    world.append("msg_1", "user.updated", &user("user_new", 5)).await;
    world.append("msg_2", "user.updated", &user("user_old", 1)).await;
    world.append("msg_3", "user.deleted", &deleted("user", "user_gone")).await;
    fetching.drain().await;
    let objects = ["user_new", "user_old", "user_gone"].map(|id| user(id, 3));
    fetching.fetch("user", 100, &objects).await;
    assert_eq!(fetching.names().await, [["user_new", "at 5"], ["user_old", "at 3"]]);
    // What comes late is older than what was fetched.
    world.append("msg_4", "user.updated", &user("user_old", 2)).await;
    fetching.drain().await;
    assert_eq!(fetching.names().await, [["user_new", "at 5"], ["user_old", "at 3"]]);
    world.append("msg_5", "user.updated", &user("user_old", 4)).await;
    world.append("msg_6", "user.deleted", &deleted("user", "user_new")).await;
    fetching.drain().await;
    assert_eq!(fetching.names().await, [["user_old", "at 4"]]);
}

#[tokio::test]
async fn a_membership_whose_organization_is_gone_stays_out() {
    let fetching = Fetching::new(World::new().await).await;
    fetching.world.append("msg_1", "organization.deleted", &deleted("organization", "org_1")).await;
    fetching.drain().await;
    let objects = [
        membership("orgmem_1", "org_1", "user_1", 7),
        membership("orgmem_2", "org_2", "user_1", 7),
    ];
    fetching.fetch("organization_membership", 9, &objects).await;
    assert_eq!(
        ids(&fetching.world, &USERS.replace("users", "organization_memberships")).await,
        ["orgmem_2"]
    );
}

#[tokio::test]
async fn an_object_without_a_time_has_that_of_the_answer() {
    let fetching = Fetching::new(World::new().await).await;
    let world = &fetching.world;
    let role = |name: &str| json!({ "id": "role_1", "key": "org:a", "name": name });
    world.append_at("msg_1", "role.updated", 5, &role("of the event")).await;
    fetching.drain().await;
    let names = format!("SELECT name FROM {}", USERS.replace("users", "roles"));
    fetching.fetch("role", 4, &[role("earlier")]).await;
    assert_eq!(world.place.rows(&names).await, [["of the event"]]);
    fetching.fetch("role", 6, &[role("later")]).await;
    assert_eq!(world.place.rows(&names).await, [["later"]]);
}

/// A world whose users are in a table of the application's too, and whose statement notes the
/// visits of users in another.
pub(crate) async fn with_an_application(visits: &str, statement: StatementConfig) -> World {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(mapped::USERS).await;
    world.place.run(visits).await;
    world.options.database.tables = vec![mapped::users(OnRowDelete::Delete)];
    world.options.database.statements = vec![statement];
    world
}

/// Notes who comes.
pub(crate) fn noting() -> StatementConfig {
    StatementConfig {
        name: Some("visits".to_owned()),
        on: vec!["user.*".to_owned()],
        sql: "insert into visits (id) values (:id)".to_owned(),
        params: Expressions::from_iter([("id", "user.id")]),
        when: None,
        stale: Stale::Run,
        expect_rows: None,
        line: Line(Some(1)),
    }
}

async fn with_visits() -> World {
    with_an_application("CREATE TABLE visits (id text)", noting()).await
}

#[tokio::test]
async fn mapped_tables_are_filled_and_no_statement_runs() {
    let fetching = Fetching::new(with_visits().await).await;
    fetching.fetch("user", 9, &[mapped::user("user_1", "a@x.dev", 1)]).await;
    let place = &fetching.world.place;
    let rows = "SELECT clerk_id, email FROM app_users";
    assert_eq!(place.rows(rows).await, [["user_1", "a@x.dev"]]);
    assert_eq!(place.rows("SELECT count(*) FROM visits").await, [["0"]]);
    let newer = mapped::user("user_1", "b@x.dev", 2);
    fetching.world.append("msg_1", "user.updated", &newer).await;
    fetching.drain().await;
    assert_eq!(place.rows(rows).await, [["user_1", "b@x.dev"]]);
    assert_eq!(place.rows("SELECT count(*) FROM visits").await, [["1"]]);
}

#[tokio::test]
async fn a_blocked_table_is_passed_over_and_named() {
    let fetching = Fetching::new(with_visits().await).await;
    let place = &fetching.world.place;
    place.run(BLOCK_APP_USERS).await;
    let objects = [mapped::user("user_1", "a@x.dev", 1)];
    let commit = fetching.fetch("user", 9, &objects).await;
    let [part] = commit.passed_over.as_slice() else { panic!("{commit:?}") };
    assert_eq!((part.kind, &*part.name), (PartKind::Mapped, "app_users from user"));
    assert_eq!(ids(&fetching.world, USERS).await, ["user_1"], "the mirror has it all the same");
    place.run(UNBLOCK_APP_USERS).await;
    place.run(DUE).await;
    fetching.world.append("msg_2", "user.created", &mapped::user("user_2", "b@x.dev", 1)).await;
    fetching.drain().await;
    assert_eq!(fetching.fetch("user", 9, &objects).await.passed_over, []);
    let rows = place.rows("SELECT clerk_id FROM app_users ORDER BY 1").await;
    assert_eq!(rows, [["user_1"], ["user_2"]]);
}

#[tokio::test]
async fn what_the_database_refuses_is_a_dead_letter_that_says_how_to_try_it_again() {
    let fetching = Fetching::new(World::new().await).await;
    let world = &fetching.world;
    fetching.drain().await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    let objects: Vec<_> = (1..=9).map(|number| user(&format!("user_{number}"), number)).collect();
    let commit = fetching.fetch("user", 20, &objects).await;
    assert_eq!((commit.rows_written, commit.refused.len()), (8, 1));
    assert_eq!(letters(world).await[0].id, "user_7");
    dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
    fetching.drain().await;
    let reason = letters(world).await[0].reason.clone().unwrap();
    assert!(reason.ends_with("run `deskbell backfill` to try it again)"), "{reason}");
    world.place.run(RELENT).await;
    fetching.fetch("user", 21, &objects).await;
    assert_eq!(letters(world).await, []);
    assert_eq!(ids(world, USERS).await.len(), 9);
}

#[tokio::test]
async fn a_rebuild_keeps_what_no_log_has() {
    let fetching = Fetching::new(World::new().await).await;
    let world = &fetching.world;
    let with_address = |id: &str, address: &str, updated_at: i64| {
        let mut data = user(id, updated_at);
        data["email_addresses"] =
            json!([{ "id": format!("idn_{address}"), "email_address": address }]);
        data
    };
    world.append("msg_1", "user.updated", &with_address("user_1", "old", 1)).await;
    world.append("msg_2", "user.updated", &with_address("user_2", "old2", 1)).await;
    fetching.drain().await;
    let objects = [with_address("user_1", "new", 5), with_address("user_3", "three", 5)];
    fetching.fetch("user", 9, &objects).await;
    let addresses = USERS.replace("users", "user_email_addresses");
    let addresses = format!("SELECT email_address FROM {addresses} ORDER BY 1");
    let expected = (fetching.names().await, world.place.rows(&addresses).await);
    assert_eq!(expected.1, [["new"], ["old2"], ["three"]]);
    world.place.run(&format!("UPDATE {USERS} SET first_name = 'x' WHERE id = 'user_2'")).await;
    rebuild(world.store.as_ref(), &world.options, |_| {}).await.unwrap();
    assert_eq!((fetching.names().await, world.place.rows(&addresses).await), expected);
    // A later event replaces what was fetched, with its elements.
    world.append("msg_3", "user.updated", &with_address("user_1", "newest", 8)).await;
    fetching.drain().await;
    rebuild(world.store.as_ref(), &world.options, |_| {}).await.unwrap();
    assert_eq!(world.place.rows(&addresses).await, [["newest"], ["old2"], ["three"]]);
}

#[tokio::test]
async fn what_events_alone_have_stays_and_what_is_null_goes() {
    let fetching = Fetching::new(World::new().await).await;
    let world = &fetching.world;
    let accepted = json!({
        "id": "orginv_1", "status": "accepted", "user_id": "user_1", "role": "org:admin",
        "organization_id": "org_1", "updated_at": 5,
    });
    world.append("msg_1", "organizationInvitation.accepted", &accepted).await;
    fetching.drain().await;
    // The API has no `user_id`, and here no role either.
    let object = json!({
        "id": "orginv_1", "status": "accepted", "role": null, "organization_id": "org_1", "updated_at": 5,
    });
    fetching.fetch("organization_invitation", 900, std::slice::from_ref(&object)).await;
    let rows = format!(
        "SELECT user_id, coalesce(role, 'none') FROM {}",
        USERS.replace("users", "organization_invitations")
    );
    assert_eq!(world.place.rows(&rows).await, [["user_1", "none"]]);
    let comparison = MirrorComparison::open(&world.options).await.unwrap();
    let entity = entity::find("organization_invitation").unwrap();
    let json = object.to_string();
    let object = FetchedObject { entity, json: &json, answered_at_ms: 901 };
    let from = FetchedFrom { source: "clerk".into(), instance_id: "ins_1".to_owned() };
    let batch = fetching.fold.fold_fetched(&from, &[object]);
    let found = comparison.compare(entity, &batch).await.unwrap();
    assert!(found.is_empty(), "{found:?}");
}

#[tokio::test]
async fn a_row_that_is_removed_leaves_no_tombstone_and_one_that_is_lifted_comes_back() {
    let fetching = Fetching::new(with_visits().await).await;
    let (world, place) = (&fetching.world, &fetching.world.place);
    fetching
        .fetch(
            "user",
            9,
            &[mapped::user("user_1", "a@x.dev", 1), mapped::user("user_2", "b@x.dev", 1)],
        )
        .await;
    let entity = entity::find("user").unwrap();
    let from = FetchedFrom { source: "clerk".into(), instance_id: "ins_1".to_owned() };
    let (ids_gone, log_id) = (["user_1".to_owned()], world.store.log_id());
    fetching.target.remove_unlisted(entity, &ids_gone, &from, 10, log_id).await.unwrap();
    assert_eq!(ids(world, USERS).await, ["user_2"]);
    assert_eq!(place.rows("SELECT clerk_id FROM app_users").await, [["user_2"]]);
    fetching.fetch("user", 11, &[mapped::user("user_1", "a@x.dev", 1)]).await;
    assert_eq!(ids(world, USERS).await, ["user_1", "user_2"]);
    assert_eq!(place.rows("SELECT count(*) FROM app_users").await, [["2"]]);
    // A delete by an event is final, until it is lifted.
    world.append("msg_1", "user.deleted", &deleted("user", "user_2")).await;
    fetching.drain().await;
    fetching.fetch("user", 12, &[mapped::user("user_2", "b@x.dev", 2)]).await;
    assert_eq!(ids(world, USERS).await, ["user_1"]);
    let lifted = fetching.target.lift_tombstones(entity, &["user_2".to_owned()]).await.unwrap();
    assert_eq!(lifted, 1);
    fetching.fetch("user", 13, &[mapped::user("user_2", "b@x.dev", 2)]).await;
    assert_eq!(ids(world, USERS).await, ["user_1", "user_2"]);
    assert_eq!(place.rows("SELECT count(*) FROM app_users").await, [["2"]]);
}

/// A step of a history: an event of a user, or what the API answers about one.
#[derive(Debug, Clone)]
enum Step {
    Event { user: u8, updated_at: i64 },
    Delete { user: u8 },
    Fetch { user: u8, updated_at: i64 },
    Drain,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..4_u8, 1..9_i64).prop_map(|(user, updated_at)| Step::Event { user, updated_at }),
        1 => (0..4_u8).prop_map(|user| Step::Delete { user }),
        4 => (0..4_u8, 1..9_i64).prop_map(|(user, updated_at)| Step::Fetch { user, updated_at }),
        2 => Just(Step::Drain),
    ];
    proptest::collection::vec(step, 1..20)
}

async fn run(steps: Vec<Step>) {
    let fetching = Fetching::new(World::new().await).await;
    let (mut newest, mut gone) = (BTreeMap::<String, i64>::new(), Vec::new());
    for (number, step) in steps.iter().enumerate() {
        let message_id = format!("msg_{number}");
        match step {
            Step::Event { user: id, updated_at } => {
                let id = format!("user_{id}");
                fetching.world.append(&message_id, "user.updated", &user(&id, *updated_at)).await;
                newest
                    .entry(id)
                    .and_modify(|at| *at = (*at).max(*updated_at))
                    .or_insert(*updated_at);
            }
            Step::Delete { user } => {
                let id = format!("user_{user}");
                fetching.world.append(&message_id, "user.deleted", &deleted("user", &id)).await;
                gone.push(id);
            }
            Step::Fetch { user: id, updated_at } => {
                let id = format!("user_{id}");
                fetching.fetch("user", 100, &[user(&id, *updated_at)]).await;
                newest
                    .entry(id)
                    .and_modify(|at| *at = (*at).max(*updated_at))
                    .or_insert(*updated_at);
            }
            Step::Drain => fetching.drain().await,
        }
    }
    fetching.drain().await;
    newest.retain(|id, _| !gone.contains(id));
    let expected: Vec<_> =
        newest.into_iter().map(|(id, at)| vec![id, format!("at {at}")]).collect();
    assert_eq!(fetching.names().await, expected);
}

#[test]
fn whatever_comes_first_the_newest_version_and_deletes_win() {
    let config = ProptestConfig { cases: 12, ..ProptestConfig::default() };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    proptest!(config, |(steps in steps())| runtime.block_on(run(steps)));
}
