//! Mirrors whose events only say what to fetch, in a database that refuses what was read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deskbell_store::ReadLimit;
use deskbell_sync::dead_letters::{self, Choice};
use deskbell_sync::{MirrorConsumer, OnRowDelete, TableConfig};
use serde_json::json;

use super::backend::{
    BLOCK_ORGANIZATIONS, DUE, ORGANIZATIONS, REFUSE_THE_SEVENTH, RELENT, UNBLOCK_ORGANIZATIONS,
    USERS,
};
use super::consumer::World;
use super::faulty::{Answer, Faulty};
use super::mapped;
use super::never_stops::{drain, ids, letters};
use super::refetch::{Clerk, consumer, names};
use super::support::user;

#[tokio::test]
async fn what_the_database_refuses_of_it_is_a_dead_letter_of_the_event_and_can_be_retried() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7), user("user_2", 8)]);
    let mut consumer = consumer(&world, &clerk).await;
    world.append("msg_0", "user.created", &user("user_2", 1)).await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append("msg_2", "user.updated", &user("user_2", 9)).await;
    drain(&mut consumer).await;
    assert_eq!(names(&world).await, [["user_2", "at 9"]], "the rest goes on");
    let dead = letters(&world).await;
    assert_eq!((dead.len(), &*dead[0].message_id), (1, "msg_1"));
    world.place.run(RELENT).await;
    clerk.put(&user("user_1", 8));
    dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
    drain(&mut consumer).await;
    assert_eq!(names(&world).await, [["user_1", "at 8"], ["user_2", "at 9"]]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_blocked_table_catches_up_with_what_is_the_newest_then() {
    let world = World::new().await;
    let organization = |number: i64, at: i64| json!({ "id": format!("org_{number}"), "name": format!("at {at}"), "updated_at": at });
    let clerk = Clerk::default();
    (0..=9).for_each(|number| clerk.put(&organization(number, 5)));
    let clerk = Arc::new(clerk);
    let mut consumer = consumer(&world, &clerk).await;
    world.append("msg_0", "organization.created", &organization(0, 1)).await;
    drain(&mut consumer).await;
    world.place.run(BLOCK_ORGANIZATIONS).await;
    for number in 1..=9 {
        world
            .append(&format!("msg_{number}"), "organization.created", &organization(number, 1))
            .await;
    }
    world.append("msg_user", "user.created", &user("user_1", 1)).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await, ["user_1"], "the others go on");
    assert_eq!(ids(&world, ORGANIZATIONS).await.len(), 1);
    world.place.run(UNBLOCK_ORGANIZATIONS).await;
    world.place.run(DUE).await;
    (0..=9).for_each(|number| clerk.put(&organization(number, 6)));
    drain(&mut consumer).await;
    let names = format!("SELECT DISTINCT name FROM {ORGANIZATIONS} WHERE id <> 'org_0'");
    assert_eq!(world.place.rows(&names).await, [["at 6"]]);
    assert_eq!(ids(&world, ORGANIZATIONS).await.len(), 10);
    assert!(letters(&world).await.is_empty());
}

/// A mirror that is blocked for as many organizations, among as many users.
async fn blocked(count: usize) -> (World, Arc<Clerk>, MirrorConsumer) {
    let mut world = World::new().await;
    world.options.batch = ReadLimit::default();
    let clerk = Clerk::of(&[]);
    let mut consumer = consumer(&world, &clerk).await;
    let organization =
        |number: usize| json!({ "id": format!("org_{number}"), "name": "event", "updated_at": 1 });
    world.append("msg_0", "organization.created", &organization(0)).await;
    drain(&mut consumer).await;
    world.place.run(BLOCK_ORGANIZATIONS).await;
    for number in 1..=count {
        let message_id = format!("msg_org_{number}");
        world.append(&message_id, "organization.created", &organization(number)).await;
        let data = user(&format!("user_{number}"), 1);
        world.append(&format!("msg_user_{number}"), "user.created", &data).await;
    }
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await.len(), count);
    clerk.asked();
    (world, clerk, consumer)
}

