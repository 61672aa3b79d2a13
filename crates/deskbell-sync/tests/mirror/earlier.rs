//! A mirror that was made by the version before this one.

use deskbell_store::OutcomeKind;
use deskbell_sync::outcome::OutcomeReader;
use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete};
use serde_json::{Value, json};

use super::backend::{CHECKPOINTS, EARLIER, USERS, VERSIONS};
use super::consumer::{World, drain};
use super::mapped;
use super::support::everything;

/// Its tables as they were, with a user whose event no log has any more.
async fn mirror() -> World {
    let world = World::new().await;
    world.place.make().await;
    world.place.run(EARLIER).await;
    let migrations = USERS.replace("users", "_migrations");
    for table in EARLIER.split("CREATE TABLE ").skip(1) {
        let name = table.split_once(" (").unwrap().0.replace('"', "").replace("clerk.", "");
        let step = format!(
            "INSERT INTO {migrations} (step, version, applied_at)
             VALUES ('table {name}', 1, '2026-01-01T00:00:00.000Z')"
        );
        world.place.run(&step).await;
    }
    let raw = json!({
        "id": "user_1", "first_name": "Ada", "timezone": "Europe/Stockholm",
        "private_metadata": { "ssn": 123 }, "passkeys": [{ "id": "idn_1", "name": "a key" }],
    });
    let user = format!(
        "INSERT INTO {USERS} (id, first_name, private_metadata, raw, _updated_at_ms,
             _occurred_at_ms, _message_id, _mapping_rev)
         VALUES ('user_1', 'Ada', '{{\"ssn\":123}}', '{raw}', 5, 5, 'msg_1', 7)"
    );
    world.place.run(&user).await;
    let checkpoint = format!(
        "INSERT INTO {CHECKPOINTS} (log_id, destination, seq, message_id, token, mapping_rev,
             updated_at, statements_seq)
         VALUES ('{}', 'mirror', 0, '', 1, 7, '2026-01-01T00:00:00.000Z', 0)",
        world.store.log_id()
    );
    world.place.run(&checkpoint).await;
    world
}

#[tokio::test]
async fn what_became_of_an_event_is_known_before_it_is_migrated() {
    let mut world = mirror().await;
    world.options.database.tables = vec![mapped::users(OnRowDelete::Delete)];
    world.append_at("msg_1", "user.created", 5, &json!({ "id": "user_1", "updated_at": 5 })).await;
    world.append_at("msg_2", "user.updated", 4, &json!({ "id": "user_1" })).await;
    world.place.run(&format!("UPDATE {CHECKPOINTS} SET seq = 2, message_id = 'msg_2'")).await;
    let known = "INSERT INTO _versions (mapping, id, key, shown, given_up, _updated_at_ms,
             _occurred_at_ms, _message_id)
         VALUES ('app_users from user', 'user_1', '[\"user_1\"]', '[\"user_1\"]', false, 5, 5, 'msg_1')";
    world.place.run(&known.replace("_versions", VERSIONS)).await;
    for (message, kind) in [("msg_1", OutcomeKind::Applied), ("msg_2", OutcomeKind::Superseded)] {
        let event = world.store.find("clerk", message).await.unwrap().unwrap();
        let mut reader = OutcomeReader::open(&world.options, world.store.log_id()).await.unwrap();
        let parts = reader.outcome(&event, &[]).await.parts;
        assert_eq!(parts.len(), 2);
        assert!(parts.iter().all(|part| part.outcome.kind == kind), "{message}: {parts:?}");
    }
}

#[tokio::test]
async fn it_opens_is_migrated_and_goes_on() {
    let mut world = mirror().await;
    world.options = MirrorOptions {
        database: DatabaseConfig {
            entities: everything().database.entities,
            ..world.options.database
        },
        ..world.options
    };
    world.append_users(2, 1).await;
    drain(&mut world.consumer().await).await;
    let rows = world.reader().await.whole_rows("users").await.unwrap();
    let ranks: Vec<_> = rows.iter().map(|row| (&row["id"], &row["_rank"])).collect();
    assert_eq!(ranks, [(&json!("user_1"), &json!(1)), (&json!("user_2"), &json!(0))]);
    assert_eq!(rows[0]["timezone"], "Europe/Stockholm");
    assert_eq!(rows[0]["private_metadata"], json!({ "ssn": 123 }), "it is kept");
    assert_eq!(rows[0]["_mapping_rev"], rows[1]["_mapping_rev"]);
    let passkeys = world.reader().await.rows("user_passkeys").await.unwrap();
    assert_eq!(passkeys[0]["name"], "a key");
    world.options.database.exclude_columns = vec!["user.private_metadata".to_owned()];
    drain(&mut world.consumer().await).await;
    let rows = world.reader().await.whole_rows("users").await.unwrap();
    assert_eq!(rows[0]["private_metadata"], Value::Null);
    assert!(!format!("{rows:?}").contains("ssn"));
}
