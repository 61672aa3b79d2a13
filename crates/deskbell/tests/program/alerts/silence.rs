//! Sources from which nothing comes.

use serde_json::Value;

use super::{Hook, trigger};
use crate::program::support::{Serving, directory, http_client};

const TOKEN: &str = "correct-horse-battery-staple";

/// Alerts after seconds of silence.
async fn configured() -> (Hook, tempfile::TempDir) {
    let (hook, directory) = (Hook::start().await, directory());
    hook.configure(directory.path(), "silence_after = \"3s\"\n", "");
    let file = directory.path().join("deskbell.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let config = config.replace("[server]", &format!("[server]\nadmin_token = \"{TOKEN}\""));
    std::fs::write(file, config).unwrap();
    (hook, directory)
}

async fn get(serving: &Serving, path: &str) -> (u16, String) {
    let url = format!("http://{}{path}", serving.address);
    let reply = http_client().get(&url).bearer_auth(TOKEN).send().await.unwrap();
    (reply.status().as_u16(), reply.text().await.unwrap())
}

fn of<'a>(alert: &'a Value, name: &str) -> &'a str {
    alert["data"][name].as_str().unwrap()
}

#[tokio::test]
async fn a_source_that_is_silent_is_alerted_about_until_an_event_arrives() {
    let (hook, directory) = configured().await;
    let serving = Serving::start(directory.path()).await;
    let first = hook.alerts(1).await.remove(0);
    assert_eq!((of(&first, "kind"), of(&first, "state")), ("source.silent", "firing"));
    assert_eq!((of(&first, "source"), &first["data"]["destination"]), ("clerk", &Value::Null));
    assert!(of(&first, "subject").starts_with("clerk: no events for "), "{first}");
    for wanted in ["received no event yet", "dashboard", "disabled", "URL", "firewall", "Replay"] {
        assert!(of(&first, "text").contains(wanted), "{wanted}: {first}");
    }
    assert!(first["data"]["counts"]["silence_seconds"].as_u64().unwrap() >= 3, "{first}");

    let (status, body) = get(&serving, "/readyz?strict").await;
    assert_eq!(status, 503, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["reason"], "silence");
    assert_eq!(body["sources"][0]["source"], "clerk");
    assert_eq!(body["sources"][0]["since"], first["data"]["since"]);
    assert_eq!(get(&serving, "/readyz").await.0, 200, "it can take events");
    let (_, metrics) = get(&serving, "/metrics").await;
    assert!(metrics.contains("deskbell_source_silent{source=\"clerk\"} 1"), "{metrics}");

    trigger(directory.path(), &serving).await;
    let second = hook.alerts(2).await.remove(1);
    assert_eq!((of(&second, "kind"), of(&second, "state")), ("source.silent", "resolved"));
    assert_eq!(of(&second, "condition"), of(&first, "condition"));
    assert_eq!(of(&second, "subject"), "clerk: events arrive again");

    // Silent again: since that event.
    let third = hook.alerts(3).await.remove(2);
    assert_eq!((of(&third, "kind"), of(&third, "state")), ("source.silent", "firing"));
    assert!(of(&third, "text").contains("has received no event since"), "{third}");
    assert_ne!(of(&third, "condition"), of(&first, "condition"));
    assert_eq!(serving.terminate().await.0, 0);
    assert_eq!(hook.ids().len(), 3, "each is sent once, and alerts are no events of the source");
}

#[tokio::test]
async fn an_alarm_is_not_repeated_after_a_restart() {
    let (hook, directory) = configured().await;
    let serving = Serving::start(directory.path()).await;
    trigger(directory.path(), &serving).await;
    let first = hook.alerts(1).await.remove(0);
    assert_eq!(of(&first, "state"), "firing");
    assert_eq!(serving.terminate().await.0, 0);
    let serving = Serving::start(directory.path()).await;
    trigger_again(directory.path(), &serving).await;
    let second = hook.alerts(2).await.remove(1);
    assert_eq!(of(&second, "state"), "resolved");
    assert_eq!(of(&second, "condition"), of(&first, "condition"));
    assert_eq!(serving.terminate().await.0, 0);
}

/// Another event than the first.
async fn trigger_again(directory: &std::path::Path, serving: &Serving) {
    let url = serving.url();
    let arguments = ["trigger", "--sample", "user.updated", "--url", &url, "--id", "msg_again"];
    let ran = crate::program::support::run(directory, &arguments).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}
