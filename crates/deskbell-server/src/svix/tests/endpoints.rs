//! Endpoints: made, changed and deleted, with their headers and secrets.

use std::sync::Arc;

use deskbell_store::TokenRole;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::client::{Client, Reply, pretty};
use super::desk::Desk;

const ENDPOINTS: &str = "/api/v1/app/clerk/endpoint";

fn new() -> (Arc<Desk>, Client) {
    let desk = Desk::new();
    let client = Client::of(&desk, TokenRole::Admin);
    (desk, client)
}

async fn put(client: &Client, path: &str, body: Value) -> Reply {
    client.send("PUT", &format!("{ENDPOINTS}/{path}"), Some(body), None).await
}

async fn patch(client: &Client, path: &str, body: Value) -> Reply {
    client.send("PATCH", &format!("{ENDPOINTS}/{path}"), Some(body), None).await
}

#[tokio::test]
async fn an_endpoint_is_what_both_generations_of_clients_read() {
    let (_, client) = new();
    // As the 1.x clients send it.
    let body = json!({
        "url": "https://example.com/hooks", "description": "Hooks", "uid": "hooks",
        "filterTypes": ["user.created"], "rateLimit": 10, "metadata": {"team": "a"},
    });
    let made = client.post(ENDPOINTS, body).await;
    assert_eq!(made.status, 201);
    assert_snapshot!("endpoint", pretty(&made.json));
    let got = client.get(&format!("{ENDPOINTS}/hooks")).await.ok();
    assert_eq!(got, made.json, "it is found by its uid too");
    // As the 2.x clients send it.
    let body = json!({"eventTypes": ["user.deleted"], "throttleRate": 20});
    let patched = patch(&client, "ep_1", body).await.ok();
    for (new, old, expected) in [
        ("eventTypes", "filterTypes", json!(["user.deleted"])),
        ("throttleRate", "rateLimit", json!(20)),
    ] {
        assert_eq!((&patched[new], &patched[old]), (&expected, &expected));
    }
    assert_eq!(patched["description"], "Hooks");
    let list = client.get(&format!("{ENDPOINTS}?limit=1&order=ascending")).await.ok();
    assert_snapshot!("endpoints", pretty(&list));
}

#[tokio::test]
async fn put_replaces_an_endpoint_or_makes_one_of_this_uid() {
    let (_, client) = new();
    let made = put(&client, "mine", json!({"url": "https://example.com/a"})).await;
    assert_eq!((made.status.as_u16(), &made.json["uid"]), (201, &json!("mine")));
    let body = json!({"url": "https://example.com/b", "disabled": true});
    let replaced = put(&client, "mine", body).await;
    assert_eq!((replaced.status.as_u16(), &replaced.json["id"]), (200, &made.json["id"]));
    assert_eq!(replaced.json["url"], "https://example.com/b");
    assert_eq!(replaced.json["uid"], "mine");
    assert_eq!(put(&client, "mine", json!({})).await.loc(), ["body", "url"]);
    let unfit = put(&client, "not%20an%20uid", json!({"url": "https://example.com"})).await;
    assert_eq!(unfit.loc(), ["body", "uid"]);
}

#[tokio::test]
async fn an_endpoint_is_deleted() {
    let (_, client) = new();
    client.post(ENDPOINTS, json!({"url": "https://example.com"})).await.ok();
    let path = format!("{ENDPOINTS}/ep_1");
    assert_eq!(client.send("DELETE", &path, None, None).await.status, 204);
    assert_eq!(client.get(&path).await.code(), "not_found");
    assert_eq!(client.send("DELETE", &path, None, None).await.status, 404);
}

#[tokio::test]
async fn errors_have_the_shapes_that_clients_read() {
    let (desk, client) = new();
    let refused = client.post(ENDPOINTS, json!({"url": "ftp://example.com"})).await;
    assert_snapshot!("validation_error", pretty(&refused.json));
    let refused = client.post(ENDPOINTS, json!({"url": "https://a.example", "chanels": []})).await;
    assert_eq!(refused.loc(), ["body", "chanels"]);
    let refused = patch(&client, "crm", json!({"disabled": true})).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (403, "read_only"));
    let body = json!({"url": "https://a.example", "uid": "a"});
    client.post(ENDPOINTS, body.clone()).await.ok();
    let refused = client.post(ENDPOINTS, body).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "conflict"));
    desk.lock().is_away = true;
    let refused = client.get(ENDPOINTS).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (503, "unavailable"));
    assert!(refused.headers.contains_key("retry-after"));
    assert!(!refused.json.to_string().contains("connection"), "the reason is for the log");
}

