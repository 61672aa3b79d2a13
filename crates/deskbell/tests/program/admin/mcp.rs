//! `deskbell mcp`: what an assistant is offered, what it is answered, and what it does not see.

mod session;

use std::path::Path;

use clerk_webhooks::{HeaderFamily, Secret, Signer};
use serde_json::{Value, json};
use tempfile::TempDir;

use self::session::{Session, Speaker};
use super::client::{Client, TOKEN, configured, start};
use crate::program::support::{SECRET, Serving, mirror_at, run, trigger};

const READING: [&str; 9] = [
    "check_handler",
    "explain",
    "list_dead_letters",
    "list_destinations",
    "list_event_types",
    "list_events",
    "sample_event",
    "show_event",
    "verify_request",
];
const WRITING: [&str; 4] =
    ["enable_destination", "probe_handler", "replay_event", "retry_dead_letters"];
const MASK: &str = "•••";

/// A running server whose log has a user, a one-time code and a dead letter.
async fn prepared() -> (TempDir, Serving, Client) {
    let directory = configured("");
    let path = directory.path();
    let (serving, client) = start(path).await;
    for (event_type, id, set) in [
        ("user.created", "msg_1", "data.id=user_1"),
        ("email.created", "msg_code", "data.id=ema_1"),
        ("user.created", "msg_bad", "data.id=5"),
    ] {
        trigger(path, &serving.url(), event_type, id, &[set]).await;
    }
    mirror_at(path, 3).await;
    (directory, serving, client)
}

/// A logged request, signed by the source's secret.
fn captured() -> String {
    let body = r#"{"type":"user.created","data":{"id":"user_1"}}"#;
    let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let signed = signer.sign("msg_1", 1_780_000_000, body.as_bytes());
    let headers: serde_json::Map<_, _> = signed
        .iter(HeaderFamily::Svix)
        .map(|(name, value)| (name.to_owned(), json!(value)))
        .collect();
    json!({ "headers": headers, "body": body }).to_string()
}

async fn assert_offered(speaker: Speaker, directory: &Path) {
    let writes = [("replay_event", json!({})), ("probe_handler", json!({}))];
    let reading = Session::hold(speaker, directory, &[], &writes).await;
    assert_eq!(reading.server["name"], "deskbell");
    assert_eq!(reading.tool_names(), READING);
    for refused in &reading.results {
        assert!(refused["error"].is_string(), "{refused:#}");
    }
    let all = Session::hold(speaker, directory, &["--allow-writes"], &[]).await;
    let mut expected = [&READING[..], &WRITING].concat();
    expected.sort_unstable();
    assert_eq!(all.tool_names(), expected);
    for tool in &all.tools {
        let name = tool["name"].as_str().unwrap();
        assert!(tool["outputSchema"]["properties"].is_object(), "{name}");
        assert!(!tool.to_string().contains("\"format\":\"uint"), "{name}");
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(READING.contains(&name)), "{name}");
    }
}

async fn assert_lists(speaker: Speaker, directory: &Path) {
    let asked = [
        // Deskbell's own notices may come in meanwhile.
        ("list_events", json!({ "types": ["user.*"], "limit": 1 })),
        ("list_events", json!({ "types": ["user.*"], "since": "1h" })),
        ("list_destinations", json!({})),
        ("list_dead_letters", json!({})),
        ("list_event_types", json!({})),
    ];
    let session = Session::hold(speaker, directory, &[], &asked).await;
    let [newest, users, destinations, dead, types] = &session.data()[..] else {
        panic!("five answers")
    };
    assert_eq!(newest["events"][0]["message_id"], "msg_bad");
    assert_eq!(newest["has_more"], true);
    assert_eq!(users["events"].as_array().unwrap().len(), 2);
    assert_eq!(users["has_more"], false);
    assert_eq!(destinations["destinations"][0]["name"], "mirror");
    assert_eq!(dead["found"], 1);
    assert_eq!(dead["dead_letters"][0]["message_id"], "msg_bad");
    assert!(types["types"].as_array().unwrap().len() > 40);
}

async fn assert_explains(speaker: Speaker, directory: &Path) {
    let asked = [
        ("explain", json!({ "id": "user_1" })),
        ("sample_event", json!({ "type": "user.created" })),
        ("verify_request", json!({ "request": captured(), "arrived_at": "2026-05-28T20:26:40Z" })),
        ("verify_request", json!({ "request": captured() })),
        ("check_handler", json!({ "url": "http://127.0.0.1:1/api/webhooks" })),
    ];
    let session = Session::hold(speaker, directory, &[], &asked).await;
    let [explained, sample, valid, stale, checked] = &session.data()[..] else {
        panic!("five answers")
    };
    let columns = &explained["rows"][0]["columns"];
    assert_eq!(columns["id"]["value"], "user_1");
    assert_eq!(columns["first_name"]["value"], MASK);
    assert_eq!(sample["sample"]["type"], "user.created");
    assert_eq!((&valid["valid"], &valid["signed_with"]), (&json!(true), &json!("source clerk")));
    assert_eq!(stale["valid"], false);
    assert!(session.text(3).contains("the request is not valid"), "{}", session.text(3));
    let checks = checked["checks"].as_array().unwrap();
    let reachable = checks.iter().find(|check| check["code"] == "reachable").unwrap();
    assert_eq!(reachable["status"], "fail", "{reachable}");
}

