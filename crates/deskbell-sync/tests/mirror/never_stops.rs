//! One thing that the database refuses never stops the rest: deletes, commits, tables and statements.

use std::collections::BTreeSet;

use deskbell_sync::dead_letters::{self, Choice, DeadLetterEntry, State};
use deskbell_sync::{
    DatabaseConfig, Expressions, Line, MirrorConsumer, MirrorOptions, OnRowDelete, StatementConfig,
    check_live, statements,
};
use serde_json::json;

use super::backend::{
    BLOCK_APP_USERS, BLOCK_ORGANIZATIONS, DEFERRED_REFERENCE, DUE, ORGANIZATIONS, REFERENCE,
    REFUSE_DELETES, REFUSE_THE_SEVENTH, RELENT, RELENT_DELETES, UNBLOCK_APP_USERS,
    UNBLOCK_ORGANIZATIONS, USERS,
};
use super::consumer::World;
use super::mapped;
use super::support::{deleted, membership, user};

/// Runs until the log is read, whatever is refused in between.
pub(crate) async fn drain(consumer: &mut MirrorConsumer) {
    for _ in 0..40 {
        if consumer.run_once().await.is_ok_and(|progress| !progress.more) {
            return;
        }
    }
    panic!("the mirror does not reach the end of the log");
}

pub(crate) async fn letters(world: &World) -> Vec<DeadLetterEntry> {
    dead_letters::list(&world.options, &Choice::All).await.unwrap()
}

pub(crate) async fn ids(world: &World, table: &str) -> Vec<String> {
    let rows = world.place.rows(&format!("SELECT id FROM {table} ORDER BY id")).await;
    rows.into_iter().flatten().collect()
}

#[tokio::test]
async fn a_delete_that_a_foreign_key_refuses_waits_and_the_rest_goes_on() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_1", "user.created", &user("user_1", 1)).await;
    drain(&mut consumer).await;
    world.place.run(REFERENCE).await;
    world.place.run("INSERT INTO posts (author) VALUES ('user_1')").await;
    world.append("msg_2", "user.deleted", &deleted("user", "user_1")).await;
    world.append("msg_3", "user.created", &user("user_2", 1)).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await, ["user_1", "user_2"], "the row stays, the rest goes on");
    let stuck = letters(&world).await;
    assert_eq!(stuck.len(), 1);
    let DeadLetterEntry { id, message_id, state, .. } = &stuck[0];
    assert_eq!((&**id, &**message_id, *state), ("user_1", "msg_2", State::Stuck));
    // No later version brings it up to date: it is gone.
    world
        .append(
            "msg_4",
            "user.updated",
            &json!({ "id": "user_1", "first_name": "late", "updated_at": 9 }),
        )
        .await;
    drain(&mut consumer).await;
    let name = format!("SELECT first_name FROM {USERS} WHERE id = 'user_1'");
    assert_eq!(world.place.rows(&name).await, [["at 1"]]);
    assert_eq!(letters(&world).await.len(), 1);
    // It goes by itself once nothing stands in its way.
    world.place.run("DELETE FROM posts").await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await, ["user_2"]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_refused_delete_does_not_stop_a_mirror_whose_config_changes() {
    let mut world = World::new().await;
    world.append_users(1, 3).await;
    drain(&mut world.consumer().await).await;
    world.place.run(REFERENCE).await;
    world.place.run("INSERT INTO posts (author) VALUES ('user_1')").await;
    for number in [1, 2] {
        let gone = deleted("user", &format!("user_{number}"));
        world.append(&format!("msg_gone_{number}"), "user.deleted", &gone).await;
    }
    drain(&mut world.consumer().await).await;
    // One is refused that nobody knows of, as of a time when users were not mirrored.
    world.place.run("INSERT INTO posts (author) VALUES ('user_3')").await;
    let tombstone = format!(
        "INSERT INTO {} (entity, id, occurred_at, message_id)
         VALUES ('user', 'user_3', '2026-01-01T00:00:00.000Z', 'msg_gone_3')",
        USERS.replace("users", "_tombstones")
    );
    world.place.run(&tombstone).await;
    world.options.database.exclude_columns = vec!["user.first_name".to_owned()];
    world.append_users(4, 1).await;
    drain(&mut world.consumer().await).await;
    assert_eq!(ids(&world, USERS).await, ["user_1", "user_3", "user_4"]);
    let stuck = letters(&world).await.into_iter().map(|letter| letter.id);
    assert_eq!(
        stuck.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>(),
        ["user_1", "user_3"]
    );
    world.place.run("DELETE FROM posts").await;
    world.place.run(DUE).await;
    drain(&mut world.consumer().await).await;
    assert_eq!(ids(&world, USERS).await, ["user_4"]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_delete_that_a_trigger_refuses_takes_nothing_else_along() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    for number in 1..=6 {
        world
            .append(&format!("msg_{number}"), "user.created", &user(&format!("user_{number}"), 1))
            .await;
    }
    drain(&mut consumer).await;
    world.place.run(REFUSE_DELETES).await;
    for number in 1..=6 {
        let gone = deleted("user", &format!("user_{number}"));
        world.append(&format!("msg_gone_{number}"), "user.deleted", &gone).await;
    }
    drain(&mut consumer).await;
    assert_eq!(ids(&world, USERS).await, ["user_3"]);
    assert_eq!(letters(&world).await.len(), 1);
    world.place.run(RELENT_DELETES).await;
    let asked = Choice::These(vec!["user_3".to_owned()]);
    assert_eq!(dead_letters::request_retry(&world.options, &asked).await.unwrap(), 1);
    drain(&mut consumer).await;
    assert!(ids(&world, USERS).await.is_empty());
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn children_of_a_deleted_parent_go_one_by_one_where_one_is_refused() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    for number in 1..=3 {
        let data = membership(&format!("orgmem_{number}"), "org_1", &format!("user_{number}"), 1);
        world.append(&format!("msg_{number}"), "organizationMembership.created", &data).await;
    }
    drain(&mut consumer).await;
    let memberships = USERS.replace("users", "organization_memberships");
    world.place.run(&REFERENCE.replace(USERS, &memberships)).await;
    world.place.run("INSERT INTO posts (author) VALUES ('orgmem_2')").await;
    world.append("msg_4", "organization.deleted", &deleted("organization", "org_1")).await;
    world.append("msg_5", "user.created", &user("user_9", 1)).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, &memberships).await, ["orgmem_2"]);
    assert_eq!(ids(&world, USERS).await, ["user_9"]);
    assert_eq!(letters(&world).await[0].id, "orgmem_2");
    world.place.run("DELETE FROM posts").await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert!(ids(&world, &memberships).await.is_empty());
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_constraint_that_is_checked_at_the_commit_holds_up_its_own_row_alone() {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_0", "user.created", &user("user_0", 1)).await;
    drain(&mut consumer).await;
    // The application requires that each member's organization is there by the commit.
    world.place.run(DEFERRED_REFERENCE).await;
    let member = |number: u32, organization: &str| {
        membership(&format!("orgmem_{number}"), organization, "user_0", 1)
    };
    let joined = "organizationMembership.created";
    world.append("msg_1", joined, &member(1, "org_missing")).await;
    world.append("msg_2", joined, &member(2, "org_2")).await;
    world.append("msg_3", "organization.created", &json!({ "id": "org_2", "updated_at": 1 })).await;
    world.append("msg_4", "user.created", &user("user_4", 1)).await;
    drain(&mut consumer).await;
    let memberships = USERS.replace("users", "organization_memberships");
    assert_eq!(
        ids(&world, &memberships).await,
        ["orgmem_2"],
        "with its organization, in any order"
    );
    assert_eq!(ids(&world, USERS).await, ["user_0", "user_4"]);
    let waiting = letters(&world).await;
    assert_eq!((&*waiting[0].id, waiting[0].state, waiting.len()), ("orgmem_1", State::Waiting, 1));
    let organization = json!({ "id": "org_missing", "updated_at": 1 });
    world.append("msg_5", "organization.created", &organization).await;
    drain(&mut consumer).await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(ids(&world, &memberships).await, ["orgmem_1", "orgmem_2"]);
    assert!(letters(&world).await.is_empty());
}

