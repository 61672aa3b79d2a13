//! The index of subjects, which a running engine fills, and a search beside it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::support::{Serving, directory, mirror_at, run, within};

const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\n\
     [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n";

async fn connect(directory: &Path) -> SqliteConnection {
    let file = SqliteConnectOptions::new().filename(directory.join("deskbell.db"));
    SqliteConnection::connect_with(&file).await.unwrap()
}

/// Returns when so many events or more are in the index.
async fn indexed(directory: &Path, events: i64) {
    let mut connection = connect(directory).await;
    let mut look = tokio::time::interval(Duration::from_millis(20));
    within(async {
        let count = "SELECT count(*) FROM event_subjects";
        while sqlx::query_scalar::<_, i64>(count).fetch_one(&mut connection).await.unwrap() < events
        {
            look.tick().await;
        }
    })
    .await;
}

async fn trigger(directory: &Path, serving: &Serving, id: &str) {
    let url = serving.url();
    let ran =
        run(directory, &["trigger", "--sample", "user.created", "--url", &url, "--id", id]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// The message ids that are listed.
async fn listed(directory: &Path, arguments: &[&str]) -> Vec<String> {
    let ran = run(directory, &[&["--json", "events", "list"], arguments].concat()).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let events: Value = serde_json::from_str(&ran.stdout).unwrap();
    let ids = events.as_array().unwrap().iter().map(|event| event["message_id"].as_str().unwrap());
    ids.map(str::to_owned).collect()
}

/// A log of so many older events as the release before left it, without an index.
async fn grow(directory: &Path, events: i64) {
    let mut connection = connect(directory).await;
    sqlx::query(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?1)
         INSERT INTO events
             (source, message_id, type, subject, occurred_at_ms, received_at_ms, payload)
         SELECT 'clerk', 'msg_old_' || n, 'user.updated', 'user_' || (n % 1000), 0,
                (SELECT max(received_at_ms) FROM events), x'7b7d'
         FROM numbers",
    )
    .bind(events)
    .execute(&mut connection)
    .await
    .unwrap();
    sqlx::raw_sql("DELETE FROM event_subjects; UPDATE subject_index SET indexed_seq = 0")
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn events_about_a_subject_are_listed_however_far_back_they_are() {
    const OLD: i64 = 120_000;
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("deskbell.toml"), CONFIG).unwrap();
    let serving = Serving::start(path).await;
    trigger(path, &serving, "msg_1").await;
    mirror_at(path, 1).await;
    assert_eq!(serving.terminate().await.0, 0);
    let ran = run(path, &["--json", "events", "show", "msg_1"]).await;
    let event: Value = serde_json::from_str(&ran.stdout).unwrap();
    let subject = event["subject"].as_str().unwrap();
    grow(path, OLD).await;
    assert_eq!(listed(path, &["--subject", subject]).await, ["msg_1"], "without an index");

    let serving = Serving::start(path).await;
    trigger(path, &serving, "msg_2").await;
    assert_eq!(listed(path, &["--subject", subject]).await, ["msg_2", "msg_1"], "while it grows");
    indexed(path, 1_000).await;
    let two = &["--subject", subject, "--limit", "2"];
    for (arguments, found) in [
        (&two[..], &["msg_2", "msg_1"][..]),
        (&["--subject", subject, "--limit", "1"], &["msg_2"]),
        (&["--subject", subject, "--since", "1h"], &["msg_2", "msg_1"]),
        (&["--subject", subject, "--type", "user.deleted"], &[]),
        (&["--subject", "user_7", "--limit", "2"], &["msg_old_119007", "msg_old_118007"]),
        (&["--subject", "user_7", "--since", "2999-01-01T00:00:00Z"], &[]),
        (&["--subject", "user_nobody"], &[]),
    ] {
        assert_eq!(listed(path, arguments).await, found, "{arguments:?}");
    }
    assert_eq!(serving.terminate().await.0, 0);
}
