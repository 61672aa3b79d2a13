//! Connections: kept, refused, cut, and what is no HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use deskbell_delivery::{HttpChannel, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::support::{LONG, Receiver, Request, attempt, config, retry_reason};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn it_is_kept_for_the_next_attempt() {
    for answer in
        [OK, "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"]
    {
        let receiver = Receiver::answering(answer).await;
        let channel = receiver.channel();
        for _ in 0..3 {
            assert!(attempt(&channel, LONG).await.status.is_some());
        }
        assert_eq!(receiver.connections(), 1, "{answer}");
    }
}

#[tokio::test]
async fn one_that_was_closed_while_idle_is_made_anew() {
    let receiver = Receiver::start(|mut stream| async move {
        Request::read(&mut stream).await;
        stream.write_all(OK.as_bytes()).await.unwrap();
    })
    .await;
    let channel = receiver.channel();
    for _ in 0..3 {
        assert_eq!(attempt(&channel, LONG).await.outcome, Outcome::Delivered);
    }
    assert_eq!(receiver.connections(), 3);
}

/// Answers so many requests of a connection, and closes it once it has read the next one.
async fn closing_after(answered: usize) -> (Receiver, mpsc::UnboundedReceiver<Request>) {
    let (sender, requests) = mpsc::unbounded_channel();
    let receiver = Receiver::start(move |mut stream| {
        let sender = sender.clone();
        async move {
            for number in 0..=answered {
                let Some(request) = Request::read(&mut stream).await else { return };
                let _ = sender.send(request);
                if number < answered {
                    stream.write_all(OK.as_bytes()).await.unwrap();
                }
            }
        }
    })
    .await;
    (receiver, requests)
}

#[tokio::test]
async fn a_kept_one_that_ends_without_an_answer_is_followed_by_a_new_one_at_once() {
    let (receiver, mut requests) = closing_after(1).await;
    let channel = receiver.channel();
    for attempts in 1..=4 {
        let sent = attempt(&channel, LONG).await;
        assert_eq!(sent.outcome, Outcome::Delivered, "attempt {attempts}");
    }
    // The first is answered on a connection that is kept; it takes the second request and ends, and so on.
    let mut ids = Vec::new();
    while let Ok(request) = requests.try_recv() {
        ids.push(request.header("svix-id").to_owned());
    }
    assert_eq!(ids, ["msg_1"; 6], "the message id is the same");
    assert_eq!(receiver.connections(), 4);
}

#[tokio::test]
async fn a_new_one_that_ends_without_an_answer_is_a_failure() {
    let (receiver, mut requests) = closing_after(0).await;
    let channel = receiver.channel();
    for _ in 0..2 {
        let failed = attempt(&channel, LONG).await;
        assert!(retry_reason(&failed).ends_with("the connection before it answered"), "{failed:?}");
    }
    assert!(requests.try_recv().is_ok() && requests.try_recv().is_ok());
    assert!(requests.try_recv().is_err(), "each was sent once");
}

#[tokio::test]
async fn a_request_is_sent_twice_at_most() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let receiver = Receiver::start(move |mut stream| {
        let is_first = count.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if is_first {
                Request::read(&mut stream).await;
                stream.write_all(OK.as_bytes()).await.unwrap();
            }
            Request::read(&mut stream).await;
        }
    })
    .await;
    let channel = receiver.channel();
    assert_eq!(attempt(&channel, LONG).await.outcome, Outcome::Delivered);
    let failed = attempt(&channel, LONG).await;
    assert!(retry_reason(&failed).ends_with("the connection before it answered"), "{failed:?}");
    assert_eq!(accepted.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let attempt = attempt(&HttpChannel::new(&config(&url)).unwrap(), LONG).await;
    assert_eq!(retry_reason(&attempt), "the connection was refused: nothing listens at that port");
}

#[tokio::test]
async fn a_host_that_does_not_exist() {
    // No resolver is asked for a label of 64 characters.
    let host = format!("{}.example", "a".repeat(64));
    let url = format!("http://user:pa55@{host}/?token=t0ken");
    let attempt = attempt(&HttpChannel::new(&config(&url)).unwrap(), LONG).await;
    assert_eq!(retry_reason(&attempt), format!("the host name {host} could not be resolved"));
}

#[tokio::test]
async fn closed_before_an_answer() {
    let receiver = Receiver::start(|mut stream| async move {
        Request::read(&mut stream).await;
    })
    .await;
    let attempt = attempt(&receiver.channel(), LONG).await;
    assert_eq!(retry_reason(&attempt), "the receiver closed the connection before it answered");
}

#[tokio::test]
async fn closed_at_once() {
    let receiver = Receiver::start(|stream| async move { drop(stream) }).await;
    let attempt = attempt(&receiver.channel(), LONG).await;
    // Whether it is seen as closed or as reset depends on what was on its way.
    assert!(retry_reason(&attempt).ends_with("the connection before it answered"), "{attempt:?}");
}

#[tokio::test]
async fn reset() {
    let receiver = Receiver::start(|mut stream| async move {
        // What it has not read makes the system reset the connection where it is dropped.
        stream.read_u8().await.unwrap();
    })
    .await;
    let attempt = attempt(&receiver.channel(), LONG).await;
    assert_eq!(retry_reason(&attempt), "the receiver reset the connection before it answered");
}

#[tokio::test]
async fn an_answer_that_is_not_http() {
    for answer in [&b"SSH-2.0-OpenSSH_9.2\r\n"[..], b"HTTP/1.1 99999 Much\r\n\r\n", &[0; 64]] {
        let receiver = Receiver::answering(answer).await;
        let attempt = attempt(&receiver.channel(), LONG).await;
        assert_eq!(retry_reason(&attempt), "the receiver's answer is not HTTP");
    }
}

#[tokio::test]
async fn headers_without_end() {
    const PIECE: usize = 10 << 10;
    for line in ["a".repeat(PIECE), "a: b\r\n".repeat(PIECE / 6)] {
        let receiver = Receiver::start(move |mut stream| {
            let line = line.clone();
            async move {
                Request::read(&mut stream).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx-long: ").await;
                // 10 MiB, unless we hang up before.
                for _ in 0..1024 {
                    if stream.write_all(line.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        })
        .await;
        let attempt = attempt(&receiver.channel(), LONG).await;
        assert_eq!(retry_reason(&attempt), "the headers of the receiver's answer are too large");
    }
}
