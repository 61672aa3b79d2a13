//! The routes that answer for one entity of a mirror.

use std::time::Duration;

use axum::body::Body;
use deskbell_server::RequestedEntity;
use http::Request;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::support::{ADMIN_TOKEN, TestServer, by, get};

fn asking(path: &str) -> Request<Body> {
    by(ADMIN_TOKEN, get(path))
}

#[tokio::test]
async fn a_row_is_answered_to_who_has_the_token() {
    let server = TestServer::start().await;
    let path = "/api/v1/users/user_1?wait=6s&destination=app";
    let reply = server.send(asking(path)).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, r#"{"id":"user_1"}"#));
    assert_eq!(reply.header("content-type"), "application/json");
    for path in [path, "/api/v1/organizations/org_1", "/api/v1/organization_memberships"] {
        let reply = server.send(get(path)).await;
        assert_eq!((reply.status.as_u16(), &*reply.error()), (401, "unauthorized"));
    }
    let query = "user_id=user_1&organization_id=org_1";
    let path = format!("/api/v1/organization_memberships?{query}");
    assert_eq!(server.send(asking(&path)).await.status, 200);
    let asked = server.entities.asked.lock().unwrap();
    assert_eq!(asked.len(), 2, "strangers reach nothing");
    assert_eq!(
        (asked[0].wait, asked[0].destination.as_deref()),
        (Duration::from_secs(6), Some("app"))
    );
    let (user_id, organization_id) = ("user_1".to_owned(), "org_1".to_owned());
    assert_eq!(asked[1].entity, RequestedEntity::Membership { user_id, organization_id });
}

#[tokio::test]
async fn an_error_has_a_code_and_says_nothing_else() {
    let server = TestServer::start().await;
    for (path, status, code) in [
        ("users/user_2", 404, "not_found"),
        ("users/user_nowhere", 404, "no_mirror"),
        ("users/user_%20", 400, "invalid_id"),
        ("users/user_1?wait=1h", 400, "invalid_wait"),
        ("users/user_1?wiat=1s", 400, "invalid_parameter"),
        ("users/user_mirror", 503, "mirror_unavailable"),
        ("users/user_clerk", 503, "clerk_unavailable"),
    ] {
        let reply = server.send(asking(&format!("/api/v1/{path}"))).await;
        assert_eq!((reply.status.as_u16(), &*reply.error()), (status, code), "{path}");
        assert!(!reply.text.contains("hunter2"), "{path}");
        assert_eq!(reply.header("retry-after"), if status == 503 { "5" } else { "" }, "{path}");
    }
    let mut posting = asking("/api/v1/users/user_1");
    *posting.method_mut() = http::Method::POST;
    assert_eq!(server.send(posting).await.status, 405);
}

#[tokio::test]
async fn many_who_wait_leave_room_for_events() {
    let server = TestServer::start().await;
    let mut waiting = JoinSet::new();
    for _ in 0..512 {
        waiting.spawn(server.router.clone().oneshot(asking("/api/v1/users/user_waits?wait=30s")));
    }
    while server.entities.asked.lock().unwrap().len() < 512 {
        tokio::task::yield_now().await;
    }
    let reply = server.send(asking("/api/v1/users/user_1")).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (503, "overloaded"));
    assert_eq!(reply.header("retry-after"), "5");
    waiting.shutdown().await;
    assert_eq!(server.send(asking("/api/v1/users/user_1")).await.status, 200);
}