#[tokio::test]
async fn a_conflict_that_lasts_too_long_is_a_dead_letter() {
    let mut world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_0", "user.created", &user("user_0", 1)).await;
    drain(&mut consumer).await;
    world.place.run(DEFERRED_REFERENCE).await;
    let data = membership("orgmem_1", "org_missing", "user_0", 1);
    world.append("msg_1", "organizationMembership.created", &data).await;
    drain(&mut consumer).await;
    assert_eq!(letters(&world).await[0].state, State::Waiting);
    drop(consumer);
    world.options.database.conflict_patience =
        deskbell_config::Duration::new(std::time::Duration::ZERO);
    let mut consumer = world.consumer().await;
    world.place.run(DUE).await;
    drain(&mut consumer).await;
    assert_eq!(letters(&world).await[0].state, State::Failed);
}

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

#[tokio::test]
async fn a_statement_whose_table_is_gone_waits_alone_and_runs_once_for_each_event() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run("CREATE TABLE visits (id text)").await;
    world.place.run("CREATE TABLE others (id text)").await;
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
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run("CREATE TABLE visits (id text)").await;
    world.place.run("CREATE TABLE others (id text CHECK (id <> 'user_2'))").await;
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

#[tokio::test]
async fn a_letter_of_a_mapped_table_names_what_the_database_refused_and_the_event() {
    let mut world = World::new().await;
    world.place.make().await;
    world
        .place
        .run(
            "CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text, name text, plan text,
                 CONSTRAINT no_mail CHECK (email <> 'no@x.dev'));
             CREATE TABLE notes (author text REFERENCES app_users (clerk_id))",
        )
        .await;
    world.options.database.tables = vec![mapped::users(OnRowDelete::Delete)];
    world.options.database.mirror = false;
    let mut consumer = world.consumer().await;
    for (number, email) in [(1, "a@x.dev"), (2, "no@x.dev")] {
        let user = mapped::user(&format!("user_{number}"), email, 1);
        world.append(&format!("msg_{number}"), "user.created", &user).await;
    }
    drain(&mut consumer).await;
    world.place.run("INSERT INTO notes VALUES ('user_1')").await;
    world.append("msg_3", "user.deleted", &deleted("user", "user_1")).await;
    drain(&mut consumer).await;
    let letters = letters(&world).await;
    let of = |id: &str| letters.iter().find(|letter| letter.id == id).unwrap();
    let (refused, stuck) = (of("user_2"), of("user_1"));
    assert_eq!(refused.constraint.as_deref(), Some("no_mail"));
    assert!(refused.cause.is_some() && stuck.cause.is_some(), "{letters:?}");
    assert_eq!(stuck.state, State::Stuck);
    assert_eq!((&*stuck.message_id, &*stuck.event_type), ("msg_3", "user.deleted"));
    let cause = Choice::Cause(refused.cause.clone().unwrap());
    assert_eq!(dead_letters::request_retry(&world.options, &cause).await.unwrap(), 1);
}
