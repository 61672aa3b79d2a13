//! `POST` on a source's path.

use axum::body::Body;
use clerk_webhooks::HeaderFamily;
use deskbell_server::IngestOptions;
use futures_util::future::join_all;
use http::{Method, Request};

use crate::support::{EVENT, TestServer, now_seconds, signed, signed_at, signed_in};

#[tokio::test]
async fn a_signed_event_is_acknowledged_and_stands_in_the_log() {
    let server = TestServer::start().await;
    let reply = server.send(signed("msg_1", EVENT)).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, r#"{"received":true}"#));
    assert_eq!(reply.header("content-type"), "application/json");
    let [event] = &server.log().await[..] else { panic!("one event") };
    assert_eq!(&*event.source, "clerk");
    assert_eq!(event.message_id, "msg_1");
    assert_eq!(event.event_type, "user.created");
    assert_eq!(event.subject.as_deref(), Some("user_1"));
    assert_eq!(event.occurred_at_ms, 1_654_012_591_835);
    assert_eq!(event.payload, EVENT);
}

#[tokio::test]
async fn a_duplicate_is_acknowledged_and_stored_once() {
    let server = TestServer::start().await;
    for _ in 0..3 {
        assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 200);
    }
    assert_eq!(server.log().await.len(), 1);
}

#[tokio::test]
async fn every_path_of_a_source_takes_its_events_and_no_other_sources() {
    let server = TestServer::start().await;
    for (path, status) in [("/api/webhooks", 200), ("/api/webhooks/clerk", 200), ("/staging", 400)]
    {
        let mut request = signed(path, EVENT);
        *request.uri_mut() = path.parse().unwrap();
        assert_eq!(server.send(request).await.status, status, "{path}");
    }
    assert_eq!(server.log().await.len(), 2);
}

