//! A mirror whose database cannot be opened when the program starts: everything else works meanwhile.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::support::{Serving, directory, mirror_at, run, within};

fn mirroring_into(directory: &Path, url: &str) {
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n[[destination]]\nname = \"mirror\"\n\
         type = \"database\"\nurl = \"{url}\"\n"
    );
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

async fn trigger(directory: &Path, serving: &Serving) {
    let ran =
        run(directory, &["trigger", "--sample", "user.created", "--url", &serving.url()]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// Waits until the first destination is in this state, and returns why.
pub(crate) async fn reason_of(directory: &Path, state: &str) -> String {
    let mut look = tokio::time::interval(Duration::from_millis(100));
    within(async {
        loop {
            look.tick().await;
            let ran = run(directory, &["destinations", "--json"]).await;
            let all: Value = serde_json::from_str(&ran.stdout).unwrap();
            if all[0]["state"] == state {
                break all[0]["reason"].as_str().unwrap_or_default().to_owned();
            }
        }
    })
    .await
}

#[tokio::test]
async fn events_are_taken_whatever_is_wrong_with_the_database() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("postgres://me@{}/app", silent.local_addr().unwrap());
    for (url, reason) in [
        ("postgres://me@127.0.0.1:1/app", "refused"),
        ("postgres://me@no-such-host.invalid/app", "lookup"),
        (&silent, ""),
        ("sqlite://damaged.db", "not a database"),
    ] {
        let directory = directory();
        let path = directory.path();
        std::fs::write(path.join("damaged.db"), "no database".repeat(1_000)).unwrap();
        mirroring_into(path, url);
        let serving = Serving::start(path).await;
        trigger(path, &serving).await;
        if !reason.is_empty() {
            let why = reason_of(path, "waiting").await;
            assert!(why.contains(reason), "{url}: {why}");
        }
        assert_eq!(serving.terminate().await.0, 0, "{url}");
    }
}

#[tokio::test]
async fn it_is_filled_once_its_database_can_be_opened() {
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("clerk.db"), "no database".repeat(1_000)).unwrap();
    mirroring_into(path, "sqlite://clerk.db");
    let serving = Serving::start(path).await;
    trigger(path, &serving).await;
    reason_of(path, "waiting").await;
    std::fs::remove_file(path.join("clerk.db")).unwrap();
    reason_of(path, "following").await;
    assert_eq!(mirror_at(path, 1).await.rows("users").await.unwrap().len(), 1);
    assert_eq!(serving.terminate().await.0, 0);
}
