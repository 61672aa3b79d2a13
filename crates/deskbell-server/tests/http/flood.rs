//! Over a thousand slow strangers beside Clerk.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use deskbell_server::{IngestOptions, ServerOptions};
use deskbell_store::EventLog;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::listening::{listen, reply_head, wire};
use crate::support::{EVENT, signed};

/// More than there are connections.
const STRANGERS: usize = 1_100;
/// Those who are refused at once, and come again.
const UNSIGNED: usize = 100;
/// Of Clerk's events.
const INTERVAL: Duration = Duration::from_millis(5);
const EVENTS: usize = 600;
/// Both ends of every connection are in this process, those that are ending too.
const FILES: u64 = 8_192;

fn allow_many_files() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(FILES);
    assert!(most >= FILES, "this test needs {FILES} open files, and `ulimit -Hn` says {most}");
    if limit.current.is_some_and(|current| current < FILES) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(FILES), ..limit }).unwrap();
    }
}

/// Sends a byte now and then, and begins again when it is thrown out.
async fn trickle(address: SocketAddr, head: Vec<u8>) {
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let mut sent = stream.write_all(&head).await;
        let mut pace = tokio::time::interval(Duration::from_millis(500));
        while sent.is_ok() {
            pace.tick().await;
            sent = stream.write_all(b"x").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_taken_within_a_second_beside_a_flood_of_slow_senders() {
    allow_many_files();
    let listening = listen(ServerOptions::default(), IngestOptions::default()).await;
    let address = listening.address;
    let (forged, _) = wire(signed("msg_forged", " ".repeat(100_000))).await;
    let unsigned =
        b"POST /api/webhooks HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n".to_vec();
    let half_a_head = b"POST /api/webhooks HTTP/1.1\r\nhost: a\r\nx: ".to_vec();
    let mut strangers = JoinSet::new();
    for head in [forged, half_a_head].iter().cycle().take(STRANGERS) {
        strangers.spawn(trickle(address, head.clone()));
    }
    for _ in 0..UNSIGNED {
        strangers.spawn(trickle(address, unsigned.clone()));
    }
    let mut events = JoinSet::new();
    let mut pace = tokio::time::interval(INTERVAL);
    for n in 0..EVENTS {
        pace.tick().await;
        let (head, body) = wire(signed(&format!("msg_{n}"), EVENT)).await;
        events.spawn(async move {
            let started = Instant::now();
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(&[head, body].concat()).await.unwrap();
            (reply_head(&mut stream).await, started.elapsed())
        });
    }
    for (reply, took) in events.join_all().await {
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
    let head = listening.server.store.head().await.unwrap();
    assert_eq!(usize::try_from(head.get()).unwrap(), EVENTS);
}
