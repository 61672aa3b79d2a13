//! `deskbell tokens`, alone and beside a running `serve`.

use std::path::Path;

use serde_json::{Value, json};

use super::support::{Ran, Serving, directory, http_client, run};

async fn tokens(directory: &Path, arguments: &[&str]) -> Ran {
    run(directory, &[&["tokens"], arguments].concat()).await
}

/// The status of a request for a user with this token, and the code of the error.
async fn ask(serving: &Serving, token: &str) -> (u16, String) {
    let url = format!("http://{}/api/v1/users/user_1", serving.address);
    let reply = http_client().get(url).bearer_auth(token).send().await.unwrap();
    let status = reply.status().as_u16();
    let answer: Value = serde_json::from_str(&reply.text().await.unwrap()).unwrap();
    (status, answer["error"].as_str().unwrap_or_default().to_owned())
}

async fn listed(directory: &Path) -> Vec<(String, String)> {
    let ran = run(directory, &["--json", "tokens", "list"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("dbt_"), "{}", ran.stdout);
    let tokens: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    let text = |token: &Value, key: &str| token[key].as_str().unwrap().to_owned();
    tokens.iter().map(|token| (text(token, "name"), text(token, "role"))).collect()
}

#[tokio::test]
async fn a_token_is_shown_once_and_opens_until_it_is_revoked() {
    let directory = directory();
    let directory = directory.path();
    assert_eq!(listed(directory).await, [], "there is no store yet");
    let before = tokens(directory, &["create", "--role", "viewer", "--name", "board"]).await;
    assert_eq!(before.code, 0, "{before:?}");
    let serving = Serving::start(directory).await;
    let ran =
        run(directory, &["--json", "tokens", "create", "--role", "reader", "--name", "app"]).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let created: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&created["name"], &created["role"]), (&json!("app"), &json!("reader")));
    let token = created["token"].as_str().unwrap();
    assert_eq!(ask(&serving, token).await, (404, "not_found".to_owned()));
    assert_eq!(ask(&serving, before.stdout.trim()).await, (403, "forbidden".to_owned()));
    let unknown = format!("dbt_{}", "0".repeat(64));
    for wrong in [unknown.as_str(), "dbt_", "x"] {
        assert_eq!(ask(&serving, wrong).await, (401, "unauthorized".to_owned()));
    }
    let named = |name: &str, role: &str| (name.to_owned(), role.to_owned());
    assert_eq!(listed(directory).await, [named("app", "reader"), named("board", "viewer")]);
    let again = tokens(directory, &["create", "--role", "admin", "--name", "app"]).await;
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.stderr.contains("a token `app` already exists"), "{}", again.stderr);
    let revoked = tokens(directory, &["revoke", "app"]).await;
    assert_eq!((revoked.code, revoked.stdout.trim()), (0, "app revoked"));
    assert_eq!(ask(&serving, token).await.0, 401);
    assert_eq!(tokens(directory, &["revoke", "app"]).await.code, 1);
    assert_eq!(tokens(directory, &["create", "--role", "admin", "--name", "a b"]).await.code, 2);
    let said = serving.terminate().await.1.join("\n");
    assert!(!said.contains(token) && !said.contains("dbt_"), "{said}");
    let log = std::fs::read(directory.join("deskbell.db")).unwrap();
    assert!(!log.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
}
