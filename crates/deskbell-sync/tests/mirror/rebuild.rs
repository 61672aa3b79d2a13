//! A mirror that was damaged is made whole from the log, while its readers look on.

use std::collections::BTreeMap;

use deskbell_sync::rebuild::{RebuildError, Rebuilt, as_of, rebuild};
use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete};
use serde_json::{Value, json};

use super::backend::USERS;
use super::consumer::World;
use super::mapped;
use super::support::{deleted, user};

/// Six users, of whom the third is gone, and a consumer that has applied all of it.
async fn world() -> World {
    let world = World::new().await;
    fill(&world).await;
    world
}

async fn fill(world: &World) {
    world.append_users(0, 6).await;
    world.append("msg_gone", "user.deleted", &deleted("user", "user_2")).await;
    drain(world).await;
}

async fn drain(world: &World) {
    let mut consumer = world.consumer().await;
    while consumer.run_once().await.unwrap().more {}
}

async fn everything(world: &World) -> BTreeMap<&'static str, Vec<Value>> {
    let reader = world.reader().await;
    let mut tables = BTreeMap::new();
    for table in ["users", "user_email_addresses", "_tombstones", "_suppressed"] {
        let rows = reader.whole_rows(table).await.unwrap();
        tables.insert(table, rows.into_iter().map(Value::Object).collect());
    }
    tables
}

async fn rebuilt(world: &World) -> Rebuilt {
    rebuild(world.store.as_ref(), &world.options, |_| {}).await.unwrap()
}

#[tokio::test]
async fn what_is_missing_wrong_or_too_much_is_mended_and_views_stay() {
    let world = world().await;
    let before = everything(&world).await;
    let name = USERS.rsplit(['.', '_']).next().unwrap();
    assert_eq!(name, "users");
    world.place.run(&format!("CREATE VIEW people AS SELECT id FROM {USERS}")).await;
    world.place.run(&format!("DELETE FROM {USERS} WHERE id = 'user_0'")).await;
    world.place.run(&format!("UPDATE {USERS} SET first_name = 'x' WHERE id = 'user_1'")).await;
    world.place.run(&format!("UPDATE {USERS} SET id = 'user_x' WHERE id = 'user_5'")).await;
    let outcome = rebuilt(&world).await;
    assert_eq!(
        outcome,
        Rebuilt { events: 7, rows_written: 3, rows_removed: 1, ..Rebuilt::default() }
    );
    assert_eq!(everything(&world).await, before);
    assert_eq!(world.place.rows("SELECT count(*) FROM people").await, [["5"]]);
    // Once more, with nothing to do and nothing left over.
    assert_eq!(rebuilt(&world).await, Rebuilt { events: 7, ..Rebuilt::default() });
    // The consumer goes on where it stood.
    world.append_users(6, 1).await;
    drain(&world).await;
    assert_eq!(world.users().await, 6);
}

#[tokio::test]
async fn what_the_log_no_longer_knows_stays_as_it_is() {
    let world = World::new().await;
    world.append_users(0, 3).await;
    // The newest version comes first, and an older one after it.
    world.append("msg_newest", "user.updated", &user("user_1", 9)).await;
    world.append("msg_older", "user.updated", &user("user_1", 5)).await;
    drain(&world).await;
    let before = everything(&world).await;
    for seq in [1, 4] {
        world.empty_the_payload(seq).await;
    }
    world.place.run(&format!("UPDATE {USERS} SET first_name = 'x' WHERE id = 'user_2'")).await;
    let outcome = rebuilt(&world).await;
    assert_eq!(
        outcome,
        Rebuilt {
            events: 5,
            rows_written: 1,
            rows_removed: 0,
            payloads_pruned: 2,
            ..Rebuilt::default()
        }
    );
    assert_eq!(everything(&world).await, before, "the third is mended, the others are left");
}

#[tokio::test]
async fn a_refill_skips_what_the_log_no_longer_knows() {
    let mut world = World::new().await;
    world.append_users(0, 3).await;
    drain(&world).await;
    world.empty_the_payload(1).await;
    world.options.database.exclude_columns = vec!["user.last_name".to_owned()];
    drain(&world).await;
    assert_eq!((world.users().await, world.checkpoint().await), (3, Some(3)));
    let reader = world.reader().await;
    assert_eq!(reader.whole_rows("_dead_letters").await.unwrap(), []);
}

#[tokio::test]
async fn the_mirror_as_of_a_time_stands_apart() {
    let mut world = World::new().await;
    for (number, at) in [(1, 1_000), (2, 2_000), (3, 3_000)] {
        world
            .append_at(&format!("msg_{number}"), "user.updated", at, &user("user_1", number))
            .await;
    }
    drain(&world).await;
    let outcome =
        as_of(world.store.as_ref(), &world.options, 2_000, "clerk_then", |_| {}).await.unwrap();
    assert_eq!(outcome.events, 2);
    let now = world.reader().await.rows("users").await.unwrap();
    assert_eq!(now[0]["first_name"], "at 3");
    world.options.database.schema = "clerk_then".to_owned();
    let url = &world.options.database.url;
    let then = deskbell_sync::inspect::MirrorReader::open_schema(url, "clerk_then").await.unwrap();
    assert_eq!(then.rows("users").await.unwrap()[0]["first_name"], "at 2");
    world.options.database.schema = "clerk".to_owned();
    let again = as_of(world.store.as_ref(), &world.options, 2_000, "clerk_then", |_| {}).await;
    assert!(matches!(again, Err(RebuildError::InUse { .. })), "{again:?}");
    let onto = as_of(world.store.as_ref(), &world.options, 2_000, "clerk", |_| {}).await;
    assert!(matches!(onto, Err(RebuildError::InUse { .. })), "{onto:?}");
}

