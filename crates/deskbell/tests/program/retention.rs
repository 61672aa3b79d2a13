//! What is too old leaves the log of a running engine, and what is left says so.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, SqliteConnection};

use super::support::{Serving, directory, mirror_at, run, within};

const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n\n\
     [store]\nretention = { payloads = \"10d\" }\n\n\
     [[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n\n\
     [[destination]]\nname = \"hook\"\ntype = \"http\"\nurl = \"http://127.0.0.1:9/\"\n\
     secret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"\nallow_hosts = [\"127.0.0.1\"]\n\
     events = [\"organization.created\"]\n";

/// Makes everything in the log this much older.
pub(super) async fn age(directory: &Path, by: Duration) {
    let file = SqliteConnectOptions::new().filename(directory.join("deskbell.db"));
    let mut connection = SqliteConnection::connect_with(&file).await.unwrap();
    sqlx::query("UPDATE events SET received_at_ms = received_at_ms - ?1")
        .bind(i64::try_from(by.as_millis()).unwrap())
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

async fn show(directory: &Path, message_id: &str) -> Value {
    let ran = run(directory, &["--json", "events", "show", message_id, "--payload"]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

async fn trigger(directory: &Path, url: &str, event_type: &str, id: &str) {
    let ran = run(directory, &["trigger", "--sample", event_type, "--url", url, "--id", id]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[tokio::test]
async fn payloads_go_when_their_time_has_come_and_not_before_everybody_had_them() {
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("deskbell.toml"), CONFIG).unwrap();
    let serving = Serving::start(path).await;
    let url = serving.url();
    trigger(path, &url, "user.created", "msg_old").await;
    trigger(path, &url, "email.created", "msg_code").await;
    trigger(path, &url, "organization.created", "msg_owed").await;
    trigger(path, &url, "user.updated", "msg_behind").await;
    mirror_at(path, 4).await;
    assert_eq!(serving.terminate().await.0, 0);
    age(path, Duration::from_secs(11 * 24 * 3_600)).await;
    let serving = Serving::start(path).await;
    let mut look = tokio::time::interval(Duration::from_millis(50));
    within(async {
        while show(path, "msg_old").await["payload_pruned"] != true {
            look.tick().await;
        }
    })
    .await;
    for (id, pruned) in [("msg_code", true), ("msg_owed", false), ("msg_behind", false)] {
        let event = show(path, id).await;
        assert_eq!(event["payload_pruned"], pruned, "{event:#}");
        assert_eq!(event["payload"].is_object(), !pruned, "{event:#}");
    }
    let text = run(path, &["events", "show", "msg_old"]).await.stdout;
    assert!(text.contains("the payload was pruned"), "{text}");
    let replay = run(path, &["replay", "msg_old", "--destination", "hook"]).await;
    assert_eq!(replay.code, 1, "{}", replay.stdout);
    assert!(replay.stderr.contains("was pruned"), "{}", replay.stderr);
    let rebuilt = run(path, &["--json", "rebuild", "mirror"]).await;
    let outcome: Value = serde_json::from_str(&rebuilt.stdout).unwrap();
    assert_eq!((&outcome["payloads_pruned"], &outcome["rows_removed"]), (&1.into(), &0.into()));
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    let warned = said.iter().find(|line| line.contains("pruning is blocked")).unwrap();
    assert!(warned.contains("destination=\"hook\"") && warned.contains("seq=3"), "{warned}");
}
