//! Which of two events of the same moment counts.

use deskbell_sync::OnRowDelete;
use serde_json::{Value, json};

use super::backend::USERS;
use super::consumer::{World, drain};
use super::mapped;
use super::support::{Mirror, deleted, event};

const MOMENT: i64 = 1_700_000_000_000;

fn named(first_name: &str) -> Value {
    json!({ "id": "user_1", "first_name": first_name, "updated_at": MOMENT })
}

#[tokio::test]
async fn a_creation_is_earlier_than_a_change_of_the_same_moment_whatever_the_ids() {
    let created = event("msg_z", "user.created", MOMENT, &named("created"));
    let updated = event("msg_a", "user.updated", MOMENT, &named("updated"));
    for batches in [
        vec![vec![created.clone(), updated.clone()]],
        vec![vec![updated.clone(), created.clone()]],
        vec![vec![created.clone()], vec![updated.clone()]],
        vec![vec![updated], vec![created]],
    ] {
        let mut mirror = Mirror::new().await;
        for batch in &batches {
            mirror.apply(batch).await;
        }
        let rows = mirror.reader().await.whole_rows("users").await.unwrap();
        assert_eq!((&rows[0]["first_name"], &rows[0]["_rank"]), (&json!("updated"), &json!(1)));
    }
}

#[tokio::test]
async fn a_membership_whose_user_is_gone_keeps_its_rank() {
    let member = json!({
        "id": "orgmem_1", "updated_at": MOMENT, "organization": { "id": "org_1" },
        "public_user_data": { "user_id": "user_1" },
    });
    let mut mirror = Mirror::new().await;
    let created = event("msg_z", "organizationMembership.created", MOMENT, &member);
    mirror.apply(&[created]).await;
    mirror.apply(&[event("msg_d", "user.deleted", 1, &deleted("user", "user_1"))]).await;
    let suppressed = mirror.rows("_suppressed").await;
    assert_eq!(suppressed[0]["_rank"], 0, "{suppressed:?}");
}

/// A mirror of the version before has no ranks: there the greater message id had won.
#[tokio::test]
async fn a_mirror_without_ranks_is_put_right_from_the_log() {
    for events_max in [1, 4] {
        let mut world = World::new().await;
        world.options.batch.events_max = events_max;
        world.append_at("msg_z", "user.created", MOMENT, &named("created")).await;
        world.append_at("msg_a", "user.updated", MOMENT, &named("updated")).await;
        world.append_users(2, 1).await;
        drain(&mut world.consumer().await).await;
        for sql in [
            format!(
                "UPDATE {USERS} SET first_name = 'created', _message_id = 'msg_z', _mapping_rev = 1
                 WHERE id = 'user_1'"
            ),
            format!("UPDATE {USERS} SET _mapping_rev = 1"),
            format!("ALTER TABLE {USERS} DROP COLUMN _rank"),
        ] {
            world.place.run(&sql).await;
        }
        drain(&mut world.consumer().await).await;
        let rows = world.reader().await.whole_rows("users").await.unwrap();
        let rows: Vec<_> = rows.iter().map(|row| (&row["first_name"], &row["_rank"])).collect();
        let expected = [(&json!("updated"), &json!(1)), (&json!("at 1"), &json!(0))];
        assert_eq!(rows, expected, "{events_max}");
    }
}

#[tokio::test]
async fn a_table_of_the_applications_ends_with_the_change_too() {
    for order in [["user.created", "user.updated"], ["user.updated", "user.created"]] {
        let mut world = World::new().await;
        world.options.batch.events_max = 1;
        world.place.make().await;
        world.place.run(mapped::USERS).await;
        world.options.database.tables = vec![mapped::users(OnRowDelete::Delete)];
        for event_type in order {
            let message_id = if event_type == "user.created" { "msg_z" } else { "msg_a" };
            let data = mapped::user("user_1", &format!("{event_type}@x.dev"), MOMENT);
            world.append_at(message_id, event_type, MOMENT, &data).await;
        }
        drain(&mut world.consumer().await).await;
        let rows = world.place.rows("SELECT email FROM app_users").await;
        assert_eq!(rows, [["user.updated@x.dev"]], "{order:?}");
    }
}

/// Before there were ranks they counted as changes, and would stand above their own messages.
#[tokio::test]
async fn what_was_kept_without_a_rank_stands_in_the_way_of_no_event_of_its_own() {
    let member = json!({
        "id": "orgmem_1", "updated_at": MOMENT, "organization": { "id": "org_1" },
        "public_user_data": { "user_id": "user_1" },
    });
    let created = event("msg_z", "organizationMembership.created", MOMENT, &member);
    let mut mirror = Mirror::new().await;
    mirror.apply(std::slice::from_ref(&created)).await;
    mirror.apply(&[event("msg_d", "user.deleted", 1, &deleted("user", "user_1"))]).await;
    let table = |name: &str| USERS.replace("users", name);
    mirror.run(&format!("UPDATE {} SET _rank = 1", table("_suppressed"))).await;
    // As where somebody lifts the tombstone.
    mirror.run(&format!("DELETE FROM {}", table("_tombstones"))).await;
    mirror.apply(&[created]).await;
    assert_eq!(mirror.ids("organization_memberships").await, ["orgmem_1"]);
}
