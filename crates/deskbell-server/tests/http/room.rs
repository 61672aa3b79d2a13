//! The memory that bodies share, and who gets none of it.

use std::time::Instant;

use deskbell_server::{IngestOptions, ServerOptions};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::listening::{Listening, listen, reply_head, rest, wire};
use crate::support::{EVENT, now_seconds, signed, signed_at};

/// Room for one body of this size.
const ROOM: usize = 100_000;

async fn narrow() -> Listening {
    let ingest = IngestOptions {
        body_bytes_max: ROOM,
        in_flight_bytes_max: ROOM,
        ..IngestOptions::default()
    };
    listen(ServerOptions::default(), ingest).await
}

fn large_event() -> String {
    format!("{EVENT}{}", " ".repeat(ROOM / 2))
}

/// Sends the head, and the body but for its last byte.
async fn all_but_the_end(listening: &Listening, head: &[u8], body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(head).await.unwrap();
    stream.write_all(&body[..body.len() - 1]).await.unwrap();
    stream
}

async fn deliver(listening: &Listening, message_id: &str) -> String {
    let (head, body) = wire(signed(message_id, large_event())).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    reply_head(&mut stream).await
}

#[tokio::test]
async fn a_body_that_stalls_makes_room_for_others() {
    let listening = narrow().await;
    let (head, body) = wire(signed("msg_forged", " ".repeat(ROOM))).await;
    let stalled = all_but_the_end(&listening, &head, &body).await;
    let started = Instant::now();
    for n in 0..3 {
        let reply = deliver(&listening, &format!("msg_{n}")).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    }
    assert!(started.elapsed().as_secs_f64() < 2.0, "{:?}", started.elapsed());
    let said = rest(stalled).await;
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("too_slow"), "{said}");
}

#[tokio::test]
async fn a_request_without_signature_headers_gets_no_room_and_its_reply() {
    let listening = narrow().await;
    let body = " ".repeat(ROOM);
    let unsigned = format!(
        "POST /api/webhooks HTTP/1.1\r\nhost: a\r\nsvix-id: msg_1\r\ncontent-length: {ROOM}\r\n\r\n"
    );
    let mut strangers = Vec::new();
    for _ in 0..3 {
        let stranger = all_but_the_end(&listening, unsigned.as_bytes(), body.as_bytes()).await;
        strangers.push(stranger);
    }
    assert!(deliver(&listening, "msg_1").await.starts_with("HTTP/1.1 200"));
    for mut stranger in strangers {
        // It is not reset while it still sends.
        stranger.write_all(b" ").await.unwrap();
        let said = rest(stranger).await;
        assert!(said.starts_with("HTTP/1.1 400"), "{said}");
        assert!(said.contains("verification_failed") && said.contains("connection: close"));
    }
}

#[tokio::test]
async fn requests_that_are_not_in_time_share_a_little_room_of_their_own() {
    let listening = narrow().await;
    let (head, body) = wire(signed_at("msg_old", " ".repeat(ROOM), now_seconds() - 4_000)).await;
    let stalled = all_but_the_end(&listening, &head, &body).await;
    let started = Instant::now();
    assert!(deliver(&listening, "msg_1").await.starts_with("HTTP/1.1 200"));
    assert!(started.elapsed().as_secs_f64() < 0.2, "nothing had to be cut");
    drop(stalled);
}
