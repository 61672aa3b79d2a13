//! Commands that only read, in a shell that lacks secrets; and errors as JSON.

use serde_json::Value;

use super::support::{deskbell, directory, finish, run};

const CONFIG: &str = r#"
[server]
listen = "127.0.0.1:0"
admin_token = "env:ADMIN_TOKEN"

[[source]]
name = "clerk"
signing_secrets = ["env:SIGNING_SECRET"]

[alerts]
to = ["ops"]

[[destination]]
name = "ops"
type = "slack"
webhook_url = "env:SLACK_URL"
text = "{{ type }}"

[[destination]]
name = "mirror"
type = "database"
url = "sqlite://clerk.db"
"#;

#[tokio::test]
async fn what_needs_a_secret_that_is_not_there_is_left_out_and_named() {
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("deskbell.toml"), CONFIG).unwrap();
    let secret = super::support::SECRET;
    let mut serving = deskbell(path);
    serving.env("ADMIN_TOKEN", "t0ken").env("SIGNING_SECRET", secret);
    serving.env("SLACK_URL", "https://hooks.slack.com/services/T/B/x");
    let serving = super::support::Serving::of(serving).await;
    serving.terminate().await;

    let listed = run(path, &["destinations", "--json"]).await;
    let all: Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(all[0]["name"], "mirror");
    let left_out =
        "the destination `ops` is left out: the environment variable SLACK_URL is not set";
    assert!(listed.stderr.contains(left_out), "{}", listed.stderr);
    let events = run(path, &["events", "list"]).await;
    assert_eq!(events.code, 0, "{}", events.stderr);
    let checked = run(path, &["config", "check"]).await;
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    assert!(checked.stderr.contains(left_out), "{}", checked.stderr);
    // A mistake behind it is still shown where it is.
    let wrong = CONFIG.replace("clerk.db\"", "clerk.db\"\nentities = [\"usr\"]");
    std::fs::write(path.join("deskbell.toml"), wrong).unwrap();
    let checked = run(path, &["config", "check"]).await;
    assert_eq!(checked.code, 64);
    assert!(checked.stderr.contains("deskbell.toml:23"), "{}", checked.stderr);
}

#[tokio::test]
async fn errors_are_json_where_everything_is() {
    let directory = directory();
    let path = directory.path();
    std::fs::write(path.join("deskbell.toml"), "[server]\nlisen = 1\n").unwrap();
    let error = |stderr: &str| -> Value { serde_json::from_str(stderr).unwrap() };
    let wrong = run(path, &["--json", "config", "check"]).await;
    let wrong = error(&wrong.stderr);
    assert_eq!((&wrong["error"], &wrong["code"]), (&"unknown key `lisen`".into(), &64.into()));
    assert!(wrong["help"].as_str().unwrap().contains("`listen`"), "{wrong}");
    let usage = run(path, &["events", "lst", "--json"]).await;
    assert_eq!((usage.code, &error(&usage.stderr)["code"]), (2, &2.into()), "{}", usage.stderr);
    let filter = finish(deskbell(path).env("DESKBELL_LOG", "loud").args(["types", "--json"])).await;
    assert_eq!(error(&filter.stderr)["code"], 64);
}

#[tokio::test]
async fn a_trigger_without_a_server_says_that_nothing_listens() {
    let directory = directory();
    let ran = run(
        directory.path(),
        &["trigger", "--sample", "user.created", "--url", "http://127.0.0.1:1/api/webhooks"],
    )
    .await;
    assert_eq!(ran.code, 1);
    for said in ["nothing listens on http://127.0.0.1:1/", "deskbell serve", "--url"] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}