#[tokio::test]
async fn a_log_that_is_not_the_whole_one_is_refused() {
    let world = world().await;
    let other = World::new().await;
    other.append_users(0, 1).await;
    let refused = rebuild(other.store.as_ref(), &world.options, |_| {}).await;
    assert!(matches!(refused, Err(RebuildError::LogTooShort { .. })), "{refused:?}");
    world.forget_the_first_event().await;
    let refused = rebuild(world.store.as_ref(), &world.options, |_| {}).await;
    assert!(matches!(refused, Err(RebuildError::LogTooShort { .. })), "{refused:?}");
    assert_eq!(world.users().await, 5);
    let never = rebuild(other.store.as_ref(), &other.options, |_| {}).await;
    assert!(matches!(never, Err(RebuildError::NotStarted)), "{never:?}");
}

#[tokio::test]
async fn the_applications_rows_are_written_anew() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(mapped::USERS).await;
    let tables = vec![mapped::users(OnRowDelete::Delete)];
    world.options = MirrorOptions {
        database: DatabaseConfig { mirror: false, tables, ..world.options.database },
        ..world.options
    };
    for number in 1..=5 {
        let data = mapped::user(&format!("user_{number}"), &format!("{number}@x.dev"), 1);
        world.append(&format!("msg_{number}"), "user.created", &data).await;
    }
    drain(&world).await;
    world.place.run("UPDATE app_users SET email = NULL, age = 50").await;
    world.place.run("DELETE FROM app_users WHERE clerk_id = 'user_3'").await;
    rebuilt(&world).await;
    let rows = world.place.rows("SELECT clerk_id, email, age FROM app_users ORDER BY 1").await;
    let expected = json!([
        ["user_1", "1@x.dev", "50"],
        ["user_2", "2@x.dev", "50"],
        ["user_3", "3@x.dev", "7"],
        ["user_4", "4@x.dev", "50"],
        ["user_5", "5@x.dev", "50"],
    ]);
    assert_eq!(json!(rows), expected);
}

/// A world whose users are in a table of the application's, where the second and the third have each
/// other's address and can do nothing about it.
async fn stuck_world() -> World {
    let mut world = World::new().await;
    world.place.make().await;
    let strict = "text NOT NULL UNIQUE CHECK (email LIKE '_@x.dev')";
    world.place.run(&mapped::USERS.replace("varchar(80) UNIQUE", strict)).await;
    let tables = vec![mapped::users(OnRowDelete::Delete)];
    world.options = MirrorOptions {
        database: DatabaseConfig { mirror: false, tables, ..world.options.database },
        ..world.options
    };
    for (message, id, email, at) in [
        ("msg_1", "user_1", "a@x.dev", 1),
        ("msg_2", "user_2", "b@x.dev", 1),
        ("msg_3", "user_3", "c@x.dev", 1),
        ("msg_4", "user_2", "c@x.dev", 2),
        ("msg_5", "user_3", "b@x.dev", 2),
    ] {
        world.append(message, "user.updated", &mapped::user(id, email, at)).await;
        drain(&world).await;
    }
    world
}

#[tokio::test]
async fn what_is_right_in_the_applications_table_is_not_counted() {
    let world = stuck_world().await;
    world.place.run("UPDATE app_users SET age = 50").await;
    let outcome = rebuilt(&world).await;
    assert_eq!((outcome.events, outcome.rows_written, outcome.rows_removed), (5, 0, 0));
    world.place.run("UPDATE app_users SET name = 'x' WHERE clerk_id = 'user_1'").await;
    assert_eq!(rebuilt(&world).await.rows_written, 1);
    assert_eq!(rebuilt(&world).await.rows_written, 0);
}

#[tokio::test]
async fn what_is_still_refused_is_named_and_resolved_once_it_can_be() {
    let world = stuck_world().await;
    let refused = rebuilt(&world).await.refused;
    let ids: Vec<_> = refused.iter().map(|letter| &*letter.id).collect();
    assert_eq!(ids, ["user_2", "user_3"]);
    let reason = refused[0].reason.as_deref().unwrap();
    assert!(reason.contains("DEFERRABLE"), "{reason}");
    world.place.run("ALTER TABLE app_users RENAME TO old").await;
    world.place.run(&mapped::USERS.replace("varchar(80) UNIQUE", "text NOT NULL UNIQUE")).await;
    world.place.run("INSERT INTO app_users SELECT * FROM old; DROP TABLE old").await;
    let outcome = rebuilt(&world).await;
    assert_eq!((outcome.rows_written, outcome.refused), (2, Vec::new()));
    let rows = world.place.rows("SELECT email FROM app_users ORDER BY clerk_id").await;
    assert_eq!(rows, [["a@x.dev"], ["c@x.dev"], ["b@x.dev"]]);
}
