//! What admin requests may take: bodies, time, and slots that webhooks do not need.

use axum::body::Body;
use deskbell_server::{AdminState, AllowedClients, IngestOptions};
use deskbell_store::{AccessToken, TokenRole};
use futures_util::StreamExt;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::support::{ADMIN_TOKEN, EVENT, TestServer, by, get, in_session, post, signed, within};

#[tokio::test]
async fn an_admin_body_over_the_limit_is_refused() {
    let server = TestServer::start().await;
    let body = |bytes: usize| " ".repeat(bytes);
    let most = 256 << 10;
    let reply = server.send(by(ADMIN_TOKEN, post("/api/v1/replay", body(most)))).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (400, "invalid_body"));
    let reply = server.send(by(ADMIN_TOKEN, post("/api/v1/replay", body(most + 1)))).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (413, "too_large"));
    assert_eq!(reply.header("connection"), "close");
    let reply = server.send(post("/api/v1/replay", body(most + 1))).await;
    assert_eq!(reply.status, 401, "a stranger's is not read");
}

#[tokio::test]
async fn an_admin_body_that_trickles_in_is_not_waited_for() {
    let server = TestServer::start().await;
    let endless = Body::from_stream(futures_util::stream::pending::<Result<&str, axum::Error>>());
    tokio::time::pause();
    let reply = server.send(by(ADMIN_TOKEN, post("/api/v1/replay", endless))).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (408, "too_slow"));
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_given_up() {
    let server = TestServer::start().await;
    tokio::time::pause();
    let reply = server.send(by(ADMIN_TOKEN, get("/dashboard/waits"))).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (503, "timed_out"));
    assert_eq!(reply.header("retry-after"), "5");
}

#[tokio::test]
async fn many_admin_requests_leave_room_for_events() {
    let server = TestServer::start().await;
    let mut waiting = JoinSet::new();
    for _ in 0..128 {
        waiting.spawn(server.router.clone().oneshot(by(ADMIN_TOKEN, get("/dashboard/waits"))));
    }
    let overview = async || {
        let reply = server.send(by(ADMIN_TOKEN, get("/api/v1/overview"))).await;
        (reply.status.as_u16(), reply.error())
    };
    while overview().await.0 == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(overview().await, (503, "overloaded".to_owned()));
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 200);
    assert_eq!(server.send(get("/sign-in")).await.status, 200);
    waiting.shutdown().await;
    assert_eq!(overview().await.0, 200);
}

#[tokio::test]
async fn pages_that_anybody_may_see_have_slots_of_their_own() {
    let server = TestServer::start().await;
    let mut waiting = JoinSet::new();
    for _ in 0..64 {
        waiting.spawn(server.router.clone().oneshot(get("/dashboard/assets/waits")));
    }
    let sign_in = async || server.send(get("/sign-in")).await;
    while sign_in().await.status == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(sign_in().await.error(), "overloaded");
    let reply = server.send(by(ADMIN_TOKEN, get("/api/v1/overview"))).await;
    assert_eq!(reply.status, 200, "whoever is known is answered");
    waiting.shutdown().await;
    assert_eq!(sign_in().await.status, 200);
}

#[tokio::test]
async fn admin_bodies_share_a_little_room() {
    let server = TestServer::start().await;
    let stalls = || {
        let some = futures_util::stream::iter([Ok::<_, axum::Error>(" ".repeat(256 << 10))]);
        Body::from_stream(some.chain(futures_util::stream::pending()))
    };
    let mut stalled = JoinSet::new();
    for _ in 0..64 {
        let request = by(ADMIN_TOKEN, post("/api/v1/replay", stalls()));
        stalled.spawn(server.router.clone().oneshot(request));
    }
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
    let replay = by(ADMIN_TOKEN, post("/api/v1/replay", r#"{"message_id":"msg_1"}"#));
    assert_eq!(server.send(replay).await.status, 200);
    let cut = within(5, stalled.join_next()).await.unwrap().unwrap().unwrap();
    assert_eq!(cut.status(), 408, "the oldest made room");
    stalled.shutdown().await;
}

#[tokio::test]
async fn whoever_makes_tokens_up_waits_for_others_who_do() {
    let server = TestServer::start().await;
    let token = server.admin.token(TokenRole::Viewer);
    let overview = |token: &str| by(token, get("/api/v1/overview"));
    assert_eq!(server.send(overview(token.expose())).await.status, 200);
    let session = server.admin.session_of(TokenRole::Viewer);
    server.admin.set_hangs(true);
    let forged = || overview(AccessToken::random().expose());
    let mut waiting = JoinSet::new();
    for _ in 0..16 {
        waiting.spawn(server.router.clone().oneshot(forged()));
    }
    // The first of them are looked for, four at a time.
    while server.admin.asked.lock().unwrap().len() < 4 {
        tokio::task::yield_now().await;
    }
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
    let reply = server.send(forged()).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (503, "overloaded"));
    assert_eq!(server.admin.take_asked().len(), 4);
    let reply = server.send(overview(ADMIN_TOKEN)).await;
    assert_eq!(reply.status, 200, "the token of the config is looked for nowhere");
    let reply = server.send(overview(token.expose())).await;
    assert_eq!(reply.status, 200, "a token that was valid before is no stranger's");
    waiting.shutdown().await;
    let reply = server.send(in_session(&session, get("/api/v1/overview"))).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn what_was_counted_outlives_the_routes() {
    let state = AdminState::default();
    let start = async || {
        let (clients, ingest) = (AllowedClients::default(), IngestOptions::default());
        TestServer::changed(clients, ingest, |app| app.state = state.clone()).await
    };
    let server = start().await;
    let mut waiting = JoinSet::new();
    for _ in 0..128 {
        waiting.spawn(server.router.clone().oneshot(by(ADMIN_TOKEN, get("/dashboard/waits"))));
    }
    let overview =
        async |server: &TestServer| server.send(by(ADMIN_TOKEN, get("/api/v1/overview"))).await;
    while overview(&server).await.status == 200 {
        tokio::task::yield_now().await;
    }
    let next = start().await;
    assert_eq!(overview(&next).await.error(), "overloaded");
    waiting.shutdown().await;
    assert_eq!(overview(&next).await.status, 200);
}
