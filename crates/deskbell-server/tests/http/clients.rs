//! From where events may come.

use deskbell_server::{AllowedClients, IngestOptions, ServerOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::listening::{Listening, listen_to, reply_head, rest, wire};
use crate::support::{EVENT, TestServer, get, signed};

async fn allowing(allowed: &[&str], proxies: &[&str]) -> Listening {
    let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    let clients =
        AllowedClients { allowed_ips: networks(allowed), trusted_proxies: networks(proxies) };
    let server = TestServer::allowing(clients, IngestOptions::default()).await;
    listen_to(server, ServerOptions::default(), None).await
}

/// Sends an event with this header, where it is not empty.
async fn deliver(listening: &Listening, forwarded_for: &str) -> String {
    let mut request = signed("msg_1", EVENT);
    if !forwarded_for.is_empty() {
        request.headers_mut().insert("x-forwarded-for", forwarded_for.parse().unwrap());
    }
    let (head, body) = wire(request).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    reply_head(&mut stream).await
}

#[tokio::test]
async fn a_stranger_is_refused_before_its_body_is_read() {
    let listening = allowing(&["203.0.113.0/24"], &[]).await;
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&head).await.unwrap();
    let said = reply_head(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 403") && said.contains("forbidden"), "{said}");
    stream.write_all(&body).await.unwrap();
    assert_eq!(rest(stream).await, "", "it is not reset");
    assert!(
        deliver(&listening, "203.0.113.5").await.starts_with("HTTP/1.1 403"),
        "no proxy said so"
    );
}

#[tokio::test]
async fn the_client_behind_a_trusted_proxy_counts() {
    let listening = allowing(&["203.0.113.0/24"], &["127.0.0.0/8"]).await;
    for (forwarded_for, status) in [
        ("203.0.113.5", 200),
        ("203.0.113.5, 127.0.0.2", 200),
        ("203.0.113.5, 198.51.100.1", 403),
        ("198.51.100.1", 403),
        ("", 403),
    ] {
        let reply = deliver(&listening, forwarded_for).await;
        assert!(reply.starts_with(&format!("HTTP/1.1 {status}")), "{forwarded_for}: {reply}");
    }
}

#[tokio::test]
async fn health_and_admin_routes_are_open_to_all() {
    let clients = AllowedClients {
        allowed_ips: vec!["203.0.113.0/24".parse().unwrap()],
        ..AllowedClients::default()
    };
    let server = TestServer::allowing(clients, IngestOptions::default()).await;
    for (path, status) in [("/healthz", 200), ("/readyz", 200), ("/metrics", 401)] {
        assert_eq!(server.send(get(path)).await.status, status, "{path}");
    }
    assert_eq!(server.send(signed("msg_1", EVENT)).await.status, 403);
}
