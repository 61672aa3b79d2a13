//! Reading a mirror back.

use deskbell_config::DatabaseUrl;
use deskbell_sync::inspect::{InspectError, MirrorReader, TableCount};
use serde_json::json;

use super::backend::USERS;
use super::support::{Mirror, event, user};

#[tokio::test]
async fn tables_are_counted_under_both_their_names() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    let counts = mirror.reader().await.tables().await.unwrap();
    let users = TableCount { name: "users", table: USERS.to_owned(), rows: 1 };
    assert_eq!(counts[0], users);
    assert!(counts[1..].iter().all(|count| count.rows == 0), "{counts:?}");
    let names: Vec<_> = counts.iter().map(|count| count.name).collect();
    for name in ["organizations", "organization_memberships", "subscription_items"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"emails"), "not there unless asked for: {names:?}");
}

#[tokio::test]
async fn the_checkpoint_is_the_destinations_own() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    let reader = mirror.reader().await;
    assert_eq!(reader.checkpoint("mirror").await.unwrap().unwrap().seq.get(), 1);
    assert_eq!(reader.checkpoint("another").await.unwrap(), None);
    assert_eq!(reader.destinations().await.unwrap(), ["mirror".to_owned()].into());
}

#[tokio::test]
async fn bookkeeping_is_shown_only_where_it_is_asked_for() {
    let mut mirror = Mirror::new().await;
    mirror.apply(&[event("msg_1", "user.created", 1, &user("user_1", 1))]).await;
    let reader = mirror.reader().await;
    let row = &reader.rows("users").await.unwrap()[0];
    assert!(row.keys().all(|name| name != "raw" && !name.starts_with('_')), "{row:?}");
    let row = &reader.whole_rows(USERS).await.unwrap()[0];
    assert_eq!(row["_message_id"], json!("msg_1"));
    assert_eq!(row["raw"], user("user_1", 1));
}

#[tokio::test]
async fn what_is_not_there_is_an_error() {
    let mirror = Mirror::new().await;
    let error = mirror.reader().await.rows("app_users").await.unwrap_err();
    assert!(matches!(error, InspectError::NoSuchTable { .. }), "{error:?}");
    let nowhere = tempfile::tempdir().unwrap();
    for url in [
        DatabaseUrl::sqlite(&nowhere.path().join("clerk.db")),
        "postgres://127.0.0.1:1/nothing".parse().unwrap(),
    ] {
        assert!(MirrorReader::open(&url).await.is_err());
    }
    assert_eq!(std::fs::read_dir(nowhere.path()).unwrap().count(), 0);
}
