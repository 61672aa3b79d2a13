//! Events as they come.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use deskbell_server::ServerOptions;
use deskbell_store::TokenRole;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tower::ServiceExt;

use crate::listening::{listen_to, wire};
use crate::support::{ADMIN_TOKEN, TestServer, by, get, within};

/// A stream of events, as a browser reads it.
struct Following {
    body: BodyDataStream,
    read: String,
}

impl Following {
    async fn start(server: &TestServer, query: &str) -> Self {
        let request = by(ADMIN_TOKEN, get(&format!("/api/v1/events/tail{query}")));
        Self::of(server.router.clone().oneshot(request).await.unwrap())
    }

    fn of(reply: Response<Body>) -> Self {
        assert_eq!(reply.status(), 200);
        assert_eq!(reply.headers()["content-type"], "text/event-stream");
        assert_eq!(reply.headers()["cache-control"], "no-store");
        Self { body: reply.into_body().into_data_stream(), read: String::new() }
    }

    /// The text up to the next empty line.
    async fn next(&mut self) -> String {
        loop {
            if let Some((block, rest)) = self.read.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.read = rest;
                return block;
            }
            let piece = self.body.next().await.expect("it goes on").unwrap();
            self.read += std::str::from_utf8(&piece).unwrap();
        }
    }

    /// The next event. It comes sooner than the log is read without a hint.
    async fn event(&mut self) -> Value {
        let block = within(4, self.next()).await;
        let field = |name: &str| {
            let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            line.unwrap_or_else(|| panic!("no {name}: {block}")).to_owned()
        };
        assert_eq!(field("event"), "event");
        let data: Value = serde_json::from_str(&field("data")).unwrap();
        assert_eq!(field("id"), data["seq"].to_string());
        data
    }

    async fn seqs(&mut self, count: usize) -> Vec<i64> {
        let mut seqs = Vec::new();
        while seqs.len() < count {
            seqs.push(self.event().await["seq"].as_i64().unwrap());
        }
        seqs
    }
}

#[tokio::test]
async fn what_comes_is_sent_from_now_on() {
    let server = TestServer::start().await;
    server.admin.append("user.created", "user_1");
    let mut following = Following::start(&server, "").await;
    server.admin.append("user.updated", "user_1");
    let event = following.event().await;
    assert_eq!((&event["seq"], &event["type"]), (&json!(2), &json!("user.updated")));
    assert_eq!(event.get("payload"), None);
}

#[tokio::test]
async fn nothing_is_missed_that_comes_while_the_log_is_read() {
    let server = TestServer::start().await;
    for _ in 0..5 {
        server.admin.append("user.updated", "user_1");
    }
    server.admin.append_while_read(20);
    let mut following = Following::start(&server, "?after=0").await;
    assert_eq!(following.seqs(25).await, (1..=25).collect::<Vec<_>>());
    server.admin.append("user.updated", "user_1");
    assert_eq!(following.seqs(1).await, [26], "and it goes on");
}

#[tokio::test]
async fn many_writers_and_one_reader_agree_on_the_order() {
    let server = TestServer::start().await;
    let mut following = Following::start(&server, "?after=0").await;
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let admin = Arc::clone(&server.admin);
        writers.spawn(async move {
            for _ in 0..50 {
                admin.append("user.updated", "user_1");
                tokio::task::yield_now().await;
            }
        });
    }
    assert_eq!(following.seqs(200).await, (1..=200).collect::<Vec<_>>());
    writers.join_all().await;
}

#[tokio::test]
async fn a_browser_that_comes_back_goes_on_where_it_was() {
    let server = TestServer::start().await;
    for _ in 0..4 {
        server.admin.append("user.updated", "user_1");
    }
    let mut request = by(ADMIN_TOKEN, get("/api/v1/events/tail?after=0"));
    request.headers_mut().insert("last-event-id", "2".parse().unwrap());
    let mut following = Following::of(server.router.clone().oneshot(request).await.unwrap());
    assert_eq!(following.seqs(2).await, [3, 4]);
    let mut request = by(ADMIN_TOKEN, get("/api/v1/events/tail"));
    request.headers_mut().insert("last-event-id", "x".parse().unwrap());
    assert_eq!(server.send(request).await.status, 400);
}

