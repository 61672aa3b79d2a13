//! Replaying all that a search finds, with a count before and progress while it runs.

use std::collections::BTreeMap;

use deskbell_sim::receiver::{Receiver, Reply};
use serde_json::json;

use super::client::{configured, start};
use crate::program::support::{ENDPOINT_SECRET, trigger, within};

#[tokio::test]
async fn all_that_a_search_finds_is_sent_again() {
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let directory = configured(&format!(
        "[[destination]]\nname = \"crm\"\ntype = \"http\"\nurl = \"{}\"\nsecret = \
         \"{ENDPOINT_SECRET}\"\nallow_hosts = [\"127.0.0.1\"]\n",
        receiver.url()
    ));
    let path = directory.path();
    let (serving, client) = start(path).await;
    let types = ["user.created", "user.updated", "user.created", "session.created"];
    for (number, event_type) in types.iter().enumerate() {
        trigger(path, &serving.url(), event_type, &format!("msg_{number}"), &[]).await;
    }
    within(receiver.wait_for(4)).await;
    client.until("/api/v1/destinations/crm", |one| one["pending"] == 0).await;
    let search = json!({ "types": ["user.created"] });
    let counted =
        client.post("/api/v1/replay", &json!({ "matching": search, "dry_run": true })).await;
    assert_eq!((&counted["deliveries"], &counted["done"]), (&json!(2), &json!(true)));
    let begun = client.post("/api/v1/replay", &json!({ "matching": search })).await;
    within(receiver.wait_for(6)).await;
    let mut received = BTreeMap::new();
    for one in receiver.received() {
        *received.entry(one.message_id).or_insert(0) += 1;
    }
    assert_eq!(received.into_values().collect::<Vec<_>>(), [2, 1, 2, 1]);
    let status = format!("/api/v1/replays/{}", begun["id"]);
    let done = client.until(&status, |replay| replay["done"] == true).await;
    assert_eq!((&done["deliveries"], &done["events"]), (&json!(2), &json!(2)));
}
