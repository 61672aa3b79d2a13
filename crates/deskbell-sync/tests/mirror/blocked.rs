//! Tables and statements that are refused whatever the row wait alone, and catch up.

use deskbell_sync::dead_letters::{self, Choice};
use deskbell_sync::{
    DatabaseConfig, Expressions, Line, MirrorConsumer, MirrorOptions, OnRowDelete, StatementConfig,
    check_live, statements,
};
use serde_json::json;

use super::backend::{
    BLOCK_APP_USERS, BLOCK_ORGANIZATIONS, DUE, ORGANIZATIONS, REFUSE_THE_SEVENTH, RELENT,
    UNBLOCK_APP_USERS, UNBLOCK_ORGANIZATIONS, USERS,
};
use super::consumer::World;
use super::mapped;
use super::never_stops::{drain, ids, letters};
use super::support::{deleted, user};

#[tokio::test]
async fn a_table_that_is_refused_whole_waits_alone_and_catches_up() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_0", "organization.created", &json!({ "id": "org_0", "updated_at": 1 })).await;
    drain(&mut consumer).await;
    world.place.run(BLOCK_ORGANIZATIONS).await;
    for number in 1..=9 {
        let organization = json!({ "id": format!("org_{number}"), "updated_at": 1 });
        world.append(&format!("msg_org_{number}"), "organization.created", &organization).await;
        let data = user(&format!("user_{number}"), 1);
        world.append(&format!("msg_user_{number}"), "user.created", &data).await;
    }
    world.append("msg_gone", "organization.deleted", &deleted("organization", "org_3")).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await.len(), 9);
    assert!(letters(&world).await.is_empty(), "nothing is given up");
    world.place.run(UNBLOCK_ORGANIZATIONS).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    let organizations = ids(&world, ORGANIZATIONS).await;
    assert_eq!(organizations.len(), 9, "{organizations:?}");
    assert!(!organizations.contains(&"org_3".to_owned()));
    assert!(letters(&world).await.is_empty());
}

/// A statement that is run for each new user.
fn statement(sql: &str, name: &str) -> StatementConfig {
    StatementConfig {
        name: Some(name.to_owned()),
        on: vec!["user.created".to_owned()],
        sql: sql.to_owned(),
        params: Expressions::from_iter([("id", "user.id")]),
        when: None,
        stale: deskbell_sync::Stale::Skip,
        expect_rows: None,
        line: Line(Some(1)),
    }
}

/// Two statements that have run for an event; then the table of the first is gone.
async fn two_statements_and_one_table(others: &'static str) -> (World, MirrorConsumer) {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run("CREATE TABLE visits (id text)").await;
    world.place.run(others).await;
    let statements = vec![
        statement("insert into visits (id) values (:id)", "visits"),
        statement("insert into others (id) values (:id)", "others"),
    ];
    world.options = MirrorOptions {
        database: DatabaseConfig { statements, ..world.options.database },
        ..world.options
    };
    let mut consumer = world.consumer().await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    drain(&mut consumer).await;
    world.place.run("ALTER TABLE visits RENAME TO elsewhere").await;
    (world, consumer)
}

#[tokio::test]
async fn a_statement_whose_table_is_gone_waits_alone_and_runs_once_for_each_event() {
    let (world, mut consumer) = two_statements_and_one_table("CREATE TABLE others (id text)").await;
    for number in 2..=7 {
        world
            .append(&format!("msg_{number}"), "user.created", &user(&format!("user_{number}"), 1))
            .await;
    }
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await.len(), 7);
    assert_eq!(ids(&world, "others").await.len(), 7);
    assert!(letters(&world).await.is_empty());
    world.place.run("ALTER TABLE elsewhere RENAME TO visits").await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    let visits = ids(&world, "visits").await;
    assert_eq!(visits.len(), 7, "{visits:?}");
    assert_eq!(ids(&world, "others").await.len(), 7);
}

