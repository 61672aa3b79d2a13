//! Dead letters that are asked for again, and rows that wait, on a log where nothing happens.

use std::time::Duration;

use deskbell_sync::dead_letters::{self, Choice, DeadLetterEntry, State};
use deskbell_sync::{
    DatabaseConfig, MirrorConsumer, MirrorOptions, OnRowDelete, StatementConfig, TableConfig,
};
use serde_json::json;

use super::backend::{REFUSE_THE_SEVENTH, RELENT, VERSIONS};
use super::consumer::World;
use super::mapped::{TEAM, USERS, user as app_user, users};
use super::statements::joining;
use super::support::{membership, user};

/// A world in which the database has refused the user that is called "at 7".
async fn world_with_a_letter() -> (World, MirrorConsumer) {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    consumer.run_once().await.unwrap();
    world.place.run(REFUSE_THE_SEVENTH).await;
    world.append("msg_7", "user.created", &user("user_7", 7)).await;
    settle(&mut consumer).await;
    assert_eq!(reasons(&world).await.len(), 1);
    (world, consumer)
}

/// A world with tables of the application's.
async fn world_with(tables: &[&str], options: MirrorOptions) -> World {
    let mut world = World::new().await;
    world.place.make().await;
    for table in tables {
        world.place.run(table).await;
    }
    let url = world.options.database.url.clone();
    world.options = MirrorOptions {
        database: DatabaseConfig { url, mirror: false, ..options.database },
        ..options
    };
    world
}

/// Runs until the log is read, whatever is refused in between.
async fn settle(consumer: &mut MirrorConsumer) {
    for _ in 0..8 {
        let _refused_at_first = consumer.run_once().await;
    }
}

async fn letters(world: &World) -> Vec<DeadLetterEntry> {
    dead_letters::list(&world.options, &Choice::All).await.unwrap()
}

async fn reasons(world: &World) -> Vec<String> {
    letters(world).await.into_iter().filter_map(|letter| letter.reason).collect()
}

async fn ask_for(world: &World, id: &str) -> u64 {
    let ids = Choice::These(vec![id.to_owned()]);
    dead_letters::request_retry(&world.options, &ids).await.unwrap()
}

#[tokio::test]
async fn what_was_refused_is_there_once_it_is_asked_for() {
    let (world, mut consumer) = world_with_a_letter().await;
    let letter = letters(&world).await.remove(0);
    assert_eq!(
        (&*letter.message_id, &*letter.id, letter.state),
        ("msg_7", "user_7", State::Failed)
    );
    world.place.run(RELENT).await;
    consumer.run_once().await.unwrap();
    assert_eq!(world.users().await, 0, "nobody asked for it");
    assert_eq!(ask_for(&world, "user_8").await, 0);
    assert_eq!(ask_for(&world, "user_7").await, 1);
    assert_eq!(letters(&world).await[0].state, State::Requested);
    assert_eq!(consumer.run_once().await.unwrap().rows_written, 1);
    assert_eq!(world.users().await, 1);
    assert!(letters(&world).await.is_empty());
    // The log goes on from where it was.
    world.append("msg_8", "user.created", &user("user_8", 8)).await;
    assert_eq!(consumer.run_once().await.unwrap().events, 1);
}

#[tokio::test]
async fn what_is_refused_again_stays_a_dead_letter() {
    let (world, mut consumer) = world_with_a_letter().await;
    assert_eq!(ask_for(&world, "msg_7").await, 1);
    assert_eq!(consumer.run_once().await.unwrap().dead_letters, 1);
    let again = letters(&world).await;
    assert_eq!((again.len(), again[0].state), (1, State::Failed));
    let reason = again[0].reason.as_deref().unwrap();
    assert!(reason.contains("no_sevens"), "{reason}");
}

#[tokio::test]
async fn a_later_version_that_is_there_is_left_alone() {
    let (world, mut consumer) = world_with_a_letter().await;
    ask_for(&world, "user_7").await;
    world.place.run(RELENT).await;
    let later = json!({ "id": "user_7", "first_name": "Ada", "updated_at": 9 });
    world.append("msg_9", "user.updated", &later).await;
    settle(&mut consumer).await;
    let rows = world.reader().await.rows("users").await.unwrap();
    assert_eq!((rows.len(), &rows[0]["first_name"]), (1, &json!("Ada")));
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn an_event_that_the_log_does_not_have_is_said_so_once() {
    let (mut world, consumer) = world_with_a_letter().await;
    drop(consumer);
    world.restore("another.db").await;
    let mut consumer = world.consumer().await;
    for _ in 0..2 {
        assert_eq!(ask_for(&world, "user_7").await, 1);
        consumer.run_once().await.unwrap();
        let reason = reasons(&world).await.remove(0);
        assert!(reason.contains("no_sevens"), "{reason}");
        assert_eq!(reason.matches("(the log no longer has the event)").count(), 1, "{reason}");
        assert_eq!(letters(&world).await[0].state, State::Failed);
    }
}

#[tokio::test]
async fn a_statement_runs_once_when_it_is_asked_for() {
    let table = TEAM.replace("UNIQUE", "CHECK (role <> 'org:2'), UNIQUE");
    let counting = StatementConfig {
        sql: "insert into team_members (org_id, user_id, role) values (:org, :user, :role)"
            .to_owned(),
        ..joining()
    };
    let other = StatementConfig { name: Some("other".to_owned()), ..counting.clone() };
    let mut other_first = other.clone();
    other_first.params.0[1].1 = "id".to_owned();
    let statements = vec![other_first, counting];
    let world = world_with(
        &[&table],
        MirrorOptions::new("mirror", DatabaseConfig { statements, ..DatabaseConfig::default() }),
    )
    .await;
    let mut consumer = world.consumer().await;
    let joined = "organizationMembership.created";
    world.append("msg_1", joined, &membership("orgmem_1", "org_1", "user_1", 1)).await;
    world.append("msg_2", joined, &membership("orgmem_2", "org_1", "user_2", 2)).await;
    settle(&mut consumer).await;
    assert_eq!(reasons(&world).await.len(), 1);
    ask_for(&world, "msg_2").await;
    consumer.run_once().await.unwrap();
    assert_eq!(reasons(&world).await.len(), 1);
    world.place.run("DROP TABLE team_members").await;
    world.place.run(TEAM).await;
    ask_for(&world, "msg_2").await;
    settle(&mut consumer).await;
    let rows = world.place.rows("SELECT user_id FROM team_members ORDER BY 1").await;
    assert_eq!(rows, [["msg_2"], ["user_2"]], "both statements of the event, and of it alone");
    assert!(letters(&world).await.is_empty());
}

/// Lets the time pass until what waits is tried again.
async fn make_due(world: &World) {
    let past = "2020-01-01T00:00:00.000Z";
    let sql = format!("UPDATE {VERSIONS} SET retry_at = '{past}' WHERE retry_at IS NOT NULL");
    world.place.run(&sql).await;
}

fn unique_users(conflict_patience: Duration) -> MirrorOptions {
    let tables: Vec<TableConfig> = vec![users(OnRowDelete::Delete)];
    MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            tables,
            conflict_patience: deskbell_config::Duration::new(conflict_patience),
            ..DatabaseConfig::default()
        },
    )
}

