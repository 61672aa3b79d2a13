//! The routes that the admin token opens.

use http::header::AUTHORIZATION;

use crate::support::{ADMIN_TOKEN, TestServer, get};

#[tokio::test]
async fn metrics_need_the_admin_token() {
    let server = TestServer::start().await;
    let reply = server.send(get("/metrics")).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (401, r#"{"error":"unauthorized"}"#));
    let mut asking = get("/metrics");
    asking.headers_mut().insert(AUTHORIZATION, format!("Bearer {ADMIN_TOKEN}").parse().unwrap());
    let reply = server.send(asking).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, "deskbell_up 1\n"));
}