#[tokio::test]
async fn nobody_asks_for_a_table_that_is_still_blocked_and_then_for_that_table_alone() {
    let (world, clerk, mut consumer) = blocked(9).await;
    for _ in 0..3 {
        world.place.run(DUE).await;
        drain(&mut consumer).await;
    }
    assert!(clerk.asked().is_empty(), "it is still blocked");
    assert_eq!(world.reader().await.rows("_blocked").await.unwrap().len(), 1);
    let newest = |number| json!({ "id": format!("org_{number}"), "name": "new", "updated_at": 6 });
    (1..=9).for_each(|number| clerk.put(&newest(number)));
    world.place.run(UNBLOCK_ORGANIZATIONS).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    let asked = clerk.asked();
    let expected: Vec<_> = (1..=9).map(|number| format!("org_{number}")).collect();
    assert_eq!(asked, [expected], "its objects, once, and no users");
    let names = format!("SELECT DISTINCT name FROM {ORGANIZATIONS} WHERE id <> 'org_0'");
    assert_eq!(world.place.rows(&names).await, [["new"]]);
    assert!(world.reader().await.rows("_blocked").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_blocked_table_catches_up_in_steps_of_few_requests() {
    let (world, clerk, mut consumer) = blocked(120).await;
    clerk.costs_of_one.store(1, Ordering::SeqCst);
    world.place.run(UNBLOCK_ORGANIZATIONS).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    let asked: Vec<_> = clerk.asked().iter().map(Vec::len).collect();
    assert_eq!(asked.iter().sum::<usize>(), 120, "each once: {asked:?}");
    assert!(asked.iter().all(|requests| *requests < 100), "{asked:?}");
    assert_eq!(ids(&world, ORGANIZATIONS).await.len(), 121);
    assert!(world.reader().await.rows("_blocked").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_table_that_refused_too_many_rows_catches_up_with_newer_ones() {
    let mut world = World::new().await;
    world.options.batch = ReadLimit::default();
    let clerk = Clerk::of(&[]);
    let mut consumer = consumer(&world, &clerk).await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    for number in 0..110 {
        let data = user(&format!("user_{number}"), 7);
        world.append(&format!("msg_{number}"), "user.created", &data).await;
    }
    drain(&mut consumer).await;
    assert_eq!(world.reader().await.rows("_blocked").await.unwrap().len(), 1);
    (0..110).for_each(|number| clerk.put(&user(&format!("user_{number}"), 8)));
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await.len(), 110);
    assert!(world.reader().await.rows("_blocked").await.unwrap().is_empty());
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn what_was_read_is_kept_while_the_database_refuses_it_or_is_away() {
    let world = World::new().await;
    let clerk = Clerk::of(&[user("user_1", 7), user("user_2", 8)]);
    let mut consumer = consumer(&world, &clerk).await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    world.append("msg_2", "user.updated", &user("user_2", 1)).await;
    drain(&mut consumer).await;
    assert_eq!(letters(&world).await.len(), 1);
    assert_eq!(clerk.asked(), [["user_1", "user_2"]], "once for all tries");
    // The same of a database that is away, and of one whose answer is lost.
    for (answer, number) in [(Answer::Away, 3), (Answer::Lost, 4)] {
        let calls = Arc::new(AtomicUsize::new(usize::MAX));
        let left = Arc::clone(&calls);
        let next = move || match left.fetch_sub(1, Ordering::SeqCst) {
            0..=9 => answer,
            _ => Answer::Given,
        };
        let target = Faulty::connect(&world, next).await;
        let consumer = MirrorConsumer::new(world.store.clone(), target, world.options.clone());
        let mut consumer = consumer.refetching(clerk.clone());
        drain(&mut consumer).await;
        world.append(&format!("msg_{number}"), "user.updated", &user("user_2", 1)).await;
        world.append(&format!("msg_{number}_b"), "role.created", &json!({ "id": "role_1" })).await;
        calls.store(9, Ordering::SeqCst);
        for _ in 0..4 {
            consumer.run_once().await.unwrap_err();
        }
        calls.store(usize::MAX, Ordering::SeqCst);
        drain(&mut consumer).await;
        assert_eq!(clerk.asked(), [["role_1", "user_2"]], "{answer:?}");
        assert_eq!(names(&world).await, [["user_2", "at 8"]]);
    }
}

#[tokio::test]
async fn a_batch_that_takes_too_long_is_read_again_and_smaller() {
    let world = World::new().await;
    let clerk = Clerk::of(&[]);
    let target = Faulty::connect(&world, || Answer::Slow).await;
    let consumer = MirrorConsumer::new(world.store.clone(), target, world.options.clone());
    let mut consumer = consumer.refetching(clerk.clone());
    world.place.make().await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    for (number, at) in [(1, 1), (2, 7), (3, 3), (4, 4)] {
        let data = user(&format!("user_{number}"), at);
        world.append(&format!("msg_{number}"), "user.created", &data).await;
    }
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await, ["user_1", "user_3", "user_4"]);
    let asked: Vec<_> = clerk.asked().iter().map(Vec::len).collect();
    assert_eq!(asked[..2], [4, 1], "{asked:?}");
}

/// A mirror that fills this table of the application's from users, too.
async fn with_users_in(sql: &str, table: TableConfig) -> World {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(sql).await;
    world.options.database.tables = vec![table];
    world
}

#[tokio::test]
async fn what_an_application_refuses_of_it_is_a_dead_letter_of_the_event_and_can_be_retried() {
    let sql = "CREATE TABLE app_users (clerk_id varchar(80) PRIMARY KEY, email varchar(80) UNIQUE,
        name text, plan text CHECK (plan <> 'bad'))";
    let world = with_users_in(sql, mapped::users(OnRowDelete::Delete)).await;
    let mut newest = mapped::user("user_1", "new@x.dev", 9);
    newest["public_metadata"]["plan"] = "bad".into();
    let clerk = Clerk::of(&[newest.clone(), mapped::user("user_2", "taken@x.dev", 9)]);
    let mut consumer = consumer(&world, &clerk).await;
    world.place.run("INSERT INTO app_users (clerk_id, email) VALUES ('ours', 'taken@x.dev')").await;
    for number in [1, 2] {
        let id = format!("user_{number}");
        let data = mapped::user(&id, &format!("{number}@x.dev"), 1);
        world.append(&format!("msg_{number}"), "user.created", &data).await;
    }
    drain(&mut consumer).await;
    let found = letters(&world).await;
    let mut found: Vec<_> = found.iter().map(|letter| (&*letter.message_id, &*letter.id)).collect();
    found.sort_unstable();
    assert_eq!(found, [("msg_1", "user_1"), ("msg_2", "user_2")], "one failed, and one waits");
    newest["public_metadata"]["plan"] = "good".into();
    newest["updated_at"] = 10.into();
    clerk.put(&newest);
    dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
    drain(&mut consumer).await;
    let rows = world.place.rows("SELECT clerk_id, plan FROM app_users WHERE plan = 'good'").await;
    assert_eq!(rows, [["user_1", "good"]]);
    assert_eq!(letters(&world).await.len(), 1, "the other one waits");
}

#[tokio::test]
async fn an_object_that_expressions_cannot_take_leaves_the_events_row_and_no_dead_letter() {
    let mut table = mapped::users(OnRowDelete::Delete);
    table.key = mapped::pairs(&[("clerk_id", "data.username")]);
    let sql =
        "CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text, name text, plan text)";
    let world = with_users_in(sql, table).await;
    let user = |id: &str, username: &str, updated_at| {
        let mut user = mapped::user(id, "a@x.dev", updated_at);
        user["username"] = username.into();
        user
    };
    let too_long = "a".repeat(1_001);
    let clerk = Clerk::of(&[
        user("user_1", &too_long, 9),
        user("user_2", "newest", 9),
        user("user_3", &too_long, 9),
    ]);
    world.append("msg_1", "user.created", &user("user_1", "event", 1)).await;
    world.append("msg_2", "user.created", &user("user_2", &too_long, 1)).await;
    world.append("msg_3", "user.created", &user("user_3", &too_long, 1)).await;
    drain(&mut consumer(&world, &clerk).await).await;
    let rows = world.place.rows("SELECT clerk_id FROM app_users ORDER BY 1").await;
    assert_eq!(rows, [["event"], ["newest"]]);
    let letters = letters(&world).await;
    let found: Vec<_> = letters.iter().map(|letter| (&*letter.message_id, &*letter.id)).collect();
    assert_eq!(found, [("msg_3", "user_3")], "neither can be taken");
}