#[tokio::test]
async fn what_the_applications_migration_has_not_made_yet_waits_alone_and_is_filled_once_it_is() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run("CREATE TABLE others (id text)").await;
    let statements = vec![
        statement("insert into visits (id) values (:id)", "visits"),
        statement("insert into others (id) values (:id)", "others"),
    ];
    let tables = vec![mapped::users(OnRowDelete::Delete)];
    world.options = MirrorOptions {
        database: DatabaseConfig { statements, tables, ..world.options.database },
        ..world.options
    };
    let told = check_live(&world.options).await.unwrap();
    let told: Vec<_> = told.iter().map(ToString::to_string).collect();
    assert!(told.len() == 2 && told[0].contains("app_users"), "{told:?}");
    assert!(told[1].contains("visits"), "{told:?}");
    let app_user = |n: i64| mapped::user(&format!("user_{n}"), &format!("{n}@x.dev"), 1);
    // Also where the program starts again meanwhile.
    for n in 1..=3 {
        let mut consumer = world.consumer().await;
        drain(&mut consumer).await;
        world.append(&format!("msg_{n}"), "user.created", &app_user(n)).await;
        drain(&mut consumer).await;
        world.place.run(DUE).await;
        drain(&mut consumer).await;
    }
    assert_eq!(ids(&world, USERS).await.len(), 3, "the mirror goes on");
    assert_eq!(ids(&world, "others").await.len(), 3);
    let blocked = world.reader().await.rows("_blocked").await.unwrap();
    let said: Vec<_> = blocked.iter().map(|row| row["reason"].as_str().unwrap()).collect();
    assert!(said[0].contains("the database has no table \"app_users\""), "{said:?}");
    assert!(said[1].contains("visits"), "{said:?}");
    assert!(letters(&world).await.is_empty());
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    world.place.run(mapped::USERS).await;
    world.place.run("CREATE TABLE visits (id text)").await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    world.append("msg_4", "user.created", &app_user(4)).await;
    drain(&mut consumer).await;
    let there = world.place.rows("SELECT clerk_id FROM app_users ORDER BY 1").await;
    assert_eq!(there, [["user_1"], ["user_2"], ["user_3"], ["user_4"]]);
    for table in ["visits", "others"] {
        let each_once = ["user_1", "user_2", "user_3", "user_4"];
        assert_eq!(ids(&world, table).await, each_once, "{table}");
    }
    assert!(world.reader().await.rows("_blocked").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_statement_that_is_blocked_while_the_log_is_read_again_runs_for_no_event_twice() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run("CREATE TABLE visits (id text)").await;
    let visits = vec![statement("insert into visits (id) values (:id)", "visits")];
    world.options = MirrorOptions {
        database: DatabaseConfig { statements: visits, ..world.options.database },
        ..world.options
    };
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    drain(&mut world.consumer().await).await;
    world.place.run("ALTER TABLE visits RENAME TO elsewhere").await;
    // Another mapping: all of the log is read again.
    world.options.database.exclude_columns = vec!["user.image_url".to_owned()];
    drain(&mut world.consumer().await).await;
    world.place.run("ALTER TABLE elsewhere RENAME TO visits").await;
    world.append("msg_2", "user.created", &user("user_2", 1)).await;
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, "visits").await, ["user_1", "user_2"]);
}

#[tokio::test]
async fn every_blocked_part_is_looked_at_again() {
    let mut world = World::new().await;
    world.place.make().await;
    let tables: Vec<_> = (0..12).map(|number| format!("visits_{number}")).collect();
    let sql = |table: &String| format!("insert into {table} (id) values (:id)");
    let statements = tables.iter().map(|table| statement(&sql(table), table));
    world.options.database.statements = statements.collect();
    let mut consumer = world.consumer().await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    drain(&mut consumer).await;
    for table in &tables[6..] {
        world.place.run(&format!("CREATE TABLE {table} (id text)")).await;
    }
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    for table in &tables[6..] {
        assert_eq!(ids(&world, table).await, ["user_1"], "{table}");
    }
    assert_eq!(world.reader().await.rows("_blocked").await.unwrap().len(), 6);
}

