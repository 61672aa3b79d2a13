//! Values that no database reads: each costs its own member, and nothing around it.

use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete};
use serde_json::Value;

use super::application::Application;
use super::mapped::{USERS, users};
use super::support::{Mirror, stored};

fn odd_values() -> [String; 6] {
    let nested =
        |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    [
        nested("[", "]"),
        nested("{\"a\":", "}"),
        "1e999999".to_owned(),
        "1e-999999".to_owned(),
        "9".repeat(150_000),
        r#""\u0000\ud800""#.to_owned(),
    ]
}

fn body(odd: &str) -> String {
    format!(
        r#"{{"type":"user.created","data":{{"id":"user_1","first_name":"Mira","last_name":"\ud800",
        "new_field":{odd},"unsafe_metadata":{{"x":{odd},"y":2}},"public_metadata":{{"plan":"pro"}},
        "email_addresses":[{{"id":"idn_1","email_address":"a@b.c","verification":{odd}}}]}}}}"#
    )
}

fn json_of(value: &Value) -> Value {
    value.as_str().map_or_else(|| value.clone(), |text| serde_json::from_str(text).unwrap())
}

#[tokio::test]
async fn the_mirror_has_all_the_rest() {
    for odd in odd_values() {
        let mut mirror = Mirror::new().await;
        mirror.apply(&[stored("msg_1", "user.created", 1, &body(&odd))]).await;
        let rows = mirror.everything().await;
        assert!(
            !rows.contains_key("_dead_letters") || rows["_dead_letters"].is_empty(),
            "{odd:.9}"
        );
        let user = &rows["users"][0];
        assert_eq!((&user["first_name"], &user["last_name"]), (&"Mira".into(), &"\u{fffd}".into()));
        assert_eq!(json_of(&user["public_metadata"])["plan"], "pro", "{odd:.9}");
        assert_eq!(rows["user_email_addresses"][0]["email_address"], "a@b.c", "{odd:.9}");
    }
}

#[tokio::test]
async fn mapped_tables_have_all_the_rest() {
    let options = || {
        MirrorOptions::new(
            "mirror",
            DatabaseConfig {
                mirror: false,
                tables: vec![users(OnRowDelete::Delete)],
                ..DatabaseConfig::default()
            },
        )
    };
    for odd in odd_values() {
        let mut app = Application::new(&[USERS], options()).await;
        app.apply(&[stored("msg_1", "user.created", 1, &body(&odd))]).await;
        let rows = app.rows("SELECT clerk_id, name, plan FROM app_users").await;
        assert_eq!(rows, [["user_1", "Mira \u{fffd}", "pro"]], "{odd:.9}");
    }
}

#[tokio::test]
async fn the_request_that_caused_an_event_is_in_mapped_tables() {
    let mut table = users(OnRowDelete::Delete);
    table.columns.0[1].1 = "event_attributes.http_request.client_ip".into();
    table.columns.0[2].1 = "event_attributes.http_request.user_agent".into();
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    );
    let mut app = Application::new(&[USERS], options).await;
    let with = |id: &str, attributes: &str| {
        format!(r#"{{"type":"user.created","data":{{"id":"{id}"}}{attributes}}}"#)
    };
    let request = r#","event_attributes":{"http_request":{"client_ip":"::1","user_agent":"curl"}}"#;
    app.apply(&[
        stored("msg_1", "user.created", 1, &with("user_1", request)),
        stored("msg_2", "user.created", 1, &with("user_2", "")),
    ])
    .await;
    let sql = "SELECT clerk_id, name, plan FROM app_users WHERE name IS NOT NULL";
    assert_eq!(app.rows(sql).await, [["user_1", "::1", "curl"]]);
    assert_eq!(app.rows("SELECT clerk_id FROM app_users").await.len(), 2);
}
