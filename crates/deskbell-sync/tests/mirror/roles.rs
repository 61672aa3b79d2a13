//! A permission that is deleted leaves the roles that have listed it.

use deskbell_sync::{DatabaseConfig, MirrorOptions, OnDelete};
use serde_json::{Value, json};

use super::backend::{CHECKPOINTS, DUE, REFERENCE, USERS};
use super::consumer::{World, drain};
use super::never_stops::{self, letters};
use super::support::{Mirror, deleted, event};

fn role(updated_at: i64) -> Value {
    let permissions =
        json!([{ "id": "perm_1", "key": "org:a" }, { "id": "perm_2", "key": "org:b" }]);
    json!({ "id": "role_1", "updated_at": updated_at, "permissions": permissions })
}

#[tokio::test]
async fn it_leaves_them_and_no_later_version_of_a_role_brings_it_back() {
    let gone = event("msg_3", "permission.deleted", 3, &deleted("permission", "perm_1"));
    let first = event("msg_1", "role.created", 1, &role(1_700_000_000_001));
    let later = event("msg_2", "role.updated", 2, &role(1_700_000_000_002));
    for batches in [
        vec![vec![first.clone()], vec![gone.clone()], vec![later.clone()]],
        vec![vec![gone.clone()], vec![first.clone(), later.clone()]],
        vec![vec![later, first, gone]],
    ] {
        let mut mirror = Mirror::new().await;
        for batch in &batches {
            mirror.apply(batch).await;
        }
        assert_eq!(mirror.ids("role_permissions").await, ["perm_2"]);
        assert_eq!(mirror.ids("roles").await, ["role_1"]);
    }
}

#[tokio::test]
async fn where_rows_stay_it_is_marked() {
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { on_delete: OnDelete::Mark, ..DatabaseConfig::default() },
    );
    let mut mirror = Mirror::with(options).await;
    let at = 1_700_000_000_000;
    mirror.apply(&[event("msg_1", "role.created", 1, &role(at))]).await;
    mirror
        .apply(&[event("msg_2", "permission.deleted", at, &deleted("permission", "perm_1"))])
        .await;
    mirror.apply(&[event("msg_3", "role.updated", 2, &role(at + 1))]).await;
    let rows = mirror.rows("role_permissions").await;
    let marks: Vec<_> = rows.iter().map(|row| &row["deleted_at"]).collect();
    assert_eq!(marks, [&json!("2023-11-14T22:13:20.000Z"), &Value::Null]);
}

#[tokio::test]
async fn what_an_earlier_version_of_this_program_left_goes_when_the_log_is_read_again() {
    let mut world = World::new().await;
    world.append("msg_1", "role.created", &role(1_700_000_000_001)).await;
    world.options.database.entities = Some(vec!["role".to_owned()]);
    drain(&mut world.consumer().await).await;
    let stone = format!(
        "INSERT INTO {} (entity, id, occurred_at, message_id)
         VALUES ('permission', 'perm_1', '2023-11-14T22:13:20.000Z', 'msg_0')",
        USERS.replace("users", "_tombstones")
    );
    world.place.run(&stone).await;
    world.place.run(&format!("UPDATE {CHECKPOINTS} SET mapping_rev = 0")).await;
    drain(&mut world.consumer().await).await;
    let rows = world.reader().await.rows("role_permissions").await.unwrap();
    assert_eq!(rows.iter().map(|row| &row["id"]).collect::<Vec<_>>(), ["perm_2"]);
}

async fn world_with_a_role() -> (World, String) {
    let world = World::new().await;
    let mut consumer = world.consumer().await;
    world.append("msg_1", "role.created", &role(1_700_000_000_001)).await;
    world.append("msg_2", "user.created", &json!({ "id": "user_1", "updated_at": 1 })).await;
    drain(&mut consumer).await;
    (world, USERS.replace("users", "role_permissions"))
}

#[tokio::test]
async fn it_leaves_them_also_where_another_row_is_refused() {
    let (world, permissions) = world_with_a_role().await;
    world.place.run(REFERENCE).await;
    world.place.run("INSERT INTO posts (author) VALUES ('user_1')").await;
    world.append("msg_3", "user.deleted", &deleted("user", "user_1")).await;
    world.append("msg_4", "permission.deleted", &deleted("permission", "perm_1")).await;
    never_stops::drain(&mut world.consumer().await).await;
    assert_eq!(never_stops::ids(&world, &permissions).await, ["perm_2"]);
}

#[tokio::test]
async fn one_that_the_database_keeps_is_tried_until_it_goes() {
    let (world, permissions) = world_with_a_role().await;
    world.place.run(&format!("CREATE UNIQUE INDEX one_role ON {permissions} (id)")).await;
    world.place.run(&REFERENCE.replace(USERS, &permissions)).await;
    world.place.run("INSERT INTO posts (author) VALUES ('perm_1')").await;
    world.append("msg_3", "permission.deleted", &deleted("permission", "perm_1")).await;
    world.append("msg_4", "permission.deleted", &deleted("permission", "perm_2")).await;
    never_stops::drain(&mut world.consumer().await).await;
    assert_eq!(letters(&world).await.len(), 1);
    world.place.run("DELETE FROM posts").await;
    world.place.run(DUE).await;
    never_stops::drain(&mut world.consumer().await).await;
    assert!(never_stops::ids(&world, &permissions).await.is_empty());
    assert!(letters(&world).await.is_empty());
}
