//! Columns that are left out, taken back, and added: what becomes of the rows that were there.

use deskbell_sync::DatabaseConfig;
use deskbell_sync::rebuild::rebuild;
use serde_json::{Value, json};

use super::backend::{CHECKPOINTS, USERS};
use super::consumer::{World, drain};
use super::support::Mirror;
use super::support::event;

/// More than are looked at in one transaction.
const USERS_MAX: usize = 120;
const PRIVATE_METADATA: &str = "user.private_metadata";

fn ada(number: usize) -> Value {
    json!({
        "id": format!("user_{number:03}"), "first_name": "hush-hush", "last_name": "Lovelace",
        "updated_at": 1_700_000_000_000_i64, "private_metadata": { "ssn": 123 },
        "primary_email_address_id": "idn_1", "timezone": "Europe/Stockholm",
        "email_addresses": [{ "id": "idn_1", "email_address": "hush-hush@example.com" }],
        "passkeys": [{ "id": "idn_2", "name": "a key" }],
    })
}

async fn append(world: &World, number: usize) {
    world.append(&format!("msg_{number}"), "user.created", &ada(number)).await;
}

async fn users(world: &World) -> Vec<serde_json::Map<String, Value>> {
    world.reader().await.whole_rows("users").await.unwrap()
}

/// A mirror of many users, and a log that has none of their events any more.
async fn forgotten() -> World {
    let mut world = World::new().await;
    for number in 0..USERS_MAX {
        append(&world, number).await;
    }
    drain(&mut world.consumer().await).await;
    world.replace_the_log().await;
    world
}

#[tokio::test]
async fn what_is_excluded_is_beside_the_default() {
    let mut world = World::new().await;
    append(&world, 1).await;
    world.options.database.exclude_columns = vec!["user.first_name".to_owned()];
    drain(&mut world.consumer().await).await;
    let rows = users(&world).await;
    for column in ["first_name", "private_metadata"] {
        assert!(!rows[0].contains_key(column) && rows[0]["raw"].get(column).is_none(), "{column}");
    }
    assert_eq!(rows[0]["last_name"], "Lovelace");
}

#[tokio::test]
async fn what_a_column_elsewhere_is_filled_from_is_left_out_there_too() {
    let mut mirror = Mirror::with(deskbell_sync::MirrorOptions::new(
        "mirror",
        DatabaseConfig {
            exclude_columns: ["user.first_name", "permission.key", "subscription_item.plan_slug"]
                .map(str::to_owned)
                .to_vec(),
            ..DatabaseConfig::default()
        },
    ))
    .await;
    let member = json!({
        "id": "orgmem_1", "organization": { "id": "org_1", "name": "Acme" },
        "public_user_data": { "user_id": "user_1", "first_name": "hush-hush", "last_name": "L" },
    });
    let role = json!({ "id": "role_1", "permissions": [{ "id": "perm_1", "key": "hush-hush" }] });
    let attempt = json!({
        "id": "pa_1", "subscription_items": [{ "id": "item_1", "plan": { "slug": "hush-hush" } }],
    });
    mirror.apply(&[event("msg_1", "organizationMembership.created", 1, &member)]).await;
    mirror.apply(&[event("msg_2", "role.created", 1, &role)]).await;
    mirror.apply(&[event("msg_3", "paymentAttempt.created", 1, &attempt)]).await;
    let rows = mirror.rows("organization_memberships").await;
    assert_eq!(
        (&rows[0]["user_last_name"], &rows[0]["organization_name"]),
        (&json!("L"), &json!("Acme"))
    );
    assert_eq!(mirror.ids("role_permissions").await, ["perm_1"]);
    assert_eq!(mirror.ids("payment_attempt_items").await, ["item_1"]);
    assert!(!format!("{:?}", mirror.everything().await).contains("hush"));
}

