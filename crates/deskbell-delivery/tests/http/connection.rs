//! Connections: kept, refused, cut, and what is no HTTP.

use deskbell_delivery::{HttpChannel, Outcome};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use url::Url;

use crate::support::{LONG, Receiver, Request, attempt, options, retry_reason};

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

#[tokio::test]
async fn refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    drop(listener);
    let attempt = attempt(&HttpChannel::new(options(url)).unwrap(), LONG).await;
    assert_eq!(retry_reason(&attempt), "the connection was refused: nothing listens at that port");
}

#[tokio::test]
async fn a_host_that_does_not_exist() {
    // No resolver is asked for a label of 64 characters.
    let host = format!("{}.example", "a".repeat(64));
    let url = Url::parse(&format!("http://user:pa55@{host}/?token=t0ken")).unwrap();
    let attempt = attempt(&HttpChannel::new(options(url)).unwrap(), LONG).await;
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
