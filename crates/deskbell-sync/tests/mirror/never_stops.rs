//! One thing that the database refuses never stops the rest: deletes, commits and rows.

use std::collections::BTreeSet;

use deskbell_sync::dead_letters::{self, Choice, DeadLetterEntry, State};
use deskbell_sync::{MirrorConsumer, OnRowDelete};
use serde_json::json;

use super::backend::{DEFERRED_REFERENCE, DUE, REFERENCE, REFUSE_DELETES, RELENT_DELETES, USERS};
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
