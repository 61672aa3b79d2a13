//! `/healthz` and `/readyz`.

use std::time::Duration;

use deskbell_sync::status::{BlockedPart, Failure, MirrorState};
use http::Request;

use crate::support::{EVENT, TestServer, after, get, now_seconds, signed};

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
    assert_eq!(server.send(get("/readyz")).await.status, 503, "cannot write to the store");
    server.store.set_broken(false);
    after(Duration::from_secs(1)).await;
    assert_eq!(server.send(get("/readyz")).await.status, 200);
}

fn waiting(minutes: i64) -> MirrorState {
    let now_ms = i64::try_from(now_seconds()).unwrap() * 1_000;
    MirrorState::Waiting(Failure {
        since_ms: now_ms - minutes * 60_000,
        error: "the mirror's database is not available".to_owned(),
        cause: Some("password of hunter2 refused".to_owned()),
        is_of_clerk: false,
    })
}

#[tokio::test]
async fn a_mirror_that_does_not_go_on_is_not_ready_where_it_is_asked_strictly() {
    let blocked = MirrorState::Blocked(vec![BlockedPart {
        name: "users".to_owned(),
        seq: 1,
        since_ms: Some(0),
        reason: "permission denied for table users".to_owned(),
    }]);
    let waits = "the mirror's database is not available";
    let refuses = "the database refuses every row of users";
    for (state, wanted) in [
        (MirrorState::Following, None),
        (MirrorState::Behind, None),
        (waiting(4), None),
        (waiting(6), Some(("waiting", waits))),
        (blocked, Some(("blocked", refuses))),
    ] {
        let server = TestServer::start().await;
        server.mirrors.set("app", state);
        assert_eq!(server.send(get("/readyz")).await.status, 200, "{wanted:?}");
        for path in ["/readyz?strict", "/readyz?a=b&strict=1"] {
            let reply = server.send(get(path)).await;
            let Some((name, reason)) = wanted else {
                assert_eq!(reply.text, r#"{"ready":true}"#);
                continue;
            };
            assert_eq!(reply.status, 503, "{}", reply.text);
            let body: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
            assert_eq!((&body["ready"], &body["reason"]), (&false.into(), &"mirror".into()));
            let mirror = &body["mirrors"][0];
            assert_eq!(mirror["destination"], "app");
            assert_eq!((&mirror["state"], &mirror["reason"]), (&name.into(), &reason.into()));
            assert!(mirror["since"].is_string(), "{mirror}");
            assert!(!reply.text.contains("hunter2") && !reply.text.contains("permission"));
        }
    }
}

#[tokio::test]
async fn a_silent_source_is_not_ready_where_it_is_asked_strictly() {
    for is_stuck in [false, true] {
        let server = TestServer::start().await;
        server.silent.set("clerk", 1_764_412_500_000);
        if is_stuck {
            server.mirrors.set("app", waiting(6));
        }
        assert_eq!(server.send(get("/readyz")).await.status, 200);
        let reply = server.send(get("/readyz?strict")).await;
        assert_eq!(reply.status, 503);
        let body: serde_json::Value = serde_json::from_str(&reply.text).unwrap();
        let reason = if is_stuck { "mirror" } else { "silence" };
        assert_eq!((&body["ready"], &body["reason"]), (&false.into(), &reason.into()));
        let silent =
            serde_json::json!([{ "source": "clerk", "since": "2025-11-29T10:35:00.000Z" }]);
        assert_eq!(body["sources"], silent);
        assert_eq!(body.get("mirrors").is_some(), is_stuck);
    }
}

#[tokio::test]
async fn a_store_that_cannot_write_is_not_ready_however_it_is_asked() {
    let server = TestServer::start().await;
    server.mirrors.set("app", waiting(6));
    server.store.set_broken(true);
    let reply = server.send(get("/readyz?strict")).await;
    assert_eq!(reply.text, r#"{"ready":false,"reason":"store"}"#);
}
