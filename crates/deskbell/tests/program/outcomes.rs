//! Why an event did not reach the mirror, as `deskbell events show` says it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::support::{Serving, directory, mirror_at, run, trigger, within};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"

[[source]]
name = "clerk"
path = ["/api/webhooks"]
signing_secrets = ["env:CLERK_WEBHOOK_SIGNING_SECRET"]

[[source]]
name = "other"
path = ["/other"]
signing_secrets = ["env:CLERK_WEBHOOK_SIGNING_SECRET"]
instance_id = "ins_ours"

[[destination]]
name = "mirror"
type = "database"
url = "sqlite://clerk.db"
"#;

async fn shown(directory: &Path, message: &str) -> Value {
    let ran = run(directory, &["--json", "events", "show", message]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str::<Value>(&ran.stdout).unwrap()["destinations"][0].clone()
}

async fn mirror(directory: &Path) -> Value {
    let ran = run(directory, &["--json", "destinations"]).await;
    serde_json::from_str::<Value>(&ran.stdout).unwrap()[0].clone()
}

#[tokio::test]
async fn an_event_that_the_mirror_left_out_is_shown_with_the_reason() {
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("deskbell.toml"), CONFIG).unwrap();
    let serving = Serving::start(path).await;
    let url = serving.url();
    let other = url.replace("/api/webhooks", "/other");
    let user = "data.id=user_1";
    let old = ["data.id=user_2", "data.updated_at=1654012591000"];
    let new = ["data.id=user_2", "data.updated_at=1754012591000"];
    for (url, event_type, message, set) in [
        (&url, "user.deleted", "msg_gone", &[user][..]),
        (&url, "user.created", "msg_why", &[user]),
        (&url, "user.updated", "msg_new", &new),
        (&url, "user.created", "msg_old", &old),
        (&url, "session.created", "msg_session", &[]),
        (&url, "user.created", "msg_bad", &["data.id=5"]),
        (&other, "user.created", "msg_theirs", &["data.id=user_3"]),
    ] {
        trigger(path, url, event_type, message, set).await;
    }
    mirror_at(path, 7).await;
    for (message, outcome, reason) in [
        ("msg_gone", "applied", ""),
        ("msg_why", "tombstoned", "user user_1 was deleted by message msg_gone"),
        ("msg_new", "applied", ""),
        ("msg_old", "superseded", "the row has the version of message msg_new, which is later"),
        ("msg_session", "not_mirrored", "`entities` does not include session"),
        ("msg_bad", "dead_lettered", "expected a string `id` in `data`"),
    ] {
        let mirror = shown(path, message).await;
        assert_eq!((&mirror["name"], &mirror["outcome"]), (&"mirror".into(), &outcome.into()));
        assert_eq!(mirror["reason"].as_str().unwrap_or_default(), reason, "{message}");
    }
    let theirs = shown(path, "msg_theirs").await;
    assert_eq!(theirs["outcome"], "other_instance");
    assert!(theirs["reason"].as_str().unwrap().contains("ins_ours"), "{theirs}");
    let text = run(path, &["events", "show", "msg_why"]).await.stdout;
    assert!(text.contains("\nmirror       tombstoned at "), "{text}");
    assert!(text.contains(": user user_1 was deleted by message msg_gone\n"), "{text}");

    // What the consumer reports is read by another process.
    let mut look = tokio::time::interval(Duration::from_millis(50));
    within(async {
        while mirror(path).await["routed"] != 7 {
            look.tick().await;
        }
    })
    .await;
    let listed = mirror(path).await;
    assert_eq!((&listed["state"], &listed["lag_events"]), (&"following".into(), &0.into()));
    assert_eq!((&listed["lag_seconds"], &listed["waiting_rows"]), (&0.into(), &0.into()));
    assert_eq!(serving.terminate().await.0, 0);

    std::fs::remove_file(path.join("clerk.db")).unwrap();
    std::fs::create_dir(path.join("clerk.db")).unwrap();
    let away = shown(path, "msg_new").await;
    assert_eq!(away["outcome"], "pending");
    let reason = away["reason"].as_str().unwrap();
    assert!(reason.starts_with("the database is unavailable: "), "{reason}");
    assert!(reason.ends_with("before that it had come to event 7 of the log"), "{reason}");
}
