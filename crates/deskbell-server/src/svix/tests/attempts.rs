//! Attempts, and what became of messages at endpoints.

use std::sync::Arc;

use deskbell_store::TokenRole;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::client::{Client, pretty};
use super::desk::Desk;

/// Three messages: delivered at the second attempt, failed permanently, and pending.
fn attempted() -> Arc<Desk> {
    let desk = Desk::new();
    for id in ["msg_1", "msg_2", "msg_3", "msg_4"] {
        desk.receive("clerk", id, "user.created", &json!({"data": {"first_name": "Ada"}}));
    }
    desk.attempt(1, "crm", 500, "pending");
    desk.attempt(2, "crm", 404, "dead_lettered");
    desk.attempt(1, "crm", 200, "delivered");
    desk.attempt(1, "slack-ops", 200, "delivered");
    desk.attempt(3, "crm", 0, "pending");
    desk.lock().deliveries.insert((4, "crm".into()), "pending");
    desk
}

fn texts<'a>(list: &'a Value, member: &str) -> Vec<&'a str> {
    let items = list["data"].as_array().unwrap();
    items.iter().map(|item| item[member].as_str().unwrap()).collect()
}

const BY_ENDPOINT: &str = "/api/v1/app/clerk/attempt/endpoint/crm";

#[tokio::test]
async fn attempts_at_an_endpoint_are_listed() {
    let client = Client::of(&attempted(), TokenRole::Reader);
    // As the 2.x clients send it.
    let query = "with_content=false&expanded_statuses=true&with_msg=true&limit=1";
    let list = client.get(&format!("{BY_ENDPOINT}?{query}")).await.ok();
    assert_snapshot!("attempts", pretty(&list));
    let mut ids = texts(&list, "id").into_iter().map(str::to_owned).collect::<Vec<_>>();
    let mut iterator = list["iterator"].as_str().unwrap().to_owned();
    loop {
        let list = client.get(&format!("{BY_ENDPOINT}?limit=2&iterator={iterator}")).await.ok();
        ids.extend(texts(&list, "id").into_iter().map(str::to_owned));
        match list["iterator"].as_str() {
            Some(next) => iterator = next.to_owned(),
            None => break assert_eq!(list["done"], true),
        }
    }
    assert_eq!(ids, ["atmpt_3_1_crm", "atmpt_1_2_crm", "atmpt_2_1_crm", "atmpt_1_1_crm"]);
}

#[tokio::test]
async fn attempts_are_filtered() {
    let client = Client::of(&attempted(), TokenRole::Viewer);
    for (query, expected) in [
        ("status=0", vec!["msg_1"]),
        ("status=2", vec!["msg_3", "msg_2", "msg_1"]),
        ("status=1", vec![]),
        ("status=4", vec![]),
        ("status_code_class=400", vec!["msg_2"]),
        ("after=2026-11-21T08:01:02Z", vec!["msg_3"]),
        ("event_types=none", vec![]),
    ] {
        let list = client.get(&format!("{BY_ENDPOINT}?{query}")).await.ok();
        assert_eq!(texts(&list, "msgId"), expected, "{query}");
        assert_eq!(list["done"], true, "{query}");
    }
    for (query, name) in [
        ("status=5", "status"),
        ("status_code_class=250", "status_code_class"),
        ("iterator=after:x", "iterator"),
        ("iterator=before:1", "iterator"),
        ("channel=a", "channel"),
    ] {
        let refused = client.get(&format!("{BY_ENDPOINT}?{query}")).await;
        assert_eq!(refused.loc(), ["query", name], "{query}");
    }
}

#[tokio::test]
async fn attempts_at_a_message_are_those_at_endpoints() {
    let client = Client::of(&attempted(), TokenRole::Reader);
    let path = "/api/v1/app/clerk/attempt/msg/msg_1";
    let list = client.get(path).await.ok();
    assert_eq!(texts(&list, "id"), ["atmpt_1_2_crm", "atmpt_1_1_crm"]);
    let list = client.get(&format!("{path}?endpoint_id=crm&status=2")).await.ok();
    assert_eq!(texts(&list, "id"), ["atmpt_1_1_crm"]);
    assert_eq!(client.get(&format!("{path}?endpoint_id=none")).await.status, 404);
    assert_eq!(client.get("/api/v1/app/clerk/attempt/msg/none").await.status, 404);
}

#[tokio::test]
async fn an_attempt_shows_the_reply_to_those_who_may_see_it() {
    let desk = attempted();
    let path = "/api/v1/app/clerk/msg/msg_1/attempt/atmpt_1_2_crm?expanded_statuses=true";
    let reader = Client::of(&desk, TokenRole::Reader);
    assert_snapshot!("attempt", pretty(&reader.get(path).await.ok()));
    let viewer = Client::of(&desk, TokenRole::Viewer);
    assert_eq!(viewer.get(path).await.ok()["response"], "");
    let refused = reader.get("/api/v1/app/clerk/msg/msg_3/attempt/atmpt_3_1_crm").await.ok();
    let expected = (&json!("the connection was refused"), &json!(0));
    assert_eq!((&refused["response"], &refused["responseStatusCode"]), expected);
    for path in [
        "/api/v1/app/clerk/msg/msg_2/attempt/atmpt_1_2_crm",
        "/api/v1/app/other/msg/msg_1/attempt/atmpt_1_2_crm",
        "/api/v1/app/clerk/msg/msg_1/attempt/none",
        "/api/v1/app/clerk/msg/msg_1/attempt/atmpt_1_1_slack-ops",
    ] {
        assert_eq!(reader.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn messages_attempted_at_an_endpoint_have_what_became_of_them() {
    let client = Client::of(&attempted(), TokenRole::Reader);
    let path = "/api/v1/app/clerk/endpoint/crm/msg";
    let list = client.get(path).await.ok();
    assert_eq!(texts(&list, "id"), ["msg_3", "msg_1", "msg_2"]);
    assert_eq!(texts(&list, "statusText"), ["pending", "success", "fail"]);
    assert_snapshot!("attempted_message", pretty(&list["data"][2]));
    for (status, expected) in [(0, "msg_1"), (1, "msg_3"), (2, "msg_2")] {
        let list = client.get(&format!("{path}?with_content=false&status={status}")).await.ok();
        assert_eq!(texts(&list, "id"), [expected]);
        assert_eq!(list["data"][0]["payload"], json!({}));
    }
    let (mut seen, mut page) = (Vec::new(), client.get(&format!("{path}?limit=1")).await.ok());
    loop {
        seen.extend(texts(&page, "id").into_iter().map(str::to_owned));
        let Some(iterator) = page["iterator"].as_str() else { break };
        page = client.get(&format!("{path}?limit=1&iterator={iterator}")).await.ok();
    }
    assert_eq!(seen, ["msg_3", "msg_1", "msg_2"], "each once, also on several pages");
}

#[tokio::test]
async fn endpoints_of_a_message_have_what_became_of_it() {
    let client = Client::of(&attempted(), TokenRole::Viewer);
    let of =
        async |id: &str| client.get(&format!("/api/v1/app/clerk/msg/{id}/endpoint")).await.ok();
    assert_snapshot!("attempted_endpoints", pretty(&of("msg_3").await));
    for (id, expected) in [("msg_1", 0), ("msg_2", 2), ("msg_3", 1), ("msg_4", 3)] {
        let list = of(id).await;
        assert_eq!(list["data"][0]["status"], expected, "{id}");
        assert_eq!(list["data"].as_array().unwrap().len(), 1, "{list}");
    }
}
