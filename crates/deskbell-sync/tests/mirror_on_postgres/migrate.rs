//! Whose tables these are, and what is made of ours, on a server.

use std::pin::pin;
use std::task::Poll;

use deskbell_sync::{ConnectError, DatabaseConfig, MirrorOptions, connect, migration};
use tokio::task::JoinSet;

use super::backend::Place;
use super::consumer::{World, drain};
use super::support::membership;

/// Everything that the database has, by name, and every column.
const CATALOG: &str = "SELECT n.nspname, c.relname, c.relkind, c.oid, a.attname
    FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2, 5";

fn options(place: &Place) -> MirrorOptions {
    MirrorOptions::new("mirror", DatabaseConfig::at(place.url().parse().unwrap()))
}

#[tokio::test]
async fn what_is_not_ours_is_refused_and_not_touched() {
    for (sql, name) in [
        ("CREATE TABLE clerk.users (id int PRIMARY KEY, email text)", "clerk.users"),
        ("CREATE VIEW clerk.organizations AS SELECT 1 AS id", "clerk.organizations"),
        ("CREATE SEQUENCE clerk.roles", "clerk.roles"),
        ("CREATE TABLE clerk._migrations (id int, name text)", "clerk._migrations"),
        ("CREATE TABLE clerk._tombstones (id int)", "clerk._tombstones"),
    ] {
        let place = Place::new().await;
        place.run(&format!("CREATE SCHEMA clerk; {sql}")).await;
        let before = place.rows(CATALOG).await;
        match connect(&options(&place)).await {
            Err(ConnectError::NotOurs { table }) => assert_eq!(table, name, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
        assert_eq!(place.rows(CATALOG).await, before, "{sql}");
    }
}

#[tokio::test]
async fn a_schema_of_a_later_program_is_refused_and_not_touched() {
    let place = Place::new().await;
    connect(&options(&place)).await.unwrap().close().await;
    place.run("UPDATE clerk._migrations SET version = 99 WHERE step = 'table users'").await;
    place.run("DROP TABLE clerk.organizations").await;
    let before = place.rows(CATALOG).await;
    let error = connect(&options(&place)).await.unwrap_err();
    assert!(matches!(error, ConnectError::Newer { found: 99, .. }), "{error:?}");
    assert_eq!(place.rows(CATALOG).await, before);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_replicas_may_start_at_once() {
    let place = Place::new().await;
    let connecting = (0..8).map(|_| {
        let options = options(&place);
        async move { connect(&options).await.map(drop) }
    });
    let connected = JoinSet::from_iter(connecting).join_all().await;
    assert!(connected.iter().all(Result::is_ok), "{connected:?}");
    assert!(migration::missing(&options(&place).database).await.unwrap().is_empty());
    // One transaction made everything.
    let moments = "SELECT count(DISTINCT xmin::text), 0::bigint FROM clerk._migrations";
    assert_eq!(place.pair(moments).await.0, 1);
}

#[tokio::test]
async fn a_start_without_changes_changes_nothing() {
    let place = Place::new().await;
    connect(&options(&place)).await.unwrap().close().await;
    let before = place.rows(CATALOG).await;
    connect(&options(&place)).await.unwrap().close().await;
    assert_eq!(place.rows(CATALOG).await, before);
}

#[tokio::test]
async fn a_column_or_an_entity_that_is_added_later_is_filled_from_the_log() {
    let mut world = World::new().await;
    world.append_users(0, 9).await;
    let member = membership("orgmem_1", "org_1", "user_1", 1);
    world.append("msg_m", "organizationMembership.created", &member).await;
    let all = world.options.database.entities.clone();
    world.options.database.entities = Some(vec!["user".to_owned()]);
    drain(&mut world.consumer().await).await;
    world.options.database.entities = all;
    drain(&mut world.consumer().await).await;
    let memberships = world.reader().await.rows("organization_memberships").await.unwrap();
    assert_eq!(memberships.len(), 1);
    for excluded in [vec!["user.first_name".to_owned()], Vec::new()] {
        world.options.database.exclude_columns = excluded.clone();
        if !excluded.is_empty() {
            world.place.run("ALTER TABLE clerk.users DROP COLUMN first_name").await;
        }
        drain(&mut world.consumer().await).await;
    }
    let filled = "SELECT count(first_name), 0::bigint FROM clerk.users";
    assert_eq!(world.place.pair(filled).await.0, 9);
}

#[tokio::test]
async fn a_refill_that_is_asked_for_beside_a_running_consumer_is_not_lost() {
    let world = World::new().await;
    world.append_users(0, 4).await;
    let mut running = world.consumer().await;
    drain(&mut running).await;
    world.place.run("DROP TABLE clerk.users").await;
    migration::apply(&world.options.database).await.unwrap();
    world.append_users(4, 1).await;
    while running.run_once().await.is_ok_and(|progress| progress.more) {}
    drain(&mut running).await;
    assert_eq!(world.users().await, 5);
}

#[tokio::test]
async fn without_auto_migrate_the_error_names_what_is_missing() {
    let place = Place::new().await;
    let mut by_hand = options(&place);
    by_hand.database.auto_migrate = false;
    let missing = |error: ConnectError| match error {
        ConnectError::NotMigrated { missing } => missing,
        other => panic!("{other:?}"),
    };
    let everything = missing(connect(&by_hand).await.unwrap_err());
    assert_eq!(everything[..2], ["schema clerk", "table _migrations"]);
    assert!(everything.contains(&"table user_phone_numbers".to_owned()));
    assert!(place.rows(CATALOG).await.iter().all(|row| row[0] != "clerk"));
    migration::apply(&by_hand.database).await.unwrap();
    connect(&by_hand).await.unwrap().close().await;
    place.run("ALTER TABLE clerk.users DROP COLUMN locale; DROP TABLE clerk.roles").await;
    let missing = missing(connect(&by_hand).await.unwrap_err());
    assert_eq!(missing, ["column users.locale", "table roles", "index roles_key_idx"]);
}

#[tokio::test]
async fn a_start_that_is_dropped_in_the_middle_leaves_all_or_nothing() {
    let place = Place::new().await;
    let options = options(&place);
    let (mut interrupted, mut polls) = (0, 1);
    loop {
        let mut left = polls;
        let mut connecting = pin!(connect(&options));
        let done = std::future::poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(false);
            }
            left -= 1;
            connecting.as_mut().poll(context).map(|result| result.is_ok())
        });
        if done.await {
            break;
        }
        interrupted += 1;
        polls += 2;
        let missing = migration::missing(&options.database).await.unwrap().len();
        let everything =
            migration::from_nothing(deskbell_sync::Dialect::Postgres, &options.database);
        assert!(missing == 0 || missing == everything.unwrap().len(), "{missing}");
    }
    assert!(interrupted > 5, "{interrupted}");
    assert!(migration::missing(&options.database).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_whose_connection_is_ended_in_the_middle_can_be_made_again() {
    let place = Place::new().await;
    // Somebody else is making the same schema, so that ours waits in the middle.
    let mut theirs = place.connection().await;
    sqlx::raw_sql("BEGIN; CREATE SCHEMA clerk").execute(&mut theirs).await.unwrap();
    let ours = options(&place);
    let connecting = JoinSet::from_iter([async move { connect(&ours).await.map(drop) }]);
    place.until_waiting().await;
    let end = "SELECT count(pg_terminate_backend(pid)), 0::bigint FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'deskbell'";
    assert_eq!(place.pair(end).await.0, 1);
    let ended = connecting.join_all().await.remove(0);
    assert!(matches!(ended, Err(ConnectError::Database(_))), "{ended:?}");
    sqlx::raw_sql("ROLLBACK").execute(&mut theirs).await.unwrap();
    assert!(place.rows(CATALOG).await.iter().all(|row| row[0] != "clerk"));
    connect(&options(&place)).await.unwrap().close().await;
    assert!(migration::missing(&options(&place).database).await.unwrap().is_empty());
}
