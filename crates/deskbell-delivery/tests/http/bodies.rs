//! Replies' bodies: a part is kept, and none of them decides anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deskbell_delivery::Outcome;
use deskbell_store::deliveries::REPLY_BYTES_MAX;
use tokio::io::AsyncWriteExt;

use super::support::{LONG, Receiver, Request, SHORT, attempt};

/// Sends this head and then more and more of a body; counts the bytes that we let it send.
async fn pouring(head: &'static str, body_bytes_max: usize) -> (Receiver, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let receiver = Receiver::start(move |mut stream| {
        let count = Arc::clone(&count);
        async move {
            Request::read(&mut stream).await;
            stream.write_all(head.as_bytes()).await.unwrap();
            let piece = [b'x'; 64 << 10];
            while count.load(Ordering::SeqCst) < body_bytes_max
                && let Ok(written) = stream.write(&piece).await
            {
                count.fetch_add(written, Ordering::SeqCst);
            }
        }
    })
    .await;
    (receiver, sent)
}

#[tokio::test]
async fn a_body_without_end_is_read_to_the_limit() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 200000000\r\n\r\n"]
    {
        let (receiver, sent) = pouring(head, 200_000_000).await;
        let attempt = attempt(&receiver.channel(), LONG).await;
        assert_eq!(attempt.outcome, Outcome::Delivered);
        assert_eq!(attempt.reply, vec![b'x'; REPLY_BYTES_MAX]);
        // The sockets' buffers hold some megabytes; what we hold is less.
        assert!(sent.load(Ordering::SeqCst) < 20 << 20, "{sent:?}");
    }
}

#[tokio::test]
async fn a_body_of_just_the_limit_is_read_to_its_end() {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {REPLY_BYTES_MAX}\r\n\r\n");
    let receiver = Receiver::answering(head + &"y".repeat(REPLY_BYTES_MAX)).await;
    let channel = receiver.channel();
    for _ in 0..2 {
        assert_eq!(attempt(&channel, LONG).await.reply.len(), REPLY_BYTES_MAX);
    }
    assert_eq!(receiver.connections(), 1);
}

#[tokio::test]
async fn any_bytes_are_kept_as_they_are() {
    let reply = b"\0\xff\xfe\0not text\xc3";
    let head = format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n", reply.len());
    let receiver = Receiver::answering([head.as_bytes(), reply].concat()).await;
    let attempt = attempt(&receiver.channel(), LONG).await;
    assert_eq!(&attempt.reply[..], reply);
}

#[tokio::test]
async fn nothing_is_decompressed() {
    let answer = "HTTP/1.1 500 No\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nnot gzip";
    let (receiver, mut requests) = Receiver::recording(answer).await;
    let attempt = attempt(&receiver.channel(), LONG).await;
    assert_eq!(&attempt.reply[..], b"not gzip");
    assert!(!requests.recv().await.unwrap().headers.contains_key("accept-encoding"));
}

#[tokio::test]
async fn a_body_that_breaks_off_takes_nothing_from_the_status() {
    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", 200),
        ("HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\nzz", 202),
    ] {
        let receiver = Receiver::start(move |mut stream| async move {
            Request::read(&mut stream).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        })
        .await;
        let attempt = attempt(&receiver.channel(), SHORT).await;
        assert_eq!(attempt.outcome, Outcome::Delivered);
        assert_eq!((attempt.status, &attempt.reply[..]), (Some(status), &b"half"[..]));
    }
}