async fn assert_personal_data_is_masked(speaker: Speaker, directory: &Path) {
    let asked = ["msg_1", "msg_code"]
        .map(|id| ("show_event", json!({ "message_id": id, "payload": true })));
    let masked = Session::hold(speaker, directory, &[], &asked).await.data();
    assert_eq!(masked[0]["payload"]["data"]["id"], "user_1");
    assert_eq!(masked[0]["payload"]["data"]["first_name"], MASK);
    assert!(masked[0]["left_out"].as_str().unwrap().contains("--payloads"));
    let shown = Session::hold(speaker, directory, &["--payloads"], &asked).await.data();
    assert_ne!(shown[0]["payload"]["data"]["first_name"], MASK);
    assert_eq!(shown[0]["left_out"], Value::Null);
    for code in [&masked[1], &shown[1]] {
        assert_eq!(code["payload"], Value::Null);
        assert!(code["left_out"].as_str().unwrap().contains("one-time code"));
    }
}

async fn assert_errors_say_what_to_do(speaker: Speaker, directory: &Path) {
    let asked = [
        (("list_events", json!({ "limt": 1 })), "unknown field `limt`"),
        (("list_events", json!({ "since": "yesterday" })), "expected a time such as"),
        (("show_event", json!({})), "missing field `message_id`"),
        (("show_event", json!({ "message_id": "msg_9" })), "help: run `deskbell events list`"),
        (("explain", json!({ "id": "user_9" })), "nothing is known of `user_9`"),
        (("sample_event", json!({ "type": "user.craeted" })), "did you mean user.created"),
        (("verify_request", json!({ "request": "hello" })), "cannot read the request"),
        (("retry_dead_letters", json!({})), "give exactly one of `ids`, `cause` and `all`"),
        (("enable_destination", json!({ "name": "miror" })), "not found"),
    ];
    let calls = asked.clone().map(|(call, _)| call);
    let session = Session::hold(speaker, directory, &["--allow-writes"], &calls).await;
    for (number, (call, said)) in asked.iter().enumerate() {
        assert_eq!(session.results[number]["isError"], true, "{call:?}");
        assert!(session.text(number).contains(said), "{call:?}: {}", session.text(number));
    }
}

async fn assert_another_server_is_asked(speaker: Speaker, directory: &Path, client: &Client) {
    let asked = [
        ("list_events", json!({ "types": ["user.*"] })),
        ("show_event", json!({ "message_id": "msg_1", "payload": true })),
        ("explain", json!({ "id": "user_1" })),
        ("list_dead_letters", json!({})),
    ];
    let elsewhere = tempfile::tempdir().unwrap();
    let server = ["--server", &client.base, "--token", TOKEN];
    let there = Session::hold(speaker, elsewhere.path(), &server, &asked).await.data();
    let here = Session::hold(speaker, directory, &[], &asked).await.data();
    assert_eq!(there, here);
    let wrong = ["--server", &client.base, "--token", "wrong"];
    let refused = Session::hold(speaker, elsewhere.path(), &wrong, &asked[..1]).await;
    assert!(refused.text(0).contains("does not accept the token"), "{}", refused.text(0));
}

async fn assert_writes(speaker: Speaker, directory: &Path) {
    let asked = [
        ("retry_dead_letters", json!({ "all": true })),
        ("replay_event", json!({ "message_id": "msg_1", "dry_run": true })),
    ];
    let done = Session::hold(speaker, directory, &["--allow-writes"], &asked).await.data();
    assert_eq!(done[0]["asked"], 1);
    assert_eq!(done[1], json!({ "deliveries": 0, "dry_run": true }));
}

async fn assert_all(speaker: Speaker) {
    let (directory, _serving, client) = prepared().await;
    let path = directory.path();
    assert_offered(speaker, path).await;
    assert_lists(speaker, path).await;
    assert_explains(speaker, path).await;
    assert_personal_data_is_masked(speaker, path).await;
    assert_errors_say_what_to_do(speaker, path).await;
    assert_another_server_is_asked(speaker, path, &client).await;
    assert_writes(speaker, path).await;
}

#[tokio::test]
async fn an_assistant_asks_line_by_line() {
    assert_all(Speaker::Lines).await;
}

#[cfg(feature = "interop")]
#[tokio::test]
async fn an_assistant_asks_by_the_official_client() {
    assert_all(Speaker::Official).await;
}

#[tokio::test]
async fn flags_that_make_no_sense_and_a_client_that_never_comes_end_it() {
    let directory = configured("");
    let wrong = ["mcp", "--server", "ftp://a", "--token", "t"];
    let ran = run(directory.path(), &wrong).await;
    assert!(ran.code == 2 && ran.stderr.contains("expected a URL"), "{}", ran.stderr);
    // Its stdin is empty.
    let ran = run(directory.path(), &["mcp"]).await;
    assert_eq!((ran.code, &*ran.stdout), (1, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("docs/mcp.md"), "{}", ran.stderr);
}
