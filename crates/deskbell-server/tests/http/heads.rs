//! Heads of requests that two programs could read in two ways, and senders that say no more.

use deskbell_server::{IngestOptions, ServerOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::listening::{listen, rest, wire};
use crate::support::{EVENT, signed};

#[tokio::test]
async fn a_head_that_can_be_read_in_two_ways_is_refused() {
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    for head in [
        "GET /healthz HTTP/1.1\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
        "GET http://a/healthz HTTP/1.1\r\n\r\n",
        "POST /api/webhooks HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        "POST /api/webhooks HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n\r\n",
        "POST /api/webhooks HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        let body = if head.starts_with("POST") { chunks } else { "" };
        stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let said = rest(stream).await;
        assert!(said.starts_with("HTTP/1.1 400") && said.contains("malformed"), "{head}: {said}");
        assert_eq!(said.matches("HTTP/1.1").count(), 1, "{head}: {said}");
    }
    for head in [
        "GET /healthz HTTP/1.0\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let said = rest(stream).await;
        assert!(said.contains(" 200 OK"), "{head}: {said}");
    }
}

#[tokio::test]
async fn a_sender_that_has_no_more_to_say_gets_its_reply() {
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    listening.server.store.set_stuck(true);
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    // A second connection's reply shows that the first one's end has been seen.
    let mut other = TcpStream::connect(listening.address).await.unwrap();
    let ask = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    other.write_all(ask).await.unwrap();
    assert!(rest(other).await.starts_with("HTTP/1.1 200"));
    listening.server.store.set_stuck(false);
    assert!(rest(stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    let head = format!("GET /healthz HTTP/1.1\r\nhost: a\r\nx-much: {}", "x".repeat(64 << 10));
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = rest(stream).await;
    assert!(said.starts_with("HTTP/1.1 431"), "{said}");
}