const EMAILS: &str = "SELECT clerk_id, email FROM app_users ORDER BY 1";

#[tokio::test]
async fn a_row_that_waits_is_there_once_nothing_stands_in_its_way() {
    let world = world_with(&[USERS], unique_users(Duration::from_secs(3600))).await;
    let mut consumer = world.consumer().await;
    world.place.run("INSERT INTO app_users (clerk_id, email) VALUES ('ours', 'a@x.dev')").await;
    world.append("msg_1", "user.created", &app_user("user_1", "a@x.dev", 1)).await;
    settle(&mut consumer).await;
    assert_eq!(world.place.rows(EMAILS).await, [["ours", "a@x.dev"]]);
    let waiting = letters(&world).await.remove(0);
    assert_eq!((waiting.state, &*waiting.part), (State::Waiting, "app_users from user"));
    assert_eq!(ask_for(&world, "user_1").await, 0, "it is tried anyway");
    world.place.run("DELETE FROM app_users WHERE clerk_id = 'ours'").await;
    assert_eq!(consumer.run_once().await.unwrap().rows_written, 0, "it is not due yet");
    make_due(&world).await;
    assert_eq!(consumer.run_once().await.unwrap().rows_written, 1);
    assert_eq!(world.place.rows(EMAILS).await, [["user_1", "a@x.dev"]]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_row_that_waits_says_for_what_and_waits_longer_each_time() {
    let world = world_with(&[USERS], unique_users(Duration::from_secs(3600))).await;
    let mut consumer = world.consumer().await;
    world.place.run("INSERT INTO app_users (clerk_id, email) VALUES ('ours', 'a@x.dev')").await;
    world.append("msg_1", "user.created", &app_user("user_1", "a@x.dev", 1)).await;
    settle(&mut consumer).await;
    let reason = letters(&world).await.remove(0).reason.unwrap();
    assert!(reason.contains("email"), "{reason}");
    let tries = format!("SELECT tries FROM {VERSIONS} WHERE waits_for = '[\"ours\"]'");
    assert_eq!(world.place.rows(&tries).await, [["1"]]);
    for expected in ["2", "3"] {
        make_due(&world).await;
        settle(&mut consumer).await;
        assert_eq!(world.place.rows(&tries).await, [[expected]]);
    }
}

#[tokio::test]
async fn a_row_that_has_waited_long_enough_is_a_dead_letter_until_it_is_asked_for() {
    let mut world = world_with(&[USERS], unique_users(Duration::from_secs(3600))).await;
    let mut consumer = world.consumer().await;
    world.place.run("INSERT INTO app_users (clerk_id, email) VALUES ('ours', 'a@x.dev')").await;
    world.append("msg_1", "user.created", &app_user("user_1", "a@x.dev", 1)).await;
    settle(&mut consumer).await;
    assert_eq!(letters(&world).await[0].state, State::Waiting);
    world.options.database.conflict_patience = deskbell_config::Duration::new(Duration::ZERO);
    make_due(&world).await;
    let mut consumer = world.consumer().await;
    assert_eq!(consumer.run_once().await.unwrap().dead_letters, 1);
    assert_eq!(letters(&world).await[0].state, State::Failed);
    world.place.run("DELETE FROM app_users WHERE clerk_id = 'ours'").await;
    assert_eq!(consumer.run_once().await.unwrap().rows_written, 0, "nobody asked for it");
    assert_eq!(ask_for(&world, "user_1").await, 1);
    assert_eq!(consumer.run_once().await.unwrap().rows_written, 1);
    assert_eq!(world.place.rows(EMAILS).await, [["user_1", "a@x.dev"]]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn what_is_not_there_has_no_letters_and_stays_away() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clerk.db");
    let url = format!("sqlite://{}", path.display());
    let options = MirrorOptions::new("mirror", DatabaseConfig::at(url.parse().unwrap()));
    assert!(dead_letters::list(&options, &Choice::All).await.unwrap().is_empty());
    assert_eq!(dead_letters::request_retry(&options, &Choice::All).await.unwrap(), 0);
    assert!(!path.exists());
    let world = World::new().await;
    world.place.make().await;
    assert!(letters(&world).await.is_empty(), "no tables are no letters");
}
