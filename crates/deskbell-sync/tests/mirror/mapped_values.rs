//! Values on their way into columns of the application's.

use deskbell_store::StoredEvent;
use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete, TableConfig};
use serde_json::{Value, json};

use super::application::Application;
use super::backend::VERSIONS;
use super::mapped::{USERS, pairs, user, users};
use super::support::{deleted, event};

fn mapping(columns: &[(&str, &str)]) -> MirrorOptions {
    let table = TableConfig { columns: pairs(columns), ..users(OnRowDelete::Delete) };
    MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    )
}

fn with_metadata(id: &str, metadata: Value, at: i64) -> StoredEvent {
    let mut data = user(id, &format!("{id}@x.dev"), at);
    data["public_metadata"] = metadata;
    event(&format!("msg_{id}_{at}"), "user.updated", at, &data)
}

#[tokio::test]
async fn a_null_takes_the_default_where_the_column_holds_none() {
    let table =
        "CREATE TABLE app_users (clerk_id text PRIMARY KEY, plan text NOT NULL DEFAULT 'free',
        free text DEFAULT 'x', made timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP)";
    let columns = [
        ("plan", "data.public_metadata.plan"),
        ("free", "data.public_metadata.free"),
        ("made", "data.public_metadata.made"),
    ];
    let mut app = Application::new(&[table], mapping(&columns)).await;
    app.apply(&[with_metadata("user_1", json!({}), 1)]).await;
    let rows = "SELECT plan, free, made IS NOT NULL, made < '2020-01-01' FROM app_users";
    let (yes, no) = (
        app.rows("SELECT 1 = 1").await[0][0].clone(),
        app.rows("SELECT 1 = 2").await[0][0].clone(),
    );
    assert_eq!(app.rows(rows).await, [["free", "null", &yes, &no]]);
    app.apply(&[with_metadata(
        "user_1",
        json!({ "plan": "pro", "made": "2010-01-01T00:00:00Z" }),
        2,
    )])
    .await;
    assert_eq!(app.rows(rows).await, [["pro", "null", &yes, &yes]]);
    // A constant default comes again; another one each time would not be what was there.
    app.apply(&[with_metadata("user_1", json!({}), 3)]).await;
    assert_eq!(app.rows(rows).await, [["free", "null", &yes, &yes]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn a_truth_for_an_integer_column_is_refused_with_what_would_do() {
    let table = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, banned integer)";
    let error = Application::refused(&[table], mapping(&[("banned", "user.banned")])).await;
    assert!(error.contains("user.banned ? 1 : 0"), "{error}");
}

#[tokio::test]
async fn a_key_whose_index_will_not_do_is_refused_with_why() {
    for (index, why) in [
        ("CREATE UNIQUE INDEX one ON app_users (clerk_id) WHERE clerk_id <> ''", "a partial index"),
        ("CREATE UNIQUE INDEX one ON app_users (lower(clerk_id))", "it is on an expression"),
    ] {
        let table = "CREATE TABLE app_users (clerk_id text, email text)";
        let columns = mapping(&[("email", "user.primary_email_address")]);
        let error = Application::refused(&[table, index], columns).await;
        assert!(error.contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_view_is_refused_as_one() {
    let table = "CREATE TABLE people (clerk_id text PRIMARY KEY, email text)";
    let view = "CREATE VIEW app_users AS SELECT * FROM people";
    let columns = mapping(&[("email", "user.primary_email_address")]);
    let error = Application::refused(&[table, view], columns).await;
    assert!(error.contains("is a view"), "{error}");
}

#[tokio::test]
async fn a_deleted_user_leaves_its_address_to_others() {
    let set =
        OnRowDelete::Set(pairs(&[("deleted", "true"), ("email", "'gone+' + data.id + '@x.dev'")]));
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![users(set)], ..DatabaseConfig::default() },
    );
    let first = |email: &str, at| {
        event(&format!("msg_{at}"), "user.updated", at, &user("user_1", email, at))
    };
    let events = [
        first("a@x.dev", 1),
        event("msg_2", "user.deleted", 2, &deleted("user", "user_1")),
        event("msg_3", "user.created", 3, &user("user_2", "a@x.dev", 3)),
        // Late, and of the time before.
        first("a@x.dev", 1),
    ];
    for order in [[0, 1, 2, 3], [1, 2, 0, 3], [2, 1, 3, 0], [2, 0, 1, 3]] {
        let mut app = Application::new(&[USERS], options.clone()).await;
        for index in order {
            app.apply(std::slice::from_ref(&events[index])).await;
        }
        let rows = app.rows("SELECT clerk_id, email, deleted FROM app_users ORDER BY 1").await;
        let expected = [["user_1", "gone+user_1@x.dev", "true"], ["user_2", "a@x.dev", "false"]];
        assert_eq!(rows, expected, "{order:?}");
        assert!(app.dead_letters().await.is_empty(), "{order:?}");
    }
}

#[tokio::test]
async fn words_of_time_are_no_times() {
    for (kind, word) in [
        ("timestamp", "now"),
        ("date", "infinity"),
        ("time", "allballs"),
        ("timestamp", "Tomorrow"),
    ] {
        let table = format!("CREATE TABLE app_users (clerk_id text PRIMARY KEY, made {kind})");
        let columns = [("made", "data.public_metadata.made")];
        let mut app = Application::new(&[&table], mapping(&columns)).await;
        let time = if kind == "time" { "10:00:00" } else { "2026-11-21" };
        app.apply(&[
            with_metadata("user_1", json!({ "made": word }), 1),
            with_metadata("user_2", json!({ "made": time }), 1),
        ])
        .await;
        assert_eq!(app.rows("SELECT clerk_id FROM app_users").await, [["user_2"]], "{kind} {word}");
        let reason = app.dead_letters().await[0]["reason"].to_string();
        assert!(reason.contains("expected a time"), "{reason}");
    }
}

#[tokio::test]
async fn a_row_that_is_refused_in_two_places_is_told_once() {
    // It leaves one key, whose row must stay, and its values do not fit under the other one.
    let table = "CREATE TABLE app_users (clerk_id text, email varchar(40) PRIMARY KEY,
        name text CHECK (name <> 'Ada no'))";
    let notes = "CREATE TABLE notes (author varchar(40) REFERENCES app_users (email))";
    let mut options = mapping(&[("name", "user.full_name"), ("clerk_id", "user.id")]);
    options.database.tables[0].key = pairs(&[("email", "user.primary_email_address")]);
    let has = |id: &str, name: &str, email: &str, at: i64| {
        let mut data = user(id, email, at);
        (data["last_name"], data["created_at"]) = (json!(name), json!(at));
        event(&format!("msg_{id}_{at}"), "user.updated", at, &data)
    };
    let mut app = Application::new(&[table, notes], options).await;
    app.apply(&[has("user_1", "yes", "a@x.dev", 1), has("user_2", "yes", "b@x.dev", 2)]).await;
    app.run("INSERT INTO notes VALUES ('b@x.dev')").await;
    app.apply(&[has("user_2", "no", "a@x.dev", 3)]).await;
    let letters = app.dead_letters().await;
    assert_eq!((letters.len(), &letters[0]["id"]), (1, &json!("user_2")));
    let tries = format!("SELECT tries FROM {VERSIONS} WHERE id = 'user_2'");
    assert_eq!(app.rows(&tries).await, [["1"]]);
    app.run("DELETE FROM notes").await;
    app.make_due().await;
    app.apply(&[has("user_2", "yes", "a@x.dev", 4)]).await;
    let rows = app.rows("SELECT email, clerk_id FROM app_users").await;
    assert_eq!(rows, [["a@x.dev", "user_2"]]);
    assert!(app.dead_letters().await.is_empty());
}
