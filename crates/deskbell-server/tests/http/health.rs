//! `/healthz` and `/readyz`.

use std::time::Duration;

use http::Request;

use crate::support::{EVENT, TestServer, get, signed};

#[tokio::test]
async fn a_working_server_is_healthy_and_ready() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(server.send(get(path)).await.status, 200, "{path}");
        let post = Request::post(path).body(axum::body::Body::empty()).unwrap();
        let reply = server.send(post).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET, HEAD"), "{path}");
    }
}

#[tokio::test]
async fn a_store_that_cannot_write_is_not_ready_but_healthy() {
    let server = TestServer::start().await;
    server.store.set_broken(true);
    let reply = server.send(get("/readyz")).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.text, r#"{"ready":false,"reason":"store"}"#);
    assert_eq!(server.send(get("/healthz")).await.status, 200);
}

#[tokio::test]
async fn readiness_is_asked_of_the_store_at_most_once_a_second() {
    let server = TestServer::start().await;
    assert_eq!(server.send(get("/readyz")).await.status, 200);
    server.store.set_broken(true);
    tokio::time::pause();
    assert_eq!(server.send(get("/readyz")).await.status, 200, "the answer is a moment old");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(server.send(get("/readyz")).await.status, 503);
}

#[tokio::test]
async fn a_server_whose_newest_event_was_refused_is_not_ready_until_one_is_taken() {
    let server = TestServer::start().await;
    assert_eq!(server.send(get("/readyz")).await.status, 200);
    server.store.set_full(true);
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 503);
    let reply = server.send(get("/readyz")).await;
    assert_eq!(reply.status, 503, "although a mark can be written");
    assert_eq!(reply.text, r#"{"ready":false,"reason":"store"}"#);
    server.store.set_full(false);
    assert_eq!(server.send(get("/readyz")).await.status, 503, "nobody has tried yet");
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 200);
    assert_eq!(server.send(get("/readyz")).await.status, 200);
}

#[tokio::test]
async fn a_server_that_gets_no_events_is_ready_again_some_seconds_after_it_refused_one() {
    let server = TestServer::start().await;
    server.store.set_full(true);
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 503);
    after(Duration::from_millis(4_900)).await;
    assert_eq!(server.send(get("/readyz")).await.status, 503);
    server.store.set_broken(true);
    after(Duration::from_millis(200)).await;
    assert_eq!(server.send(get("/readyz")).await.status, 503, "the store cannot be written to");
    server.store.set_broken(false);
    after(Duration::from_secs(1)).await;
    assert_eq!(server.send(get("/readyz")).await.status, 200);
}

/// Sets the time forward. It runs on at once: the store's thread takes some.
async fn after(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
