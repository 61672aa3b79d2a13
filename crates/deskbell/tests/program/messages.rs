//! `deskbell reconcile --messages` against a simulated sender.

use std::path::Path;
use std::time::UNIX_EPOCH;

use deskbell_sim::sender_api::{
    Fault, SenderApi, SenderApiOptions, SentMessage, SimulatedEndpoint,
};

use super::backfill::json;
use super::support::{Ran, SECRET, Serving, deskbell, directory, finish, now};

const MINUTE_MS: i64 = 60_000;

fn now_ms() -> i64 {
    i64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn message(number: u32, event_type: &str, at_ms: i64) -> SentMessage {
    let body = format!(
        r#"{{"data":{{"id":"user_{number}","object":"user"}},"object":"event","timestamp":{at_ms},"type":"{event_type}"}}"#
    );
    let id = format!("msg_{number}");
    SentMessage { id, event_type: event_type.to_owned(), at_ms, body: Some(body.into()) }
}

async fn run(directory: &Path, api: &SenderApi, arguments: &[&str]) -> Ran {
    let mut command = deskbell(directory);
    command
        .env("CLERK_SECRET_KEY", "sk_test_SimulatedByDeskbell")
        .env("CLERK_API_URL", api.clerk_url())
        .env("CLERK_SENDER_URL", api.sender_url())
        .args(["reconcile", "--messages"])
        .args(arguments);
    finish(&mut command).await
}

#[tokio::test]
async fn messages_that_never_came_in_are_found_and_sent_again() {
    let api = SenderApi::start(SenderApiOptions::default(), |_| Fault::None).await.unwrap();
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let none = run(directory.path(), &api, &[]).await;
    assert_eq!(none.code, 1, "{none:?}");
    assert!(none.stderr.contains("deskbell connect --url"), "{none:?}");
    let now_ms = now_ms();
    api.insert_endpoint(SimulatedEndpoint {
        uid: Some("deskbell-clerk".to_owned()),
        secret: SECRET.to_owned(),
        event_types: Some(vec!["user.created".to_owned()]),
        created_at_ms: now_ms - 60 * MINUTE_MS,
        ..SimulatedEndpoint::new(&serving.url())
    });
    // Before the endpoint, of another type, on its way; and two that it should have got.
    api.insert_message(message(1, "user.created", now_ms - 90 * MINUTE_MS));
    api.insert_message(message(2, "user.updated", now_ms - 9 * MINUTE_MS));
    api.insert_message(message(3, "user.created", now_ms - 8 * MINUTE_MS));
    api.insert_message(message(4, "user.created", now_ms - 7 * MINUTE_MS));
    api.insert_message(message(5, "user.created", now_ms + MINUTE_MS));
    let found = run(directory.path(), &api, &["--json"]).await;
    assert_eq!(found.code, 1, "{found:?}");
    let source = &json(&found)["sources"][0];
    assert_eq!((&source["sent"], &source["missing"]), (&3.into(), &2.into()), "{source}");
    assert_eq!(source["examples"], serde_json::json!(["msg_4", "msg_3"]));
    assert_eq!(source["on_their_way"], 1);
    let since = run(directory.path(), &api, &["--json", "--since", "450s"]).await;
    assert_eq!(json(&since)["sources"][0]["missing"], 1);
    let mended = run(directory.path(), &api, &["--repair"]).await;
    assert_eq!(mended.code, 0, "{mended:?}");
    assert!(mended.stdout.contains("missing before: 2 (2 sent again, 0 fetched)"), "{mended:?}");
    let after = run(directory.path(), &api, &[]).await;
    assert_eq!(after.code, 0, "{after:?}");
    assert!(after.stdout.ends_with("clerk: all 2 messages received\n"), "{after:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_sender_that_cannot_be_asked_is_said_with_what_to_do() {
    let options = SenderApiOptions { has_app: false, ..SenderApiOptions::default() };
    let api = SenderApi::start(options, |_| Fault::Status(500)).await.unwrap();
    let directory = directory();
    let serving = Serving::start(directory.path()).await;
    let ran = run(directory.path(), &api, &[]).await;
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("Webhooks"), "{ran:?}");
    assert_eq!(run(directory.path(), &api, &["user"]).await.code, 2);
    assert_eq!(serving.terminate().await.0, 0);
}
