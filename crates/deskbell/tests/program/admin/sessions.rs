//! Sessions of browsers end with what began them.

use std::path::Path;

use crate::program::support::{Serving, deskbell, directory, http_client, run};

const TOKEN: &str = "an-admin-token-of-more-than-32-characters";

async fn start(directory: &Path, token: &str) -> Serving {
    let mut command = deskbell(directory);
    command.env("DESKBELL_ADMIN_TOKEN", token);
    Serving::of(command).await
}

/// The cookie of a session that this token begins.
async fn sign_in(serving: &Serving, token: &str) -> String {
    deskbell::install_crypto();
    // The cookie is in the redirect.
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let reply = client
        .build()
        .unwrap()
        .post(format!("http://{}/sign-in", serving.address))
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}"))
        .send()
        .await
        .unwrap();
    let cookie = reply.headers().get("set-cookie").expect("a session").to_str().unwrap();
    cookie.split(';').next().unwrap().to_owned()
}

async fn is_signed_in(serving: &Serving, cookie: &str) -> bool {
    let url = format!("http://{}/api/v1/overview", serving.address);
    let reply = http_client().get(url).header("cookie", cookie).send().await.unwrap();
    reply.status().is_success()
}

#[tokio::test]
async fn a_new_admin_token_ends_the_sessions_of_the_one_before() {
    let directory = directory();
    let path = directory.path();
    let viewer = run(path, &["tokens", "create", "--role", "viewer", "--name", "board"]).await;
    let serving = start(path, TOKEN).await;
    let admin = sign_in(&serving, TOKEN).await;
    let viewer = sign_in(&serving, viewer.stdout.trim()).await;
    assert_eq!(serving.terminate().await.0, 0);
    let serving = start(path, TOKEN).await;
    assert!(is_signed_in(&serving, &admin).await, "the token is the same");
    assert_eq!(serving.terminate().await.0, 0);
    let serving = start(path, &TOKEN.replace("an-", "another-")).await;
    assert!(!is_signed_in(&serving, &admin).await);
    assert!(is_signed_in(&serving, &viewer).await, "it has a token of its own");
    assert_eq!(run(path, &["tokens", "revoke", "board"]).await.code, 0);
    assert!(!is_signed_in(&serving, &viewer).await);
    let links = run(path, &["tokens", "revoke", "sign-in link"]).await;
    assert_eq!((links.code, links.stdout.trim()), (0, "sign-in link revoked"));
}
