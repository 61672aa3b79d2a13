//! Real connections: slow ones, large ones, and the end of the server.

use std::time::Duration;

use deskbell_server::{IngestOptions, ServerOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::listening::{listen, reply_head, rest, wire};
use crate::support::{EVENT, signed, within};

#[tokio::test]
async fn a_client_that_trickles_its_head_is_let_go() {
    let options =
        ServerOptions { head_timeout: Duration::from_millis(50), ..ServerOptions::default() };
    let listening = listen(options, IngestOptions::default()).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(b"POST /api/webhooks HTTP/1.1\r\nhost:").await.unwrap();
    let said = rest(stream).await;
    assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
}

#[tokio::test]
async fn a_client_that_trickles_its_body_is_told_so() {
    let ingest =
        IngestOptions { body_timeout: Duration::from_millis(50), ..IngestOptions::default() };
    let listening = listen(ServerOptions::default(), ingest).await;
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&head).await.unwrap();
    stream.write_all(&body[..10]).await.unwrap();
    let said = rest(stream).await;
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("too_slow"), "{said}");
}

#[tokio::test]
async fn an_announced_body_over_the_limit_is_refused_before_it_is_sent() {
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    let head = "POST /api/webhooks HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let said = reply_head(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 413"), "{said}");
}

#[tokio::test]
async fn a_chunked_body_is_taken() {
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let head = String::from_utf8(head).unwrap();
    let head =
        head.replace(&format!("content-length: {}", body.len()), "transfer-encoding: chunked");
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    for chunk in body.chunks(7) {
        let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        stream.write_all(&framed).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let said = reply_head(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(listening.server.log().await[0].payload, EVENT);
}

#[tokio::test]
async fn an_event_whose_sender_hangs_up_after_the_last_byte_is_kept() {
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let mut head_moves = deskbell_store::EventLog::subscribe(&*listening.server.store);
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    drop(stream);
    within(10, head_moves.wait_for(|head| head.get() == 1)).await.unwrap();
    assert_eq!(listening.server.log().await.len(), 1);
}

#[tokio::test]
async fn a_stopping_server_finishes_the_request_in_hand() {
    let mut listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&head).await.unwrap();
    stream.write_all(&body[..10]).await.unwrap();
    // A second connection's reply shows that the first one's request has been accepted too.
    let mut other = TcpStream::connect(listening.address).await.unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    reply_head(&mut other).await;
    listening.shutdown.cancel();
    stream.write_all(&body[10..]).await.unwrap();
    let said = rest(stream).await;
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    within(10, listening.running.join_next()).await.unwrap().unwrap();
    assert_eq!(listening.server.log().await.len(), 1);
    TcpStream::connect(listening.address).await.unwrap_err();
}

#[tokio::test]
async fn a_stopping_server_cuts_what_does_not_finish_in_time() {
    let options = ServerOptions { grace: Duration::from_millis(50), ..ServerOptions::default() };
    let mut listening = listen(options, IngestOptions::default()).await;
    let (head, _) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&head).await.unwrap();
    let mut other = TcpStream::connect(listening.address).await.unwrap();
    other.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    reply_head(&mut other).await;
    listening.shutdown.cancel();
    within(10, listening.running.join_next()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_stopping_server_waits_for_no_idle_client_to_hang_up() {
    let mut listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let mut idle = TcpStream::connect(listening.address).await.unwrap();
    idle.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    reply_head(&mut idle).await;
    let started = std::time::Instant::now();
    listening.shutdown.cancel();
    within(10, listening.running.join_next()).await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}
