//! Messages that are sent again, and samples.

use std::sync::Arc;

use deskbell_admin::{DeliveryStateFilter, EventQuery, ReplayRequest, Timestamp};
use deskbell_store::TokenRole;
use insta::assert_snapshot;
use serde_json::{Value, json};

use super::client::{Client, Reply, pretty};
use super::desk::{Desk, START_MS};

const SINCE: &str = "2026-11-21T08:00:00Z";
const CRM: &str = "/api/v1/app/clerk/endpoint/crm";

/// What the replay is of that this request begins.
async fn begun(desk: &Arc<Desk>, path: &str, body: Value) -> ReplayRequest {
    let reply = Client::of(desk, TokenRole::Admin).post(&format!("{CRM}/{path}"), body).await;
    assert_eq!(reply.status, 202, "{reply:?}");
    desk.lock().replays.last().unwrap().clone()
}

async fn refused(path: &str, body: Value) -> Reply {
    Client::of(&Desk::new(), TokenRole::Admin).post(&format!("{CRM}/{path}"), body).await
}

fn messages(destination: Option<&str>) -> EventQuery {
    EventQuery {
        source: Some("clerk".into()),
        since: Some(Timestamp(START_MS)),
        destination: destination.map(Into::into),
        ..EventQuery::default()
    }
}

fn matching(messages: EventQuery) -> ReplayRequest {
    ReplayRequest {
        matching: Some(messages),
        destination: Some("crm".into()),
        ..ReplayRequest::default()
    }
}

#[tokio::test]
async fn what_failed_is_recovered() {
    let desk = Desk::new();
    let failed =
        EventQuery { state: Some(DeliveryStateFilter::DeadLettered), ..messages(Some("crm")) };
    let replay = begun(&desk, "recover", json!({"since": SINCE, "until": null})).await;
    assert_eq!(replay, matching(failed.clone()));
    let until = Some(Timestamp(START_MS + 1_000));
    let body = json!({"since": SINCE, "until": "2026-11-21T08:00:01Z"});
    let replay = begun(&desk, "recover", body).await;
    assert_eq!(replay, matching(EventQuery { until, ..failed }));
    assert_eq!(refused("recover", json!({})).await.status, 422);
}

#[tokio::test]
async fn what_is_missing_is_sent() {
    let desk = Desk::new();
    let expected = ReplayRequest {
        missing_since: Some(Timestamp(START_MS)),
        destination: Some("crm".into()),
        ..ReplayRequest::default()
    };
    assert_eq!(begun(&desk, "replay-missing", json!({"since": SINCE})).await, expected);
    let future = json!({"since": SINCE, "until": "2999-01-01T00:00:00Z"});
    assert_eq!(begun(&desk, "replay-missing", future).await, expected);
    let past = json!({"since": SINCE, "until": "2020-01-01T00:00:00Z"});
    assert_eq!(refused("replay-missing", past).await.loc(), ["body", "until"]);
}

#[tokio::test]
async fn everything_is_sent_again() {
    let desk = Desk::new();
    let replay = begun(&desk, "bulk-replay", json!({"since": SINCE})).await;
    assert_eq!(replay, matching(messages(None)));
    let body = json!({"since": SINCE, "status": 2, "eventTypes": ["user.*"], "tag": null});
    let replay = begun(&desk, "bulk-replay", body).await;
    let failed = EventQuery {
        state: Some(DeliveryStateFilter::DeadLettered),
        types: vec!["user.*".into()],
        ..messages(Some("crm"))
    };
    assert_eq!(replay, matching(failed));
    for (member, value) in [
        ("status", json!(0)),
        ("channel", json!("a")),
        ("tag", json!("a")),
        ("statusCodeClass", json!(400)),
    ] {
        let body = json!({"since": SINCE, member: value});
        assert_eq!(refused("bulk-replay", body).await.loc(), ["body", member]);
    }
}

#[tokio::test]
async fn a_replay_is_a_background_task() {
    let desk = Desk::new();
    let client = Client::of(&desk, TokenRole::Admin);
    let mut begun = client.post(&format!("{CRM}/recover"), json!({"since": SINCE})).await.ok();
    let id = begun["id"].as_str().unwrap().to_owned();
    let done = client.get(&format!("/api/v1/background-task/{id}")).await.ok();
    assert_eq!((&begun["status"], &done["status"]), (&json!("running"), &json!("finished")));
    assert_eq!((&done["id"], &done["task"]), (&json!(id), &json!("endpoint.recover")));
    begun["updatedAt"] = "(now)".into();
    assert_snapshot!("replay", pretty(&begun));
    let missing = client.get("/api/v1/background-task/qtask_recover_9").await;
    assert_eq!((missing.status.as_u16(), missing.code()), (404, "not_found"));
}

#[tokio::test]
async fn one_message_is_sent_again() {
    let desk = Desk::new();
    desk.receive("clerk", "msg_1", "user.created", &json!({}));
    let client = Client::of(&desk, TokenRole::Admin);
    let path = "/api/v1/app/clerk/msg/msg_1/endpoint/crm/resend";
    let resent = client.send("POST", path, None, Some("auto_1")).await;
    assert_eq!((resent.status.as_u16(), resent.json), (202, json!({})));
    let again = client.send("POST", path, None, Some("auto_1")).await;
    assert_eq!(again.status, 202);
    let message =
        EventQuery { message_id: Some("msg_1".into()), since: None, limit: 1, ..messages(None) };
    assert_eq!(desk.lock().replays, [matching(message)], "once for a key");
    let missing = client.post("/api/v1/app/clerk/msg/none/endpoint/crm/resend", json!({})).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_sample_is_sent() {
    let client = Client::of(&Desk::new(), TokenRole::Admin);
    let path = format!("{CRM}/send-example");
    let sent = client.post(&path, json!({"eventType": "user.created"})).await;
    assert_eq!((sent.status.as_u16(), &sent.json["eventType"]), (200, &json!("user.created")));
    assert_eq!(sent.json["payload"]["type"], "user.created");
    let body = json!({"eventType": "order.paid", "payload": {"total": 1}});
    assert_eq!(client.post(&path, body).await.ok()["payload"], json!({"total": 1}));
    assert_eq!(client.post(&path, json!({"eventType": "none"})).await.status, 404);
    let body = json!({"eventType": "user.created", "exampleIndex": 1});
    assert_eq!(client.post(&path, body).await.loc(), ["body", "exampleIndex"]);
}
