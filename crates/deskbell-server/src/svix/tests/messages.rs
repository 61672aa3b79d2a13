//! Messages: listed, read and made.

use std::sync::Arc;

use deskbell_store::TokenRole;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::client::{Client, pretty};
use super::desk::Desk;
use crate::svix::Answers;

const MESSAGES: &str = "/api/v1/app/clerk/msg";

/// Eight events: of `clerk` those with odd numbers.
fn received() -> Arc<Desk> {
    let desk = Desk::new();
    for number in 1..=8 {
        let source = if number % 2 == 1 { "clerk" } else { "other" };
        let event_type = if number < 5 { "user.created" } else { "user.updated" };
        let payload = json!({"type": event_type, "data": {"id": "user_1", "first_name": "Ada"}});
        desk.receive(source, &format!("msg_{number}"), event_type, &payload);
    }
    desk
}

fn ids(list: &Value) -> Vec<&str> {
    let messages = list["data"].as_array().unwrap();
    messages.iter().map(|message| message["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn messages_are_those_of_the_source_the_newest_first() {
    let client = Client::of(&received(), TokenRole::Reader);
    let list = client.get(&format!("{MESSAGES}?limit=2")).await.ok();
    assert_snapshot!("messages", pretty(&list));
    assert_eq!(ids(&list), ["msg_7", "msg_5"]);
    let iterator = list["iterator"].as_str().unwrap();
    let list = client.get(&format!("{MESSAGES}?limit=2&iterator={iterator}")).await.ok();
    assert_eq!((ids(&list), &list["done"]), (vec!["msg_3", "msg_1"], &json!(true)));
    assert_eq!(list["iterator"], Value::Null);
    let back = list["prevIterator"].as_str().unwrap();
    let list = client.get(&format!("{MESSAGES}?limit=1&iterator={back}")).await.ok();
    assert_eq!((ids(&list), &list["done"]), (vec!["msg_5"], &json!(false)));
    let back = list["prevIterator"].as_str().unwrap();
    let list = client.get(&format!("{MESSAGES}?limit=5&iterator={back}")).await.ok();
    assert_eq!((ids(&list), &list["done"]), (vec!["msg_7"], &json!(true)));
}

#[tokio::test]
async fn messages_are_filtered() {
    let client = Client::of(&received(), TokenRole::Reader);
    for (query, expected) in [
        ("event_types=user.created", vec!["msg_3", "msg_1"]),
        ("event_types=user.created,user.updated", vec!["msg_7", "msg_5", "msg_3", "msg_1"]),
        ("event_types=user.*&before=2026-11-21T08:00:04Z", vec!["msg_3", "msg_1"]),
        ("after=2026-11-21T08:00:05Z", vec!["msg_7"]),
        ("with_content=false&event_types=none", vec![]),
    ] {
        let list = client.get(&format!("{MESSAGES}?{query}")).await.ok();
        assert_eq!(ids(&list), expected, "{query}");
    }
    for (query, name) in [
        ("iterator=msg_5", "iterator"),
        ("iterator=after:x", "iterator"),
        ("iterator=before:-1", "iterator"),
        ("tag=a", "tag"),
        ("channel=a", "channel"),
        ("limt=1", "limt"),
        ("before=soon", "before"),
    ] {
        let refused = client.get(&format!("{MESSAGES}?{query}")).await;
        assert_eq!(refused.loc(), ["query", name], "{query}");
    }
}

#[tokio::test]
async fn payloads_are_for_those_who_may_see_them() {
    let desk = received();
    let payload_of = async |role, query: &str| {
        let client = Client::of(&desk, role);
        client.get(&format!("{MESSAGES}/msg_1{query}")).await.ok()["payload"].clone()
    };
    let whole = payload_of(TokenRole::Reader, "").await;
    assert_eq!(whole["data"], json!({"id": "user_1", "first_name": "Ada"}));
    let masked = payload_of(TokenRole::Viewer, "").await;
    assert_eq!(masked["data"], json!({"id": "user_1", "first_name": "•••"}));
    assert_eq!(payload_of(TokenRole::Viewer, "?with_content=false").await, json!({}));
    let viewer = Client::of(&desk, TokenRole::Viewer);
    let list = viewer.get(MESSAGES).await.ok();
    assert!(!list.to_string().contains("Ada"), "{list}");
    assert_eq!(list["data"][0]["payload"]["type"], "user.updated");
    {
        let mut desk = desk.lock();
        desk.events[0].summary.payload_bytes = 0;
        desk.events[0].payload = "".into();
    }
    assert_eq!(payload_of(TokenRole::Reader, "").await, json!({"expired": true}));
    let of_another = Client::of(&desk, TokenRole::Admin).get(&format!("{MESSAGES}/msg_2")).await;
    assert_eq!(of_another.status, 404);
}

#[tokio::test]
async fn a_list_has_payloads_up_to_a_size() {
    let desk = Desk::new();
    for number in 1..=3 {
        let payload = json!({"text": "a".repeat(3 << 20)});
        desk.receive("clerk", &format!("msg_{number}"), "user.created", &payload);
    }
    let client = Client::of(&desk, TokenRole::Reader);
    let omitted = json!({"omitted": true});
    let list = client.get(MESSAGES).await.ok();
    let is_omitted = |at: usize| list["data"][at]["payload"] == omitted;
    assert_eq!([is_omitted(0), is_omitted(1), is_omitted(2)], [false, false, true]);
    let backwards = client.get(&format!("{MESSAGES}?iterator=before:1")).await.ok();
    assert_eq!(backwards["data"].as_array().unwrap().len(), 2);
    let whole = client.get(&format!("{MESSAGES}/msg_1")).await.ok();
    assert_ne!(whole["payload"], omitted);
}

#[tokio::test]
async fn an_event_id_is_the_id_of_a_message_and_is_used_once() {
    let client = Client::of(&Desk::new(), TokenRole::Admin);
    let body = json!({"eventId": "order-1", "eventType": "order.paid", "payload": {"total": 1}});
    let made = client.post(MESSAGES, body.clone()).await;
    assert_eq!(made.status, 202);
    assert_snapshot!("message", pretty(&made.json));
    let again = client.post(MESSAGES, body.clone()).await;
    assert_eq!((again.status.as_u16(), again.code()), (409, "conflict"));
    let other = client.post("/api/v1/app/other/msg?with_content=false", body).await.ok();
    assert_eq!((&other["id"], &other["payload"]), (&json!("order-1"), &json!({})));
    let refused = client.post(MESSAGES, json!({"eventType": "a", "payload": [1]})).await;
    assert_eq!(refused.loc(), ["body", "payload"]);
}

#[tokio::test]
async fn a_request_that_is_sent_again_makes_one_message() {
    let desk = Desk::new();
    let body = json!({"eventId": "order-1", "eventType": "order.paid", "payload": {"total": 1}});
    let client = Client::of(&desk, TokenRole::Admin);
    let send = async |body: &Value| {
        client.send("POST", MESSAGES, Some(body.clone()), Some("auto_1")).await
    };
    let first = send(&body).await.ok();
    assert_eq!(send(&body).await.ok(), first, "it is answered as before");
    let mut other = body;
    other["payload"] = json!({"total": 2});
    assert_eq!(send(&other).await.loc(), ["header", "idempotency-key"]);
    assert_eq!(desk.lock().events.len(), 1);
}

#[tokio::test]
async fn after_a_restart_a_key_makes_the_same_message() {
    let desk = Desk::new();
    let send = async |payload: Value| {
        let body = json!({"eventType": "order.paid", "payload": payload});
        let client = Client::of(&desk, TokenRole::Admin);
        client.send("POST", MESSAGES, Some(body), Some("auto_1")).await
    };
    let first = send(json!({"total": 1})).await.ok();
    assert_eq!(send(json!({"total": 1})).await.ok(), first);
    assert_eq!(send(json!({"total": 2})).await.status, 409);
    assert_eq!(desk.lock().events.len(), 1);
}

#[tokio::test]
async fn answers_outlive_the_routes() {
    let (desk, answers) = (Desk::new(), Answers::default());
    let send = async || {
        let client = Client::with_answers(&desk, TokenRole::Admin, answers.clone());
        let body = json!({"url": "https://example.com/hooks"});
        client.send("POST", "/api/v1/app/clerk/endpoint", Some(body), Some("auto_1")).await.ok()
    };
    assert_eq!(send().await, send().await);
    assert_eq!(desk.lock().endpoints_made, 1);
}

#[tokio::test]
async fn a_request_that_failed_is_answered_anew() {
    let desk = Desk::new();
    let client = Client::of(&desk, TokenRole::Admin);
    let body = json!({"eventType": "order.paid", "payload": {}});
    desk.lock().is_away = true;
    let send = async || client.send("POST", MESSAGES, Some(body.clone()), Some("auto_1")).await;
    assert_eq!(send().await.status, 503);
    desk.lock().is_away = false;
    assert_eq!(send().await.status, 202);
}

#[tokio::test]
async fn a_precheck_asks_the_filters_of_enabled_endpoints() {
    let desk = Desk::new();
    let client = Client::of(&desk, TokenRole::Viewer);
    let precheck = async |event_type: &str| {
        let body = json!({"eventType": event_type});
        client.post(&format!("{MESSAGES}/precheck/active"), body).await.ok()["active"].clone()
    };
    assert_eq!(precheck("user.created").await, true);
    assert_eq!(precheck("session.created").await, false);
    desk.lock().endpoints.get_mut("crm").unwrap().endpoint.settings.events = None;
    assert_eq!(precheck("session.created").await, true);
    assert_eq!(precheck("email.created").await, false, "one-time codes must be named");
    desk.lock().endpoints.get_mut("crm").unwrap().endpoint.settings.disabled = true;
    assert_eq!(precheck("user.created").await, false);
}
