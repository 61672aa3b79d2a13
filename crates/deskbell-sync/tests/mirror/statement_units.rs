//! Statements where SQLite checks something at a commit alone: each event's are a transaction of their own.

use deskbell_sync::dead_letters::{self, Choice};
use deskbell_sync::{DatabaseConfig, MirrorOptions, StatementConfig};

use super::consumer::World;
use super::mapped::TEAM;
use super::never_stops::{drain, letters};
use super::statements::joining;
use super::support::membership;

/// Lets nobody note which events a statement has run for.
const FULL: &str = "CREATE TRIGGER full BEFORE INSERT ON clerk__versions
    BEGIN SELECT RAISE(ABORT, 'full'); END";

#[tokio::test]
async fn a_statement_has_run_where_that_is_noted_and_nowhere_else() {
    let mut world = World::new().await;
    world.place.make().await;
    world.place.run(TEAM).await;
    let on = vec!["organizationMembership.*".to_owned()];
    let statements = vec![StatementConfig { on, ..joining() }];
    world.options = MirrorOptions {
        database: DatabaseConfig { statements, ..world.options.database },
        ..world.options
    };
    let mut consumer = world.consumer().await;
    drain(&mut consumer).await;
    world.place.run(FULL).await;
    let changed = |at| membership("orgmem_1", "org_1", "user_1", at);
    world.append_at("msg_1", "organizationMembership.updated", 5, &changed(5)).await;
    drain(&mut consumer).await;
    let roles = "SELECT role FROM team_members";
    assert!(world.place.rows(roles).await.is_empty());
    assert_eq!(letters(&world).await.len(), 1);
    world.place.run("DROP TRIGGER full").await;
    dead_letters::request_retry(&world.options, &Choice::All).await.unwrap();
    drain(&mut consumer).await;
    assert_eq!(world.place.rows(roles).await, [["org:5"]]);
    world.append_at("msg_2", "organizationMembership.updated", 3, &changed(3)).await;
    drain(&mut consumer).await;
    assert_eq!(world.place.rows(roles).await, [["org:5"]]);
    assert!(letters(&world).await.is_empty());
}