#[tokio::test]
async fn secret_headers_are_named_and_not_shown() {
    let (desk, client) = new();
    let body = json!({
        "url": "https://example.com",
        "headers": {"X-Tenant": "a", "Authorization": "Bearer 1"},
    });
    let made = client.post(ENDPOINTS, body).await.ok();
    assert_eq!(made["disabled"], false);
    let path = format!("{ENDPOINTS}/ep_1/headers");
    let shown = client.get(&path).await.ok();
    assert_eq!(shown, json!({"headers": {"x-tenant": "a"}, "sensitive": ["authorization"]}));
    let changes = json!({"headers": {"x-tenant": "b", "x-new": "c"}, "deleteHeaders": ["X-Old"]});
    assert_eq!(patch(&client, "ep_1/headers", changes).await.status, 204);
    let shown = client.get(&path).await.ok();
    assert_eq!(shown["headers"], json!({"x-new": "c", "x-tenant": "b"}));
    assert_eq!(desk.lock().endpoints["ep_1"].headers["authorization"].0, "Bearer 1");
    // As the 1.x clients remove one.
    assert_eq!(
        patch(&client, "ep_1/headers", json!({"headers": {"x-new": null}})).await.status,
        204
    );
    assert_eq!(put(&client, "ep_1/headers", json!({"headers": {"a": "b"}})).await.status, 204);
    let shown = client.get(&path).await.ok();
    assert_eq!(shown, json!({"headers": {"a": "b"}, "sensitive": []}));
    let refused = put(&client, "ep_1/headers", json!({"headers": {"a b": "c"}})).await;
    assert_eq!(refused.loc(), ["body", "headers", "a b"]);
}

#[tokio::test]
async fn the_value_of_a_header_is_bounded() {
    let (_, client) = new();
    client.post(ENDPOINTS, json!({"url": "https://example.com"})).await.ok();
    let long = json!({"headers": {"x-0": "a".repeat(5_000)}});
    for refused in [
        patch(&client, "ep_1/headers", long.clone()).await,
        put(&client, "ep_1/headers", long).await,
    ] {
        assert_eq!(refused.loc(), ["body", "headers", "x-0"]);
    }
}

#[tokio::test]
async fn an_id_is_never_a_uid() {
    let (_, client) = new();
    client.post(ENDPOINTS, json!({"url": "https://example.com"})).await.ok();
    let body = json!({"url": "https://example.com/b", "uid": "ep_1"});
    assert_eq!(client.post(ENDPOINTS, body).await.loc(), ["body", "uid"]);
    let unknown = put(&client, "ep_2", json!({"url": "https://example.com/b"})).await;
    assert_eq!(unknown.loc(), ["body", "uid"]);
}

#[tokio::test]
async fn an_endpoint_without_its_headers_is_not_left_behind() {
    let (desk, client) = new();
    let body = json!({"url": "https://example.com", "headers": {"host": "a"}});
    assert_eq!(client.post(ENDPOINTS, body).await.loc(), ["body", "headers"]);
    assert_eq!(desk.lock().endpoints.len(), 1);
}

#[tokio::test]
async fn a_secret_is_shown_and_rotated() {
    let (_, client) = new();
    let body = json!({"url": "https://example.com", "secret": "whsec_mine"});
    client.post(ENDPOINTS, body).await.ok();
    let path = format!("{ENDPOINTS}/ep_1/secret");
    assert_eq!(client.get(&path).await.ok(), json!({"key": "whsec_mine"}));
    for (body, expected) in [
        (json!({"key": "whsec_other"}), "whsec_other"),
        (json!({"key": null, "gracePeriodSeconds": 86400}), "whsec_rotated"),
    ] {
        let rotated = client.post(&format!("{path}/rotate"), body).await;
        assert_eq!(rotated.ok(), json!({ "key": expected }));
        assert_eq!(client.get(&path).await.ok(), json!({ "key": expected }));
    }
    let refused = client.post(&format!("{path}/rotate"), json!({"gracePeriodSeconds": 60})).await;
    assert_eq!(refused.loc(), ["body", "gracePeriodSeconds"]);
}

#[tokio::test]
async fn stats_count_attempts_in_a_time() {
    let (desk, client) = new();
    let seq = desk.receive("clerk", "msg_1", "user.created", &json!({}));
    desk.attempt(seq, "crm", 500, "pending");
    desk.attempt(seq, "crm", 200, "delivered");
    let path =
        format!("{ENDPOINTS}/crm/stats?since=2026-11-01T00:00:00Z&until=2026-12-01T00:00:00Z");
    let stats = client.get(&path).await.ok();
    let expected = json!({"success": 1, "pending": 0, "sending": 0, "fail": 1, "canceled": 0});
    assert_eq!(stats, expected);
    let attempts = client.get(&path.replace("stats", "attempt-stats")).await.ok();
    assert_eq!(attempts, json!({"success": 1, "fail": 1, "canceled": 0}));
    let backwards =
        format!("{ENDPOINTS}/crm/stats?since=2026-12-01T00:00:00Z&until=2026-11-01T00:00:00Z");
    assert_eq!(client.get(&backwards).await.loc(), ["query", "since"]);
}

#[tokio::test]
async fn what_is_secret_in_a_url_is_for_admins_alone() {
    let (desk, client) = new();
    let url = "https://user:hunter2@example.com/hooks?key=sesame";
    client.post(ENDPOINTS, json!({"url": url, "uid": "hooks"})).await.ok();
    assert_eq!(client.get(&format!("{ENDPOINTS}/hooks")).await.ok()["url"], url);
    for role in [TokenRole::Viewer, TokenRole::Reader] {
        let client = Client::of(&desk, role);
        let got = client.get(&format!("{ENDPOINTS}/hooks")).await.ok();
        let list = client.get(ENDPOINTS).await.ok();
        for shown in [got.to_string(), list.to_string()] {
            assert!(shown.contains("https://user:***@example.com/hooks"), "{shown}");
            assert!(!shown.contains("hunter2") && !shown.contains("sesame"), "{shown}");
        }
    }
}
