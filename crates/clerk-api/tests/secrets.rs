//! The secret key is in the one header that it is for, and nowhere else.

use clerk_api::{API_VERSION, Client, SecretKey, lists};
use deskbell_sim::backend_api::Fault;

use super::raw_server::RawServer;
use super::support::{KEY, client, filled, options, serve, shown, wide_share};

#[tokio::test]
async fn every_request_has_the_key_and_the_version() {
    let server = RawServer::start("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]").await;
    let client = client(&server.url);
    assert!(client.pages(lists::USERS.walk()).next().await.unwrap().is_none());
    let head = server.heads().concat();
    let (line, headers) = head.split_once("\r\n").unwrap();
    assert_eq!(line, "GET /v1/users?order_by=%2Bcreated_at&limit=500 HTTP/1.1");
    for expected in [
        format!("authorization: Bearer {KEY}\r\n"),
        format!("clerk-api-version: {API_VERSION}\r\n"),
        "accept: application/json\r\n".to_owned(),
    ] {
        assert_eq!(headers.matches(&expected).count(), 1, "{headers}");
    }
}

#[tokio::test]
async fn the_key_is_in_no_error_and_no_debug_output() {
    // A server that repeats what it was sent.
    let body = format!(
        r#"{{"errors":[{{"message":"no {KEY}","long_message":"the key {KEY}\nis wrong","code":"{KEY}"}}],"clerk_trace_id":"{KEY}"}}"#
    );
    let echo = |status: &str| {
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\ncf-ray: {KEY}", body.len());
        RawServer::start(format!("{head}\r\n\r\n{body}"))
    };
    for status in ["401 Unauthorized", "500 Internal Server Error", "200 OK"] {
        let server = echo(status).await;
        let client = client(&server.url);
        let error = client.pages(lists::USERS.walk()).next().await.unwrap_err();
        assert!(!shown(&error).contains("Simulated"), "{}", shown(&error));
    }
    let server = RawServer::start("HTTP/1.1 2000 ?\r\n\r\n").await;
    let client = client(&server.url);
    let mut pages = client.pages(lists::USERS.walk());
    let error = pages.next().await.unwrap_err();
    assert!(!shown(&error).contains("Simulated"), "{}", shown(&error));

    let key = SecretKey::parse(KEY).unwrap();
    let all = format!("{client:?} {pages:?} {key:?} {:?}", options(&server.url));
    assert!(!all.contains("Simulated"), "{all}");
}

#[tokio::test]
async fn a_wrong_key_is_what_clerk_says_of_it() {
    let api = serve(&filled("users", 3), |_| Fault::None).await;
    let key = SecretKey::parse("sk_test_AnotherKey").unwrap();
    let client = Client::new(key, wide_share(), options(&api.url())).unwrap();
    let error = client.instance().await.unwrap_err();
    let rejected = error.api_error().unwrap();
    assert_eq!(rejected.status, 401);
    assert_eq!(rejected.code.as_deref(), Some("clerk_key_invalid"));
    assert!(rejected.trace_id.is_some());
    assert!(!error.is_transient());
    assert_eq!(api.requests(), 1, "it is not tried again");
}
