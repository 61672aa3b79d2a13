//! `--server URL --token T`: the same answers as from the local store.

use std::path::Path;

use serde_json::Value;

use super::client::{Client, TOKEN, configured, start};
use crate::program::support::{Ran, mirror_at, run, trigger};

/// The command's JSON here, and the same by way of the server from a directory without a store.
async fn both(here: &Path, elsewhere: &Path, client: &Client, command: &[&str]) -> [Value; 2] {
    let local = run(here, &[command, &["--json"]].concat()).await;
    let remote = over_http(elsewhere, client, &[command, &["--json"]].concat()).await;
    [local, remote].map(|ran| {
        assert_eq!(ran.code, 0, "{command:?}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    })
}

async fn over_http(directory: &Path, client: &Client, command: &[&str]) -> Ran {
    let server = ["--server", &client.base, "--token", TOKEN];
    run(directory, &[command, &server].concat()).await
}

#[tokio::test]
async fn a_server_answers_as_the_store_does() {
    let directory = configured("");
    let path = directory.path();
    let elsewhere = tempfile::tempdir().unwrap();
    let (serving, client) = start(path).await;
    for (event_type, id, user) in [
        ("user.created", "msg_1", "data.id=user_1"),
        ("user.created", "msg_2", "data.id=user_2"),
        ("user.created", "msg_bad", "data.id=5"),
    ] {
        trigger(path, &serving.url(), event_type, id, &[user]).await;
    }
    mirror_at(path, 3).await;
    for command in [
        &["events", "list"][..],
        &["events", "list", "--type", "user.*", "--limit", "2"],
        &["events", "list", "--subject", "user_1"],
        &["events", "show", "msg_1", "--payload"],
        &["explain", "user_2"],
        &["explain", "msg_1"],
        &["dead-letters", "list"],
    ] {
        let [local, remote] = both(path, elsewhere.path(), &client, command).await;
        assert_eq!(local, remote, "{command:?}");
    }
    let ran = over_http(elsewhere.path(), &client, &["destinations"]).await;
    assert!(ran.stdout.contains("mirror  database"), "{}", ran.stdout);
    let ran = over_http(elsewhere.path(), &client, &["dead-letters", "retry", "--all"]).await;
    assert_eq!((ran.code, ran.stdout.trim()), (0, "1 queued for retry"), "{}", ran.stderr);
    let unknown = over_http(elsewhere.path(), &client, &["explain", "user_9"]).await;
    assert_eq!(unknown.code, 1);
    assert!(unknown.stderr.contains("nothing is known of `user_9`"), "{}", unknown.stderr);
}

#[tokio::test]
async fn a_server_that_refuses_says_why() {
    let directory = configured("");
    let (_serving, client) = start(directory.path()).await;
    let list = ["events", "list", "--server", &client.base, "--token"];
    for (token, said) in [("wrong", "does not accept the token"), ("a b", "without white space")] {
        let ran = run(directory.path(), &[&list[..], &[token]].concat()).await;
        assert!(ran.code > 0 && ran.stderr.contains(said), "{token}: {}", ran.stderr);
    }
    let create = ["tokens", "create", "--role", "viewer", "--name", "board"];
    let viewer = run(directory.path(), &create).await.stdout.trim().to_owned();
    let enable = ["destinations", "enable", "mirror", "--server", &client.base, "--token", &viewer];
    let ran = run(directory.path(), &enable).await;
    assert!(ran.code == 1 && ran.stderr.contains("role"), "{}", ran.stderr);
    let gone = ["events", "list", "--server", "http://127.0.0.1:1", "--token", TOKEN];
    let ran = run(directory.path(), &gone).await;
    assert!(ran.code == 1 && ran.stderr.contains("cannot reach"), "{}", ran.stderr);
}
