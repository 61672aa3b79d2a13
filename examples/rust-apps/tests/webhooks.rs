//! What comes in at the webhook route.

use reqwest::{Method, StatusCode};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::running::{APPS, Running};
use crate::tokens::USER;

const SETTING_UP: &str = "Your account is being set up.";

/// An event about the user, who has this name since this millisecond.
fn event(event_type: &str, name: &str, updated_at: u64) -> String {
    let data =
        json!({"id": USER, "first_name": name, "email_addresses": [], "updated_at": updated_at});
    json!({"type": event_type, "timestamp": updated_at, "data": data}).to_string()
}

fn deleted() -> String {
    let data = json!({"id": USER, "object": "user", "deleted": true});
    json!({"type": "user.deleted", "timestamp": 1_800_000_000_000_u64, "data": data}).to_string()
}

/// The number of rows of a table of the app's.
fn count(directory: &TempDir, table: &str) -> i64 {
    let database = Connection::open(directory.path().join("app.db")).unwrap();
    database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_signed_event_needs_no_session() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        assert_eq!(app.dashboard().await, SETTING_UP);
        assert_eq!(app.webhook("msg_1", &event("user.created", "Ada", 1)).await, StatusCode::OK);
        assert_eq!(app.dashboard().await, "Hello, Ada!", "{program}");
    }
}

#[tokio::test]
async fn a_forgery_is_refused() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        let (signed, forged) = (event("user.created", "Ada", 1), event("user.created", "Eve", 1));
        let status = app.webhook_signed_for("msg_1", &signed, &forged).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{program}");
        let bare = app.request(Method::POST, "/api/webhooks").body(signed).send().await.unwrap();
        assert_eq!(bare.status(), StatusCode::BAD_REQUEST, "{program}");
        assert_eq!(app.get("/api/webhooks").await.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(app.dashboard().await, SETTING_UP, "{program}");
        assert_eq!(count(&directory, "messages"), 0, "{program}");
    }
}

#[tokio::test]
async fn a_message_that_is_sent_again_takes_effect_once() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        let created = event("user.created", "Ada", 1);
        assert_eq!(app.webhook("msg_1", &created).await, StatusCode::OK);
        // What was answered with 2xx is stored, whatever happens to the app.
        app.kill().await;
        let app = Running::start(program, &directory).await;
        assert_eq!(app.webhook("msg_1", &created).await, StatusCode::OK, "{program}");
        assert_eq!(app.dashboard().await, "Hello, Ada!", "{program}");
        assert_eq!(count(&directory, "messages"), 1, "{program}");
        assert_eq!(count(&directory, "welcome_emails"), 1, "{program}");
    }
}

#[tokio::test]
async fn a_late_event_changes_nothing() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        assert_eq!(app.webhook("msg_3", &event("user.updated", "Ada L.", 3)).await, StatusCode::OK);
        assert_eq!(app.webhook("msg_1", &event("user.created", "A.", 1)).await, StatusCode::OK);
        assert_eq!(app.webhook("msg_2", &event("user.updated", "Ada", 2)).await, StatusCode::OK);
        assert_eq!(app.dashboard().await, "Hello, Ada L.!", "{program}");
        assert_eq!(app.webhook("msg_4", &deleted()).await, StatusCode::OK);
        assert_eq!(app.webhook("msg_5", &event("user.updated", "Ada", 4)).await, StatusCode::OK);
        assert_eq!(app.dashboard().await, SETTING_UP, "{program}: deleted stays deleted");
    }
}

#[tokio::test]
async fn an_event_of_another_type_is_taken() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        let body = r#"{"type":"comet.landed","data":{"id":"comet_1"}}"#;
        assert_eq!(app.webhook("msg_1", body).await, StatusCode::OK, "{program}");
        assert_eq!(count(&directory, "messages"), 1, "{program}");
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged() {
    for program in APPS {
        let directory = TempDir::new().unwrap();
        let app = Running::start(program, &directory).await;
        let database = Connection::open(directory.path().join("app.db")).unwrap();
        database.execute_batch("DROP TABLE users").unwrap();
        let status = app.webhook("msg_1", &event("user.created", "Ada", 1)).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{program}");
        assert_eq!(count(&directory, "messages"), 0, "{program}");
    }
}
