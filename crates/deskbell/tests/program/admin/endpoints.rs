//! Endpoints that are made through the API: delivered to at once, kept over a restart, and sealed.

use std::fs;

use deskbell_sim::receiver::{Receiver, Reply};
use reqwest::Method;
use serde_json::json;

use super::client::{configured, start};
use crate::program::support::{mirror_at, trigger, within};

#[tokio::test]
async fn an_endpoint_is_delivered_to_until_it_is_deleted() {
    let directory = configured("");
    let path = directory.path();
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let (serving, client) = start(path).await;
    let endpoints = "/api/v1/app/clerk/endpoint";
    let new = json!({ "url": receiver.url(), "eventTypes": ["user.created"] });
    let made = client.post(endpoints, &new).await;
    let endpoint = format!("{endpoints}/{}", made["id"].as_str().unwrap());
    let secret = client.get(&format!("{endpoint}/secret")).await["key"].clone();
    let secret = secret.as_str().unwrap();
    assert!(secret.starts_with("whsec_"), "{secret}");
    client.until("/api/v1/destinations", |all| all.as_array().unwrap().len() == 2).await;
    trigger(path, &serving.url(), "user.created", "msg_1", &[]).await;
    within(receiver.wait_for(1)).await;
    let first = &receiver.received()[0];
    assert!(first.headers.contains_key("svix-signature"), "{:?}", first.headers);
    assert_eq!(serving.terminate().await.0, 0);
    for file in fs::read_dir(path).unwrap().map(|file| file.unwrap().path()) {
        let bytes = fs::read(&file).unwrap();
        let key = secret.trim_start_matches("whsec_").as_bytes();
        let shows = bytes.windows(key.len()).any(|part| part == key);
        assert!(!shows, "the secret is in {}", file.display());
    }
    let (serving, client) = start(path).await;
    trigger(path, &serving.url(), "user.created", "msg_after", &[]).await;
    within(receiver.wait_for(2)).await;
    assert_eq!(receiver.received()[1].message_id, "msg_after");
    let (status, _) = client.send(Method::DELETE, &endpoint, &json!({})).await;
    assert_eq!(status, 204);
    // Nothing of it is left, once no process delivers to it.
    client.until("/api/v1/destinations", |all| all.as_array().unwrap().len() == 1).await;
    let audit = client.get("/api/v1/audit").await;
    let actions = audit["entries"].as_array().unwrap().iter();
    let actions: Vec<_> = actions.map(|entry| entry["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["endpoint.delete", "endpoint.secret_shown", "endpoint.create"]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let directory = configured("");
    let (_serving, client) = start(directory.path()).await;
    let endpoints = "/api/v1/app/clerk/endpoint";
    for refused in [
        json!({ "url": "ftp://example.com" }),
        json!({ "url": "http://169.254.169.254/latest" }),
        json!({ "url": "https://example.com", "eventTypes": ["user.creatd"] }),
        json!({ "url": "https://example.com", "secret": "hunter2" }),
        json!({ "eventTypes": ["user.created"] }),
    ] {
        let (status, answer) = client.send(Method::POST, endpoints, &refused).await;
        assert!((400..500).contains(&status), "{refused}: {status} {answer}");
    }
    let (status, _) = client.send(Method::POST, "/api/v1/app/other/endpoint", &json!({})).await;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!(client.get(endpoints).await["data"], json!([]));
}

#[tokio::test]
async fn an_endpoint_has_few_headers_however_they_come() {
    let directory = configured("");
    let (_serving, client) = start(directory.path()).await;
    let endpoints = "/api/v1/app/clerk/endpoint";
    let made = client.post(endpoints, &json!({ "url": "https://example.com" })).await;
    let path = format!("{endpoints}/{}/headers", made["id"].as_str().unwrap());
    let headers = |from: usize, to: usize| {
        let headers = (from..to).map(|number| (format!("x-{number}"), json!("a")));
        json!({ "headers": headers.collect::<serde_json::Map<_, _>>() })
    };
    let mut exchanged = headers(50, 51);
    exchanged["deleteHeaders"] = json!(["X-0"]);
    for (method, body, expected) in [
        (Method::PATCH, headers(0, 30), 204),
        (Method::PATCH, headers(30, 51), 422),
        (Method::PATCH, headers(10, 50), 204),
        (Method::PATCH, exchanged, 204),
        (Method::PUT, headers(0, 51), 422),
    ] {
        let (status, answer) = client.send(method.clone(), &path, &body).await;
        assert_eq!(status, expected, "{method} {answer}");
    }
    assert_eq!(client.get(&path).await["headers"].as_object().unwrap().len(), 50);
}

/// A token cannot delete a user.
#[tokio::test]
async fn a_message_of_the_api_goes_to_endpoints_and_never_to_a_mirror() {
    let directory = configured("");
    let path = directory.path();
    let receiver = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let (serving, client) = start(path).await;
    trigger(path, &serving.url(), "user.created", "msg_1", &["data.id=user_1"]).await;
    let new = json!({ "url": receiver.url() });
    client.post("/api/v1/app/clerk/endpoint", &new).await;
    client.until("/api/v1/destinations", |all| all.as_array().unwrap().len() == 2).await;
    let data = json!({ "id": "user_1", "deleted": true, "object": "user" });
    let payload = json!({ "type": "user.deleted", "object": "event", "data": data });
    let message = json!({ "eventType": "user.deleted", "eventId": "mine", "payload": payload });
    let made = client.post("/api/v1/app/clerk/msg", &message).await;
    assert_eq!(made["id"], "mine");
    within(receiver.wait_for(1)).await;
    assert_eq!(receiver.received()[0].message_id, "mine");
    let reader = mirror_at(path, 2).await;
    let rows = reader.rows("clerk_users").await.unwrap();
    assert_eq!(rows.len(), 1, "the user is still there");
    let shown = client.get("/api/v1/events/mine").await;
    assert_eq!((&shown["origin"], &shown["verified_by"]), (&json!("api"), &json!("token")));
    let (status, _) = client.send(Method::POST, "/api/v1/app/clerk/msg", &message).await;
    assert_eq!(status, 409, "an id is used once");
}