#[tokio::test]
async fn a_default_that_the_mirror_has_is_kept_until_the_config_says_what_becomes_of_it() {
    let mut world = World::new().await;
    append(&world, 1).await;
    world.options.database.include_columns = vec![PRIVATE_METADATA.to_owned()];
    drain(&mut world.consumer().await).await;
    world.options.database.include_columns = Vec::new();
    append(&world, 2).await;
    drain(&mut world.consumer().await).await;
    for row in users(&world).await {
        assert_eq!(row["private_metadata"], json!({ "ssn": 123 }), "{row:?}");
        assert_eq!(row["raw"]["private_metadata"], json!({ "ssn": 123 }), "{row:?}");
    }
    world.options.database.exclude_columns = vec![PRIVATE_METADATA.to_owned()];
    drain(&mut world.consumer().await).await;
    // Emptied, it is left out by default as in a mirror that never had it.
    world.options.database.exclude_columns = Vec::new();
    append(&world, 3).await;
    drain(&mut world.consumer().await).await;
    let rows = users(&world).await;
    assert_eq!(rows.len(), 3);
    for row in rows {
        assert_eq!(row["private_metadata"], Value::Null, "{row:?}");
        assert_eq!(row["raw"].get("private_metadata"), None, "{row:?}");
    }
    world.options.database.include_columns = vec![PRIVATE_METADATA.to_owned()];
    drain(&mut world.consumer().await).await;
    world.options.database.include_columns = Vec::new();
    append(&world, 4).await;
    drain(&mut world.consumer().await).await;
    for row in users(&world).await {
        assert_eq!(row["private_metadata"], json!({ "ssn": 123 }), "{row:?}");
    }
}

#[tokio::test]
async fn a_rebuild_keeps_what_the_mirror_keeps() {
    let mut world = World::new().await;
    append(&world, 1).await;
    world.options.database.include_columns = vec![PRIVATE_METADATA.to_owned()];
    drain(&mut world.consumer().await).await;
    world.options.database.include_columns = Vec::new();
    drain(&mut world.consumer().await).await;
    world.place.run(&format!("UPDATE {USERS} SET private_metadata = NULL")).await;
    let rebuilt = rebuild(world.store.as_ref(), &world.options, |_| {}).await.unwrap();
    assert_eq!(rebuilt.rows_written, 1);
    assert_eq!(users(&world).await[0]["private_metadata"], json!({ "ssn": 123 }));
}

#[tokio::test]
async fn what_is_excluded_later_is_emptied_also_where_the_log_has_no_event_any_more() {
    let mut world = forgotten().await;
    world.options.database.exclude_columns =
        vec!["user.first_name".to_owned(), "user.primary_email_address".to_owned()];
    // Interrupted after each part, and beside new events.
    let mut number = USERS_MAX;
    loop {
        append(&world, number).await;
        number += 1;
        let mut consumer = world.consumer().await;
        while consumer.run_once().await.unwrap().events > 0 {}
        if !consumer.run_once().await.unwrap().more {
            break;
        }
        assert!(number < USERS_MAX + 20, "it ends");
    }
    let reader = world.reader().await;
    let rows = users(&world).await;
    assert_eq!(rows.len(), number);
    assert!(rows.iter().all(|row| row["last_name"] == "Lovelace"));
    for table in ["users", "user_email_addresses", "user_passkeys"] {
        let rows = reader.whole_rows(table).await.unwrap();
        assert!(!format!("{rows:?}").contains("hush-hush"), "{table}");
    }
    assert_eq!(reader.rows("user_passkeys").await.unwrap().len(), number);
    assert_eq!(drain(&mut world.consumer().await).await, 0, "once is enough");
}