#[tokio::test]
async fn a_blocked_statement_that_is_mended_runs_for_the_events_since_under_its_name() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run("CREATE TABLE visits (id text)").await;
    let unnamed = |sql: &str| StatementConfig { name: None, ..statement(sql, "") };
    world.options.database.statements = vec![unnamed("insert into visits (uid) values (:id)")];
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    drain(&mut consumer).await;
    // Without its name, the mended one is another one.
    let mended = unnamed("insert into visits (id) values (:id)");
    world.options.database.statements = vec![mended.clone()];
    let mut consumer = world.consumer().await;
    world.append("msg_2", "user.created", &user("user_2", 1)).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, "visits").await, ["user_2"]);
    let blocked = world.reader().await.rows("_blocked").await.unwrap();
    assert_eq!(blocked.len(), 1, "what it has not run for stays known");
    let name = blocked[0]["part"].as_str().map(str::to_owned);
    world.options.database.statements = vec![StatementConfig { name, ..mended }];
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, "visits").await, ["user_1", "user_2", "user_2"]);
    assert!(world.reader().await.rows("_blocked").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_blocked_statement_that_the_config_no_longer_has_can_be_left_out() {
    let mut world = World::new().await;
    world.options.database.statements = vec![statement("insert into visits values (:id)", "gone")];
    drain(&mut world.consumer().await).await;
    world.options.database.statements = Vec::new();
    drain(&mut world.consumer().await).await;
    assert_eq!(world.reader().await.rows("_blocked").await.unwrap().len(), 1);
    assert!(statements::resume(&world.options, statements::From::Now).await.unwrap());
    assert!(world.reader().await.rows("_blocked").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_mapped_table_that_is_refused_whole_waits_alone_and_catches_up() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(mapped::USERS).await;
    let tables = vec![mapped::users(OnRowDelete::Delete)];
    world.options = MirrorOptions {
        database: DatabaseConfig { tables, ..world.options.database },
        ..world.options
    };
    let mut consumer = world.consumer().await;
    let app_user = |n: i64| mapped::user(&format!("user_{n}"), &format!("{n}@x.dev"), 1);
    world.append("msg_1", "user.created", &app_user(1)).await;
    drain(&mut consumer).await;
    world.place.run(BLOCK_APP_USERS).await;
    for n in 2..=7 {
        world.append(&format!("msg_{n}"), "user.created", &app_user(n)).await;
    }
    world.append("msg_gone", "user.deleted", &deleted("user", "user_2")).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await.len(), 6, "the mirror goes on");
    assert!(letters(&world).await.is_empty(), "nothing is given up");
    let there = "SELECT clerk_id FROM app_users ORDER BY 1";
    assert_eq!(world.place.rows(there).await, [["user_1"]]);
    world.place.run(UNBLOCK_APP_USERS).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    let rows = world.place.rows(there).await;
    assert_eq!(rows, [["user_1"], ["user_3"], ["user_4"], ["user_5"], ["user_6"], ["user_7"]]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_dead_letter_of_a_blocked_table_is_kept_until_the_table_is_back() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_0", "user.created", &user("user_0", 1)).await;
    drain(&mut consumer).await;
    world.place.run(REFUSE_THE_SEVENTH).await;
    world.append("msg_7", "user.created", &user("user_7", 7)).await;
    drain(&mut consumer).await;
    assert_eq!(letters(&world).await.len(), 1);
    world.place.run(RELENT).await;
    world.place.run(&BLOCK_ORGANIZATIONS.replace("organizations", "users")).await;
    // Asked for before it is known that the table is blocked, and again after that.
    for message_id in ["msg_8", "msg_9"] {
        dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
        drain(&mut consumer).await;
        world
            .append(message_id, "user.created", &user(&message_id.replace("msg", "user"), 1))
            .await;
        drain(&mut consumer).await;
        assert_eq!(letters(&world).await.len(), 1, "it is kept");
    }
    world.place.run(&UNBLOCK_ORGANIZATIONS.replace("organizations", "users")).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await, ["user_0", "user_7", "user_8", "user_9"]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_statement_that_ran_while_another_of_its_event_was_refused_runs_no_second_time() {
    let (world, mut consumer) =
        two_statements_and_one_table("CREATE TABLE others (id text CHECK (id <> 'user_2'))").await;
    world.append("msg_2", "user.created", &user("user_2", 1)).await;
    drain(&mut consumer).await;
    assert_eq!(letters(&world).await[0].part, "others");
    world.place.run("ALTER TABLE elsewhere RENAME TO visits").await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, "visits").await, ["user_1", "user_2"]);
    world.place.run("DROP TABLE others").await;
    world.place.run("CREATE TABLE others (id text)").await;
    dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
    drain(&mut consumer).await;
    assert_eq!(ids(&world, "others").await, ["user_2"]);
    assert_eq!(ids(&world, "visits").await, ["user_1", "user_2"], "each once");
    assert!(letters(&world).await.is_empty());
}
