//! The answers against Svix's own description, where it lies beside the workspace. Without it this test checks nothing
//! and says so.

use std::fs;
use std::path::PathBuf;

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::sender_api::{SenderApiOptions, SentMessage, SimulatedEndpoint};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Instance, TIMEOUT, message};

const APP: &str = "/api/v1/app/{app_id}";

fn description() -> Option<Value> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/svix-api.openapi.json");
    if !path.exists() {
        eprintln!("nothing checked: {} is not there", path.display());
        return None;
    }
    let mut description = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    allow_null(&mut description);
    Some(description)
}

/// JSON Schema has no `nullable`.
fn allow_null(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(allow_null),
        Value::Object(members) => {
            members.values_mut().for_each(allow_null);
            if members.remove("nullable") == Some(true.into()) {
                let schema = Value::Object(std::mem::take(members));
                members.insert("anyOf".to_owned(), json!([schema, {"type": "null"}]));
            }
        }
        _ => {}
    }
}

/// Fails if the body is not what is described of this answer.
fn assert_described(description: &Value, method: &str, path: &str, status: u16, body: &Value) {
    let answers = &description["paths"][path][method]["responses"];
    let schema = &answers[status.to_string()]["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} has no {status}");
    let schema = json!({"allOf": [schema], "components": description["components"]});
    let validator = jsonschema::draft4::new(&schema).unwrap();
    if let Err(error) = validator.validate(body) {
        panic!("{method} {path} {status}: {error} at {}: {body}", error.instance_path());
    }
}

#[tokio::test]
async fn every_answer_has_the_described_form() {
    let Some(description) = description() else { return };
    let receiver = Receiver::start(|_| Reply::Status(500)).await.unwrap();
    // The description is of 1.x, but lists an endpoint's types by the name of 2.x.
    let options = SenderApiOptions { types_member: "eventTypes", ..SenderApiOptions::default() };
    let instance = Instance::start(options).await;
    let types = json!(["user.created"]);
    let new = json!({"url": receiver.url(), "uid": "ours", "eventTypes": types});
    instance.api.insert_message(SentMessage { body: None, ..message(0) });
    instance.api.insert_endpoint(SimulatedEndpoint::new("https://a.example.com/"));

    let endpoint = "/endpoint/{endpoint_id}";
    for (method, path, body, expected) in [
        (Method::POST, "/endpoint".to_owned(), new.clone(), 201),
        (Method::POST, "/endpoint".to_owned(), new, 409),
        (Method::POST, "/endpoint".to_owned(), json!({"url": "x"}), 422),
        (Method::GET, "/endpoint".to_owned(), Value::Null, 200),
        (Method::GET, endpoint.to_owned(), Value::Null, 200),
        (Method::PATCH, endpoint.to_owned(), json!({"disabled": false}), 200),
        (Method::PATCH, endpoint.to_owned(), json!({"eventTypes": ["a.b"]}), 422),
        (Method::GET, format!("{endpoint}/secret"), Value::Null, 200),
        (Method::GET, "/msg".to_owned(), Value::Null, 200),
        (Method::GET, "/msg?limit=1000".to_owned(), Value::Null, 422),
        (Method::GET, "/attempt/endpoint/{endpoint_id}".to_owned(), Value::Null, 200),
        // Published before.
        (Method::GET, "/msg/{msg_id}".to_owned(), Value::Null, 200),
        (
            Method::POST,
            format!("{endpoint}/recover"),
            json!({"since": "2026-01-01T00:00:00Z"}),
            202,
        ),
        (Method::POST, format!("{endpoint}/recover"), json!({}), 422),
        (
            Method::POST,
            format!("{endpoint}/send-example"),
            json!({"eventType": "user.created"}),
            403,
        ),
        (Method::POST, "/msg/{msg_id}/endpoint/{endpoint_id}/resend".to_owned(), Value::Null, 202),
    ] {
        let url = path.replace("{endpoint_id}", "ours").replace("{msg_id}", "msg_1");
        if path.starts_with("/attempt") || path.ends_with("resend") {
            // There is one to list, and one to send again.
            instance.api.publish(&message(1));
            tokio::time::timeout(TIMEOUT, instance.api.wait_for_attempts(1)).await.unwrap();
        }
        let (status, reply) = instance.app(method.clone(), &url, &body).await;
        assert_eq!(status, expected, "{method} {path}: {reply}");
        let (path, _) = path.split_once('?').unwrap_or((&path, ""));
        let method = method.as_str().to_ascii_lowercase();
        assert_described(&description, &method, &format!("{APP}{path}"), expected, &reply);
    }
    let (status, reply) = instance.send(Method::GET, "/event-type", &Value::Null).await;
    assert_eq!(status, 200);
    assert_described(&description, "get", "/api/v1/event-type", 200, &reply);
}
