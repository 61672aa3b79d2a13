//! `deskbell explain`: which event each value of a row came from, and what became of the others.

use std::path::Path;

use deskbell_sim::INSTANCE_ID;
use serde_json::Value;

use super::backfill::{clerk, configured, json, with_key};
use super::support::{Ran, Serving, directory, finish, http_client, mirror_at, run, trigger};

async fn explained(directory: &Path, id: &str) -> Value {
    let ran = run(directory, &["--json", "explain", id]).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// The same from the running program, with a new token of a reader.
async fn over_http(directory: &Path, serving: &Serving, id: &str, query: &str) -> (u16, Value) {
    let name = format!("{id}{}", query.len());
    let create = ["tokens", "create", "--role", "reader", "--name", &name];
    let created = run(directory, &create).await;
    let token = created.stdout.split_whitespace().find(|word| word.starts_with("dbt_")).unwrap();
    let url = format!("http://{}/api/v1/explain/{id}{query}", serving.address);
    let answer = http_client().get(url).bearer_auth(token).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// The outcomes of the events at the mirror, the newest first.
fn outcomes(explained: &Value) -> Vec<(&str, &str)> {
    let events = explained["events"].as_array().unwrap().iter();
    events
        .map(|event| {
            let id = event["message_id"].as_str().unwrap();
            (id, event["destinations"][0]["outcome"].as_str().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn each_value_names_its_event_and_each_ignored_event_its_reason() {
    let directory = directory();
    let path = directory.path();
    let serving = Serving::start(path).await;
    let url = serving.url();
    let user = "data.id=user_1";
    let at = |ms: &str| format!("data.updated_at={ms}");
    let (first, last, late) = (at("1700000001000"), at("1700000003000"), at("1700000002000"));
    trigger(path, &url, "user.created", "msg_1", &[user, &first, "data.first_name=Ada"]).await;
    trigger(path, &url, "user.updated", "msg_2", &[user, &last, "data.first_name=Grace"]).await;
    trigger(path, &url, "user.updated", "msg_3", &[user, &late, "data.first_name=Late"]).await;
    mirror_at(path, 3).await;
    let by_subject = explained(path, "user_1").await;
    let row = &by_subject["rows"][0];
    assert_eq!((&row["destination"], &row["table"]), (&"mirror".into(), &"clerk_users".into()));
    let name = &row["columns"]["first_name"];
    assert_eq!((&name["value"], &name["message_id"]), (&"Grace".into(), &"msg_2".into()));
    assert_eq!(name["seq"], 2);
    let expected = [("msg_3", "superseded"), ("msg_2", "applied"), ("msg_1", "superseded")];
    assert_eq!(outcomes(&by_subject), expected);
    let reason = by_subject["events"][0]["destinations"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("msg_2"), "{reason}");
    assert_eq!(explained(path, "msg_1").await, by_subject, "by one of its messages");
    assert_eq!(over_http(path, &serving, "user_1", "").await, (200, by_subject));
    assert_eq!(over_http(path, &serving, "user_9", "").await.0, 404);
    assert_eq!(over_http(path, &serving, "user_1", "?limit=0").await.0, 400);
    let open = format!("http://{}/api/v1/explain/user_1", serving.address);
    let open = http_client().get(open).send().await;
    assert_eq!(open.unwrap().status(), 401, "not without a token");
    trigger(path, &url, "user.deleted", "msg_4", &[user]).await;
    mirror_at(path, 4).await;
    let deleted = explained(path, "user_1").await;
    assert!(deleted["rows"].as_array().unwrap().is_empty());
    assert_eq!(outcomes(&deleted)[..2], [("msg_4", "applied"), ("msg_3", "tombstoned")]);
    let text = run(path, &["explain", "user_1", "--limit", "1"]).await;
    assert!(text.stdout.contains("mirror: no row"), "{text:?}");
    assert!(text.stdout.contains("there are older events"), "{text:?}");
    let unknown = run(path, &["explain", "user_9"]).await;
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.stderr.contains("nothing is known of `user_9`"), "{unknown:?}");
    assert_eq!(serving.terminate().await.0, 0);
}

#[tokio::test]
async fn a_value_of_the_api_says_so() {
    let (directory, api) =
        (configured(&format!("instance_id = \"{INSTANCE_ID}\"")), clerk(1).await);
    let path = directory.path();
    let filled: Ran = finish(with_key(path, &api).args(["backfill", "user"])).await;
    assert_eq!(filled.code, 0, "{filled:?}");
    let ran = run(path, &["--json", "explain", "user_00000000"]).await;
    let explained = json(&ran);
    let name = &explained["rows"][0]["columns"]["first_name"];
    assert_eq!((&name["value"], &name["message_id"]), (&"Ada".into(), &Value::Null));
    let text = run(path, &["explain", "user_00000000"]).await;
    assert!(text.stdout.contains("Clerk's API"), "{text:?}");
}
