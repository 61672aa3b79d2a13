//! Unique indexes on SQLite that compare one column in different ways.

use deskbell_sync::{DatabaseConfig, MirrorOptions, OnRowDelete};

use super::application::Application;
use super::mapped::{pairs, user, users};
use super::support::{deleted, event};

const TABLE: &str = "CREATE TABLE app_users (clerk_id text PRIMARY KEY, email text UNIQUE,
        tenant text DEFAULT 'ours');
    CREATE UNIQUE INDEX caseless ON app_users (tenant, email COLLATE NOCASE);
    INSERT INTO app_users VALUES ('theirs', 'A@x.dev', 'theirs'), ('ours', 'a@x.dev', 'ours')";

#[tokio::test]
async fn a_row_waits_for_none_that_its_index_tells_from_it() {
    let mut table = users(OnRowDelete::Delete);
    table.columns = pairs(&[("email", "user.primary_email_address")]);
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![table], ..DatabaseConfig::default() },
    );
    let mut app = Application::new(&[TABLE], options).await;
    let created = event("msg_1", "user.created", 1, &user("user_1", "a@x.dev", 1));
    app.apply(&[created]).await;
    app.run("DELETE FROM app_users WHERE clerk_id = 'ours'").await;
    app.make_due().await;
    app.apply(&[]).await;
    let ids = app.rows("SELECT clerk_id FROM app_users ORDER BY 1").await;
    assert_eq!(ids, [["theirs"], ["user_1"]]);
    assert!(app.dead_letters().await.is_empty());
}

#[tokio::test]
async fn keys_are_equal_as_their_own_index_says() {
    let table = TABLE.replace("DEFAULT 'ours'", "DEFAULT (hex(randomblob(8)))");
    let (table, _) = table.split_once("INSERT").unwrap();
    let mut mapping = users(OnRowDelete::Delete);
    mapping.key = pairs(&[("email", "user.primary_email_address")]);
    mapping.columns = pairs(&[("clerk_id", "user.id")]);
    let options = MirrorOptions::new(
        "mirror",
        DatabaseConfig { mirror: false, tables: vec![mapping], ..DatabaseConfig::default() },
    );
    let mut app = Application::new(&[table], options).await;
    let has =
        |id: &str, email: &str| event(&format!("msg_{id}"), "user.created", 1, &user(id, email, 1));
    app.apply(&[has("user_1", "a@x.dev"), has("user_2", "A@x.dev")]).await;
    let ids = "SELECT clerk_id FROM app_users ORDER BY 1";
    assert_eq!(app.rows(ids).await, [["user_1"], ["user_2"]]);
    app.apply(&[event("msg_3", "user.deleted", 2, &deleted("user", "user_1"))]).await;
    assert_eq!(app.rows(ids).await, [["user_2"]]);
}
