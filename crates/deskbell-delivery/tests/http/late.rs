//! Receivers that take their time: the deadline is one, and it holds.

use std::time::Duration;

use deskbell_delivery::Outcome;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::interval;

use super::support::{Receiver, Request, SHORT, attempt, config, retry_reason};

const NO_ANSWER: &str = "no answer within 300 ms";

/// Writes these bytes one at a time, again and again.
async fn trickle(stream: &mut TcpStream, bytes: &[u8]) {
    let mut tick = interval(Duration::from_millis(10));
    for byte in bytes.iter().cycle() {
        tick.tick().await;
        if stream.write_all(&[*byte]).await.is_err() {
            break;
        }
    }
}

#[tokio::test]
async fn one_that_never_answers() {
    let receiver = Receiver::stalling_after(b"").await;
    let attempt = attempt(&receiver.channel(), SHORT).await;
    assert_eq!(retry_reason(&attempt), NO_ANSWER);
    assert_eq!((attempt.status, attempt.reply.len()), (None, 0));
}

#[tokio::test]
async fn one_that_never_reads() {
    let receiver = Receiver::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(retry_reason(&attempt(&receiver.channel(), SHORT).await), NO_ANSWER);
}

#[tokio::test]
async fn one_that_stops_in_the_headers() {
    for part in ["HTTP/1.1 200 OK\r\ncontent-le", "HTTP/1.1 2", "HTTP/1.1 100 Continue\r\n\r\n"] {
        let receiver = Receiver::stalling_after(part.as_bytes()).await;
        assert_eq!(retry_reason(&attempt(&receiver.channel(), SHORT).await), NO_ANSWER, "{part}");
    }
}

#[tokio::test]
async fn one_that_trickles_headers_for_ever() {
    let receiver = Receiver::start(|mut stream| async move {
        Request::read(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n").await.unwrap();
        trickle(&mut stream, b"a: b\r\n").await;
    })
    .await;
    assert_eq!(retry_reason(&attempt(&receiver.channel(), SHORT).await), NO_ANSWER);
}

#[tokio::test]
async fn one_that_says_continue_for_ever() {
    let receiver = Receiver::start(|mut stream| async move {
        Request::read(&mut stream).await;
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(retry_reason(&attempt(&receiver.channel(), SHORT).await), NO_ANSWER);
}

#[tokio::test]
async fn one_that_stops_in_the_body_has_answered() {
    let part = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nso far";
    let receiver = Receiver::stalling_after(part).await;
    let attempt = attempt(&receiver.channel(), SHORT).await;
    assert_eq!(attempt.outcome, Outcome::Delivered);
    assert_eq!((attempt.status, &attempt.reply[..]), (Some(200), &b"so far"[..]));
}

#[tokio::test]
async fn one_that_trickles_the_body_for_ever() {
    let receiver = Receiver::start(|mut stream| async move {
        Request::read(&mut stream).await;
        let head = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 60\r\n\r\n";
        stream.write_all(head).await.unwrap();
        trickle(&mut stream, b".").await;
    })
    .await;
    let attempt = attempt(&receiver.channel(), SHORT).await;
    let reason = "the receiver answered 503 Service Unavailable".to_owned();
    let after = Some(Duration::from_secs(60));
    assert_eq!(attempt.outcome, Outcome::Retry { after, reason });
    assert!(!attempt.reply.is_empty());
}

#[tokio::test]
async fn a_handshake_that_nobody_answers() {
    let receiver = Receiver::stalling_after(b"").await;
    let url = receiver.url().as_str().replace("http://", "https://");
    let channel = deskbell_delivery::HttpChannel::new(&config(&url)).unwrap();
    assert_eq!(retry_reason(&attempt(&channel, SHORT).await), NO_ANSWER);
}
