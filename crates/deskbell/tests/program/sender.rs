//! Clerk's sender from the side of `serve`: messages that are fetched, and an endpoint that is looked at.

use std::path::Path;
use std::time::UNIX_EPOCH;

use deskbell_sim::receiver::{Receiver, Reply};
use deskbell_sim::sender_api::{
    Fault, SenderApi, SenderApiOptions, SentMessage, SimulatedEndpoint,
};
use serde_json::Value;
use tokio::process::Command;

use super::backfill::{json, wait_for_users};
use super::support::{
    ENDPOINT_SECRET, Ran, SECRET, Serving, deskbell, directory, finish, now, within,
};

const VARIABLE: &str = "CLERK_WEBHOOK_SIGNING_SECRET";

fn now_ms() -> i64 {
    i64::try_from(now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

fn message(number: u32, event_type: &str, at_ms: i64) -> SentMessage {
    let body = format!(
        r#"{{"data":{{"id":"user_{number}","object":"user","first_name":"Ada","updated_at":{at_ms}}},"object":"event","instance_id":"{}","timestamp":{at_ms},"type":"{event_type}"}}"#,
        deskbell_sim::INSTANCE_ID
    );
    let id = format!("msg_{number}");
    SentMessage { id, event_type: event_type.to_owned(), at_ms, body: Some(body.into()) }
}

async fn sender() -> SenderApi {
    SenderApi::start(SenderApiOptions::default(), |_| Fault::None).await.unwrap()
}

/// The program with the key and the sender of the instance.
fn program(directory: &Path, api: &SenderApi) -> Command {
    let mut command = deskbell(directory);
    command
        .env("CLERK_SECRET_KEY", "sk_test_SimulatedByDeskbell")
        .env("CLERK_API_URL", api.clerk_url())
        .env("CLERK_SENDER_URL", api.sender_url());
    command
}

async fn run(directory: &Path, api: &SenderApi, arguments: &[&str]) -> Ran {
    finish(program(directory, api).args(arguments)).await
}

fn configure(directory: &Path, source: &str) {
    let config = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\n[[source]]\nname = \"clerk\"\nbackfill = \"never\"\n{source}\n"
    );
    std::fs::write(directory.join("deskbell.toml"), config).unwrap();
}

#[tokio::test]
async fn without_a_public_url_messages_are_fetched() {
    let api = sender().await;
    let directory = directory();
    let path = directory.path();
    configure(path, "mode = \"pull\"");
    let serve = || {
        let mut command = program(path, &api);
        command.env_remove(VARIABLE);
        Serving::of(command)
    };
    let mut serving = serve().await;
    serving.until_said("fetching the messages").await;
    api.insert_message(message(1, "user.created", now_ms()));
    api.insert_message(message(2, "user.created", now_ms() + 1));
    wait_for_users(path, 2).await;
    let posted = reqwest::Client::new().post(serving.url()).body("{}").send().await.unwrap();
    assert_eq!(posted.status(), 404, "nobody posts here");
    let shown = run(path, &api, &["events", "show", "msg_1"]).await;
    assert!(shown.stdout.contains("verified by  session"), "{shown:?}");
    assert!(shown.stdout.contains("these are not the signed bytes"), "{shown:?}");
    let shown = run(path, &api, &["--json", "events", "show", "msg_1"]).await;
    let shown = json(&shown);
    assert_eq!(
        (&shown["origin"], &shown["verified_by"]),
        (&"sender_record".into(), &"session".into())
    );
    assert_eq!(serving.terminate().await.0, 0);
    let connect = run(path, &api, &["connect", "--url", "https://hooks.example.com"]).await;
    assert_eq!(connect.code, 2, "{connect:?}");
    assert!(connect.stderr.contains("needs no endpoint"), "{connect:?}");
    // What happened meanwhile is fetched by the next start, or by a command.
    api.insert_message(message(3, "user.created", now_ms() - 90_000));
    let all = ["reconcile", "--messages"];
    let missing = run(path, &api, &all).await;
    assert_eq!(missing.code, 1, "{missing:?}");
    let mended = run(path, &api, &[&all[..], &["--repair"]].concat()).await;
    assert_eq!(mended.code, 0, "{mended:?}");
    assert!(mended.stdout.contains("missing before: 1 (0 sent again, 1 fetched)"), "{mended:?}");
    api.insert_message(message(4, "user.created", now_ms()));
    let serving = serve().await;
    wait_for_users(path, 4).await;
    let received = run(path, &api, &all).await;
    assert!(received.stdout.contains("messages received"), "{received:?}");
    assert_eq!((received.code, serving.terminate().await.0), (0, 0));
}

#[tokio::test]
async fn what_the_sender_cannot_bring_is_fetched_by_a_running_serve() {
    let api = sender().await;
    let directory = directory();
    let path = directory.path();
    configure(path, "");
    let serving = Serving::of(program(path, &api)).await;
    // It sends to an address where nobody is.
    api.insert_endpoint(SimulatedEndpoint {
        uid: Some("deskbell-clerk".to_owned()),
        created_at_ms: now_ms() - 3_600_000,
        ..SimulatedEndpoint::new("http://127.0.0.1:1/api/webhooks")
    });
    api.insert_message(message(1, "user.created", now_ms() - 120_000));
    api.insert_message(message(2, "user.created", now_ms() - 110_000));
    let repair = ["--json", "reconcile", "--messages", "--repair", "--wait", "1s"];
    let mended = run(path, &api, &repair).await;
    let source = &json(&mended)["sources"][0];
    assert_eq!((&source["fetched"], &source["left"]), (&2.into(), &0.into()), "{mended:?}");
    wait_for_users(path, 2).await;
    let shown = run(path, &api, &["events", "show", "msg_2"]).await;
    assert!(shown.stdout.contains("verified by  session"), "{shown:?}");
    assert_eq!((mended.code, serving.terminate().await.0), (0, 0));
}

#[tokio::test]
async fn a_disabled_endpoint_is_alerted_about_with_what_to_do() {
    let api = sender().await;
    let hook = Receiver::start(|_| Reply::Status(200)).await.unwrap();
    let directory = directory();
    let path = directory.path();
    let alerts = format!(
        "sender = {{ watch = true }}\n[alerts]\nto = [\"hook\"]\n\n[[destination]]\nname = \"hook\"\n\
         type = \"http\"\nurl = \"{}\"\nsecret = \"{ENDPOINT_SECRET}\"\n\
         allow_hosts = [\"127.0.0.1\"]\nevents = []\n",
        hook.url()
    );
    configure(path, &alerts);
    api.insert_endpoint(SimulatedEndpoint {
        uid: Some("deskbell-clerk".to_owned()),
        secret: SECRET.to_owned(),
        is_disabled: true,
        ..SimulatedEndpoint::new("https://hooks.example.com/api/webhooks")
    });
    let serving = Serving::of(program(path, &api)).await;
    within(hook.wait_for(1)).await;
    assert_eq!(serving.terminate().await.0, 0);
    let alert: Value = serde_json::from_slice(&hook.received()[0].body).unwrap();
    let alert = &alert["data"];
    assert_eq!((&alert["kind"], &alert["source"]), (&"source.endpoint".into(), &"clerk".into()));
    assert_eq!(alert["subject"], "clerk: the endpoint in Clerk is disabled");
    assert!(alert["text"].as_str().unwrap().contains("deskbell reconcile --messages --repair"));
    // Somebody enables it: the next look ends the alert.
    let id = api.endpoints()[0].id.clone();
    api.change_endpoint(&id, |endpoint| endpoint.is_disabled = false);
    let serving = Serving::of(program(path, &api)).await;
    within(hook.wait_for(2)).await;
    assert_eq!(serving.terminate().await.0, 0);
    let alert: Value = serde_json::from_slice(&hook.received()[1].body).unwrap();
    assert_eq!(alert["data"]["state"], "resolved");
}
