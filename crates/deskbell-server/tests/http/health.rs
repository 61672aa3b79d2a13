//! `/healthz` and `/readyz`.

use http::Request;

use crate::support::{TestServer, get};

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
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(server.send(get("/readyz")).await.status, 503);
}
