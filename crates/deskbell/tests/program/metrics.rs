//! What a running engine says in `GET /metrics`.

use std::path::Path;
use std::time::Duration;

use deskbell_sim::Message;
use serde_json::Value;

use super::support::{Serving, directory, forwarding_to, http_client, run, send, within};

const TOKEN: &str = "correct-horse-battery-staple";

/// Waits until this line is among the metrics.
async fn says(serving: &Serving, line: &str) {
    let http = http_client();
    let url = format!("http://{}/metrics", serving.address);
    until(async || {
        let reply = http.get(&url).bearer_auth(TOKEN).send().await.unwrap();
        reply.text().await.unwrap().lines().any(|one| one == line)
    })
    .await;
}

/// Waits until this is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(50));
    within(async {
        while !is_so().await {
            look.tick().await;
        }
    })
    .await;
}

async fn pending(directory: &Path) -> Value {
    let ran = run(directory, &["--json", "destinations"]).await;
    let destinations: Value = serde_json::from_str(&ran.stdout).unwrap();
    destinations[0]["pending"].clone()
}

/// A config whose one destination nobody listens at.
fn config(directory: &Path) {
    forwarding_to(directory, "http://127.0.0.1:9/", "");
    let file = directory.join("deskbell.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let config = config.replace("[server]", &format!("[server]\nadmin_token = \"{TOKEN}\""));
    std::fs::write(file, config).unwrap();
}

#[tokio::test]
async fn what_waits_for_a_destination_is_counted() {
    let directory = directory();
    let path = directory.path();
    config(path);
    let serving = Serving::start(path).await;
    for id in ["msg_1", "msg_2"] {
        let url = serving.url();
        let ran =
            run(path, &["trigger", "--sample", "user.created", "--url", &url, "--id", id]).await;
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }
    until(async || pending(path).await == 2).await;
    assert_eq!(serving.terminate().await.0, 0);
    // The first count is made at once.
    let serving = Serving::start(path).await;
    says(&serving, "deskbell_delivery_pending{destination=\"receiver\"} 2").await;
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn the_state_of_a_mirror_is_a_metric() {
    let directory = directory();
    let path = directory.path();
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\nadmin_token = \"{TOKEN}\"\n[[destination]]\n\
         name = \"app\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n"
    );
    std::fs::write(path.join("deskbell.toml"), config).unwrap();
    let serving = Serving::start(path).await;
    for line in [
        "deskbell_sync_state{destination=\"app\",state=\"following\"} 1",
        "deskbell_sync_state{destination=\"app\",state=\"waiting\"} 0",
        "deskbell_sync_lag_events{destination=\"app\"} 0",
        "deskbell_sync_waiting_rows{destination=\"app\"} 0",
    ] {
        says(&serving, line).await;
    }
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_message_that_comes_again_with_another_body_is_counted_and_lines_once() {
    let directory = directory();
    let path = directory.path();
    config(path);
    let serving = Serving::start(path).await;
    let (http, url) = (http_client(), serving.url());
    let message = |name: &str| Message {
        id: "msg_1".to_owned(),
        event_type: "user.created",
        body: format!(
            r#"{{"type":"user.created","data":{{"id":"user_1","first_name":"{name}"}}}}"#
        )
        .into(),
    };
    for name in ["Ada", "Ada", "Grace", "Mira", "Ada"] {
        assert_eq!(send(&http, &url, &message(name)).await, Some(200));
    }
    says(&serving, "deskbell_ingest_changed_duplicates_total{source=\"clerk\"} 2").await;
    let (code, said) = serving.terminate().await;
    assert_eq!(code, 0);
    let lines: Vec<_> = said.iter().filter(|line| line.contains("another body")).collect();
    let [lines] = &lines[..] else { panic!("{said:#?}") };
    assert!(lines.contains("msg_1") && !lines.contains("Grace"), "{lines}");
}