#[tokio::test]
async fn only_what_is_asked_for_is_sent() {
    let server = TestServer::start().await;
    for (event_type, subject) in [
        ("user.created", "user_1"),
        ("session.created", "sess_1"),
        ("user.updated", "user_2"),
        ("email.created", "ema_1"),
    ] {
        server.admin.append(event_type, subject);
    }
    for (query, expected) in [
        ("type=user.*", vec![1, 3]),
        ("type=session.created&type=user.updated", vec![2, 3]),
        ("type=email.created", vec![4]),
        ("subject=user_2", vec![3]),
        ("source=clerk&type=user.created", vec![1]),
    ] {
        let mut following = Following::start(&server, &format!("?after=0&{query}")).await;
        assert_eq!(following.seqs(expected.len()).await, expected, "{query}");
    }
    let mut following = Following::start(&server, "?after=0&source=other").await;
    let nothing = tokio::time::timeout(Duration::from_millis(100), following.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test]
async fn payloads_are_sent_to_who_asks_but_no_codes() {
    let server = TestServer::start().await;
    server.admin.append("user.created", "user_1");
    server.admin.append("sms.created", "sms_1");
    let mut following = Following::start(&server, "?after=0&payload=true").await;
    assert_eq!(following.event().await["payload"]["data"]["first_name"], "Ada");
    assert_eq!(following.event().await.get("payload"), None);
    let named = "?after=0&payload=true&type=sms.created";
    let mut following = Following::start(&server, named).await;
    assert_eq!(following.event().await["payload"]["data"]["id"], "sms_1");
}

#[tokio::test]
async fn a_comment_says_that_the_stream_is_there() {
    let server = TestServer::start().await;
    let mut following = Following::start(&server, "").await;
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    assert_eq!(following.next().await, ":");
    assert_eq!(started.elapsed().as_secs(), 15);
}

#[tokio::test]
async fn streams_are_few() {
    let server = TestServer::start().await;
    let mut following = Vec::new();
    for _ in 0..64 {
        following.push(Following::start(&server, "").await);
    }
    let reply = server.send(by(ADMIN_TOKEN, get("/api/v1/events/tail"))).await;
    assert_eq!((reply.status.as_u16(), &*reply.error()), (503, "overloaded"));
    assert_eq!(server.send(by(ADMIN_TOKEN, get("/api/v1/overview"))).await.status, 200);
    following.pop();
    following.push(Following::start(&server, "").await);
}

#[tokio::test]
async fn a_stream_ends_soon_after_its_token_is_revoked() {
    let server = TestServer::start().await;
    let viewer = server.admin.token(TokenRole::Viewer);
    let request = by(viewer.expose(), get("/api/v1/events/tail"));
    let mut following = Following::of(server.router.clone().oneshot(request).await.unwrap());
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(following.next().await, ":", "it goes on");
    assert!(server.admin.revoke(TokenRole::Viewer.as_str()));
    while following.body.next().await.is_some() {}
    assert!(started.elapsed() <= Duration::from_secs(61), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_stopping_server_ends_the_streams() {
    let server = TestServer::start().await;
    let viewer = server.admin.token(TokenRole::Viewer);
    let mut listening = listen_to(server, ServerOptions::default(), None).await;
    listening.server.admin.append("user.created", "user_1");
    let (head, _) = wire(by(viewer.expose(), get("/api/v1/events/tail?after=0"))).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&head).await.unwrap();
    let mut said = String::new();
    while !said.contains("\"user.created\"") {
        let mut bytes = vec![0; 4_096];
        let read = within(10, stream.read(&mut bytes)).await.unwrap();
        assert_ne!(read, 0, "{said}");
        said += std::str::from_utf8(&bytes[..read]).unwrap();
    }
    let started = Instant::now();
    listening.shutdown.cancel();
    within(10, listening.running.join_next()).await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "before the grace period is over");
    let mut rest = String::new();
    within(10, stream.read_to_string(&mut rest)).await.unwrap();
    assert!(rest.ends_with("0\r\n\r\n"), "it ends as it should: {rest:?}");
}
