//! Pausing: what is for a paused destination is kept.

use std::time::Duration;

use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::{Value, json};

use super::client::{configured, start};
use crate::program::retention::age;
use crate::program::support::{ENDPOINT_SECRET, mirror_at, trigger, within};

#[tokio::test]
async fn what_is_for_a_paused_destination_comes_when_it_is_resumed() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let directory = configured(&format!(
        "[[destination]]\nname = \"mirror\"\ntype = \"database\"\nurl = \"sqlite://clerk.db\"\n\n\
         [[destination]]\nname = \"crm\"\ntype = \"http\"\nurl = \"{}\"\nsecret = \
         \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n",
        receiver.url()
    ));
    let path = directory.path();
    let (serving, client) = start(path).await;
    for name in ["crm", "mirror"] {
        client.post(&format!("/api/v1/destinations/{name}/pause"), &json!({})).await;
    }
    let is_paused = |one: &Value| one["state"] == "paused";
    client.until("/api/v1/destinations/mirror", is_paused).await;
    client.until("/api/v1/destinations/crm", is_paused).await;
    // A worker looks once a second whether it is paused: what comes after that is kept.
    let mut look = tokio::time::interval(Duration::from_millis(400));
    let (mut sent, mut kept) = (0, 0);
    while kept < 2 {
        sent += 1;
        trigger(path, &serving.url(), "user.created", &format!("msg_{sent}"), &[]).await;
        look.tick().await;
        let pending = client.get("/api/v1/destinations/crm").await["pending"].as_i64().unwrap();
        kept = if pending > kept { pending } else { 0 };
    }
    let before = receiver.count();
    assert!(before < sent, "{before} of {sent}");
    assert_eq!(client.get("/api/v1/alerts").await, json!([]), "whoever paused it knows");
    for name in ["crm", "mirror"] {
        client.post(&format!("/api/v1/destinations/{name}/resume"), &json!({})).await;
    }
    within(receiver.wait_for(sent)).await;
    mirror_at(path, sent.try_into().unwrap()).await;
}

#[tokio::test]
async fn nothing_is_pruned_that_a_paused_mirror_still_needs() {
    let directory = configured("[store]\nretention = { payloads = \"10d\" }\n");
    let path = directory.path();
    let (serving, client) = start(path).await;
    client.post("/api/v1/destinations/mirror/pause", &json!({})).await;
    client.until("/api/v1/destinations/mirror", |one| one["state"] == "paused").await;
    trigger(path, &serving.url(), "user.created", "msg_1", &[]).await;
    assert_eq!(serving.terminate().await.0, 0);
    age(path, Duration::from_secs(11 * 24 * 3_600)).await;
    let (mut serving, client) = start(path).await;
    serving.until_said("pruning is blocked: an old event has not reached the mirror").await;
    client.post("/api/v1/destinations/mirror/resume", &json!({})).await;
    assert_eq!(mirror_at(path, 1).await.rows("users").await.unwrap().len(), 1);
}