#[tokio::test]
async fn what_is_added_later_is_filled_from_what_the_rows_have_kept() {
    let world = forgotten().await;
    let passkeys = USERS.replace("users", "user_passkeys");
    for sql in [
        format!("UPDATE {USERS} SET _mapping_rev = 1"),
        format!("DELETE FROM {passkeys}"),
        format!("UPDATE {CHECKPOINTS} SET mapping_rev = 1"),
        format!("ALTER TABLE {USERS} DROP COLUMN timezone"),
        format!("DROP TABLE {passkeys}"),
    ] {
        world.place.run(&sql).await;
    }
    drain(&mut world.consumer().await).await;
    let rows = users(&world).await;
    assert_eq!(rows.len(), USERS_MAX);
    assert!(rows.iter().all(|row| row["timezone"] == "Europe/Stockholm"), "{rows:?}");
    let passkeys = world.reader().await.rows("user_passkeys").await.unwrap();
    assert_eq!(passkeys.len(), USERS_MAX);
}

#[tokio::test]
async fn an_item_keeps_what_it_has_from_its_subscription() {
    let mut world = World::new().await;
    let subscription = json!({
        "id": "sub_1", "payer": { "id": "payer_1", "user_id": "user_1", "email": "a@example.com" },
        "items": [{ "id": "item_1", "plan": { "slug": "pro", "free_trial_days": 14 } }],
    });
    world.append("msg_1", "subscription.created", &subscription).await;
    drain(&mut world.consumer().await).await;
    let items = USERS.replace("users", "subscription_items");
    world
        .place
        .run(&format!("UPDATE {items} SET _mapping_rev = 1, plan_free_trial_days = NULL"))
        .await;
    world.replace_the_log().await;
    drain(&mut world.consumer().await).await;
    let rows = world.reader().await.rows("subscription_items").await.unwrap();
    for (column, expected) in [
        ("subscription_id", json!("sub_1")),
        ("payer_user_id", json!("user_1")),
        ("payer_email", json!("a@example.com")),
        ("plan_free_trial_days", json!(14)),
    ] {
        assert_eq!(rows[0][column], expected, "{column}");
    }
}

#[tokio::test]
async fn a_row_that_the_database_refuses_stops_none_of_the_others() {
    let mut world = World::new().await;
    world.append_users(5, 5).await;
    drain(&mut world.consumer().await).await;
    world.place.run(&format!("UPDATE {USERS} SET first_name = 'at 7' WHERE id = 'user_7'")).await;
    world.place.run(&format!("UPDATE {USERS} SET _mapping_rev = 1")).await;
    world.place.run(&refuse_the_fifth()).await;
    world.replace_the_log().await;
    drain(&mut world.consumer().await).await;
    let remade = users(&world).await.iter().filter(|row| row["_mapping_rev"] != 1).count();
    assert_eq!(remade, 4);
}

#[tokio::test]
async fn what_the_database_does_not_let_be_emptied_is_emptied_once_it_does() {
    let mut world = World::new().await;
    world.append_users(5, 5).await;
    drain(&mut world.consumer().await).await;
    world.place.run(&refuse_the_fifth()).await;
    world.replace_the_log().await;
    world.options.database.exclude_columns = vec!["user.first_name".to_owned()];
    for (relents, left) in [(false, vec!["user_5"]), (true, vec![])] {
        if relents {
            world.place.run(&relent()).await;
        }
        drain(&mut world.consumer().await).await;
        let rows = users(&world).await;
        let filled = rows.iter().filter(|row| !row["first_name"].is_null());
        assert_eq!(filled.map(|row| row["id"].as_str().unwrap()).collect::<Vec<_>>(), left);
    }
}

fn relent() -> String {
    let on = if USERS.contains('.') { format!("ON {USERS}") } else { String::new() };
    format!("DROP TRIGGER refuse {on}")
}

/// Makes the database refuse every change to the user of this number.
fn refuse_the_fifth() -> String {
    if USERS.contains('.') {
        format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
                 BEGIN RAISE EXCEPTION 'no'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON {USERS}
                 FOR EACH ROW WHEN (OLD.id = 'user_5') EXECUTE FUNCTION refuse()"
        )
    } else {
        format!(
            "CREATE TRIGGER refuse BEFORE UPDATE ON {USERS} WHEN OLD.id = 'user_5'
                 BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    }
}