#[tokio::test]
async fn a_bad_signature_is_told_nothing_but_that() {
    let server = TestServer::start().await;
    let old = signed_at("msg_1", EVENT, now_seconds() - 1_000);
    let mut tampered = signed("msg_1", EVENT);
    *tampered.body_mut() = Body::from(EVENT.replace("user_1", "user_2"));
    let mut unsigned = signed("msg_1", EVENT);
    unsigned.headers_mut().remove("svix-signature");
    for request in [old, tampered, unsigned] {
        let reply = server.send(request).await;
        assert_eq!(reply.status, 400);
        assert_eq!(reply.text, r#"{"error":"verification_failed"}"#);
    }
    assert_eq!(server.log().await, []);
}

#[tokio::test]
async fn strange_but_authentic_events_are_taken() {
    let server = TestServer::start().await;
    let deep = format!(r#"{{"type":"t","data":{}{}}}"#, "[".repeat(4_000), "]".repeat(4_000));
    let bodies = [
        r#"{"type":"made.up","data":null}"#,
        r#"{"type":"user.created"}"#,
        r#"{"type":"user.created","data":{"id":7},"timestamp":"soon","instance_id":[]}"#,
        r#"{"type":"user.created","data":{"id":"u","first_name":"\u0026\u003cb\u003e"}}"#,
        " {\"type\" : \"user.created\"}\n",
        &deep,
    ];
    for (n, body) in bodies.iter().enumerate() {
        let reply = server.send(signed(&format!("msg_{n}"), *body)).await;
        assert_eq!(reply.status, 200, "{body:.60}: {}", reply.text);
    }
    let stored: Vec<_> = server.log().await.into_iter().map(|event| event.event.payload).collect();
    assert_eq!(stored, bodies);
}

#[tokio::test]
async fn an_authentic_body_that_is_no_event_is_told_so() {
    let server = TestServer::start().await;
    let bodies: [&[u8]; 7] =
        [b"", b"hello", b"[]", b"{}", br#"{"type":7}"#, br#"{"type":"a""#, b"{\"type\":\"\xff\"}"];
    for body in bodies {
        let reply = server.send(signed("msg_1", body)).await;
        assert_eq!(reply.status, 400, "{body:?}");
        assert_eq!(reply.text, r#"{"error":"not_an_event"}"#, "{body:?}");
    }
    assert_eq!(server.log().await, []);
}

#[tokio::test]
async fn an_id_that_is_too_long_to_be_kept_is_refused_by_either_name() {
    let server = TestServer::start().await;
    for family in [HeaderFamily::Svix, HeaderFamily::Webhook] {
        let too_long = "m".repeat(257);
        let reply = server.send(signed_in(family, &too_long, EVENT, now_seconds())).await;
        assert_eq!((reply.status.as_u16(), &*reply.text), (400, r#"{"error":"not_an_event"}"#));
        assert_eq!(server.log().await, []);
    }
    let longest = "m".repeat(256);
    for family in [HeaderFamily::Svix, HeaderFamily::Webhook] {
        let reply = server.send(signed_in(family, &longest, EVENT, now_seconds())).await;
        assert_eq!(reply.status, 200, "{family:?}: {}", reply.text);
    }
    let [event] = &server.log().await[..] else { panic!("one event, by either name") };
    assert_eq!(event.message_id, longest);
}

#[tokio::test]
async fn an_event_about_something_with_an_endless_id_is_kept_without_a_subject() {
    let server = TestServer::start().await;
    let body = format!(r#"{{"type":"user.created","data":{{"id":"{}"}}}}"#, "u".repeat(257));
    assert_eq!(server.send(signed("msg_1", body.clone())).await.status, 200);
    let [event] = &server.log().await[..] else { panic!("one event") };
    assert_eq!((event.subject.as_deref(), &*event.payload), (None, body.as_bytes()));
}

#[tokio::test]
async fn other_methods_and_paths_are_answered_with_what_is_allowed() {
    let server = TestServer::start().await;
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        let request =
            Request::builder().method(&method).uri("/api/webhooks").body(Body::empty()).unwrap();
        let reply = server.send(request).await;
        assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "POST"), "{method}");
        if method != Method::HEAD {
            assert_eq!(reply.text, r#"{"error":"method_not_allowed"}"#);
        }
    }
    let mut elsewhere = signed("msg_1", EVENT);
    *elsewhere.uri_mut() = "/api/webhook".parse().unwrap();
    let reply = server.send(elsewhere).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (404, r#"{"error":"not_found"}"#));
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let server = TestServer::start().await;
    let fits = format!("{EVENT}{}", " ".repeat(10_000 - EVENT.len()));
    assert_eq!(server.send(signed("msg_1", fits.clone())).await.status, 200);
    let reply = server.send(signed("msg_2", format!("{fits} "))).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (413, r#"{"error":"too_large"}"#));
}

#[tokio::test]
async fn a_store_that_cannot_write_asks_for_another_try_and_loses_nothing() {
    let server = TestServer::start().await;
    server.store.set_broken(true);
    let reply = server.send(signed("msg_1", EVENT)).await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (503, r#"{"error":"overloaded"}"#));
    assert!(reply.header("retry-after").parse::<u32>().unwrap() > 0);
    server.store.set_broken(false);
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 200);
    assert_eq!(server.log().await.len(), 1);
}

#[tokio::test]
async fn too_much_at_once_is_asked_to_come_again() {
    let room_for_two = 2 * EVENT.len() + 1;
    let server = TestServer::with(IngestOptions {
        in_flight_bytes_max: room_for_two,
        ..IngestOptions::default()
    })
    .await;
    let requests = (0..10).map(|n| server.send(signed(&format!("msg_{n}"), EVENT)));
    let replies = join_all(requests).await;
    let acked = replies.iter().filter(|reply| reply.status == 200).count();
    let refused = replies.iter().filter(|reply| reply.status == 503).count();
    assert_eq!((acked, refused), (2, 8), "the rest found no room");
    assert_eq!(server.log().await.len(), acked);
    assert_eq!(server.send(signed("msg_later", EVENT)).await.status, 200, "room is given back");
}
