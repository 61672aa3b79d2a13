//! Connections that hold a slot and give nothing for it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::routing::get;
use deskbell_server::{IngestOptions, Server, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::listening::{Listening, listen, reply_head, rest, wire};
use crate::refusals::Log;
use crate::support::{EVENT, signed, within};

const ASK: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

async fn few(connections_max: usize, spare_connections: usize) -> Listening {
    let options = ServerOptions { connections_max, spare_connections, ..ServerOptions::default() };
    listen(options, IngestOptions::default()).await
}

/// Sends the event by a connection of its own.
async fn deliver(listening: &Listening, message_id: &str) -> String {
    let (head, body) = wire(signed(message_id, EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    reply_head(&mut stream).await
}

/// A head with signature headers as they should be, and a body that is still to come.
async fn forged(listening: &Listening, content_length: usize) -> TcpStream {
    let (head, body) = wire(signed("msg_forged", EVENT)).await;
    let head = String::from_utf8(head).unwrap();
    let announced = format!("content-length: {}", body.len());
    let head = head.replace(&announced, &format!("content-length: {content_length}"));
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Whether the server has ended the connection; what it said before is read.
async fn is_ended(stream: &mut TcpStream) -> bool {
    match within(10, stream.read_to_end(&mut Vec::new())).await {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[tokio::test]
async fn a_client_that_reads_no_reply_is_let_go() {
    let options =
        ServerOptions { write_timeout: Duration::from_millis(200), ..ServerOptions::default() };
    let listening = listen(options, IngestOptions::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1_024).unwrap();
    let stream = socket.connect(listening.address).await.unwrap();
    let error = within(10, async {
        loop {
            stream.writable().await.unwrap();
            match stream.try_write(&ASK.repeat(100)) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return error,
                _ => {}
            }
        }
    });
    let error = error.await.kind();
    assert!(matches!(error, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

#[tokio::test]
async fn a_client_that_reads_slowly_keeps_its_connection() {
    let options = ServerOptions {
        write_timeout: Duration::from_secs(1),
        head_timeout: Duration::from_secs(1),
        ..ServerOptions::default()
    };
    let listening = listen(options, IngestOptions::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 << 10).unwrap();
    let (mut reading, mut writing) = socket.connect(listening.address).await.unwrap().into_split();
    let asked = 20_000;
    let last = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let ask = async {
        writing.write_all(&ASK.repeat(asked - 1)).await.unwrap();
        writing.write_all(last).await.unwrap();
    };
    let read = async {
        let (mut all, mut some) = (Vec::new(), vec![0; 16 << 10]);
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            match reading.read(&mut some).await.unwrap() {
                0 => return String::from_utf8(all).unwrap(),
                read => all.extend_from_slice(&some[..read]),
            }
        }
    };
    let started = Instant::now();
    let ((), said) = within(60, async { tokio::join!(ask, read) }).await;
    assert_eq!(said.matches("{\"healthy\":true}").count(), asked);
    assert!(started.elapsed() > Duration::from_secs(2), "slower than the limit of an idle one");
}

#[tokio::test]
async fn an_idle_connection_is_let_go() {
    let options =
        ServerOptions { head_timeout: Duration::from_millis(50), ..ServerOptions::default() };
    let listening = listen(options, IngestOptions::default()).await;
    let mut silent = TcpStream::connect(listening.address).await.unwrap();
    assert!(is_ended(&mut silent).await);
    let mut answered = TcpStream::connect(listening.address).await.unwrap();
    answered.write_all(ASK).await.unwrap();
    assert!(rest(answered).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_full_house_lets_the_oldest_idle_connection_go() {
    let (log, _guard) = Log::start();
    let listening = few(2, 1).await;
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(listening.address).await.unwrap());
        assert!(deliver(&listening, "msg_1").await.starts_with("HTTP/1.1 200"));
    }
    // It takes the place of one of these, and so do the ones after it.
    for n in 0..10 {
        let reply = deliver(&listening, &format!("msg_{n}")).await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{n}: {reply}");
    }
    assert!(is_ended(&mut silent[0]).await);
    let line = log.line("all connections are in use");
    assert!(line.contains(" WARN ") && line.contains("connections=3"), "{line}");
}

#[tokio::test]
async fn a_connection_that_has_delivered_outlasts_those_that_have_not() {
    let listening = few(2, 0).await;
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut sender = TcpStream::connect(listening.address).await.unwrap();
    sender.write_all(&[head.clone(), body.clone()].concat()).await.unwrap();
    assert!(reply_head(&mut sender).await.starts_with("HTTP/1.1 200"));
    for _ in 0..3 {
        let mut silent = TcpStream::connect(listening.address).await.unwrap();
        let mut asking = TcpStream::connect(listening.address).await.unwrap();
        asking.write_all(ASK).await.unwrap();
        assert!(reply_head(&mut asking).await.starts_with("HTTP/1.1 200"));
        assert!(is_ended(&mut silent).await, "it is older than the one that took its place");
    }
    sender.write_all(&[head, body].concat()).await.unwrap();
    assert!(reply_head(&mut sender).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn health_is_answered_while_all_requests_wait_for_the_store() {
    let listening = few(2, 2).await;
    listening.server.store.set_stuck(true);
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut waiting = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(listening.address).await.unwrap();
        stream.write_all(&[head.clone(), body.clone()].concat()).await.unwrap();
        waiting.push(stream);
    }
    let crowded = within(10, async {
        loop {
            let reply = deliver_or_wait(&listening, &mut waiting).await;
            if let Some(reply) = reply {
                return reply;
            }
        }
    });
    let crowded = crowded.await;
    assert!(crowded.starts_with("HTTP/1.1 503") && crowded.contains("retry-after"), "{crowded}");
    let mut asking = TcpStream::connect(listening.address).await.unwrap();
    asking.write_all(ASK).await.unwrap();
    assert!(reply_head(&mut asking).await.starts_with("HTTP/1.1 200"));
    listening.server.store.set_stuck(false);
    for mut stream in waiting {
        assert!(reply_head(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
}

/// Sends one more event. One that is being written waits with the others.
async fn deliver_or_wait(listening: &Listening, waiting: &mut Vec<TcpStream>) -> Option<String> {
    let (head, body) = wire(signed("msg_1", EVENT)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    stream.write_all(&[head, body].concat()).await.unwrap();
    let reply = tokio::time::timeout(Duration::from_millis(200), reply_head(&mut stream)).await;
    if reply.is_err() {
        waiting.push(stream);
    }
    reply.ok()
}

#[tokio::test]
async fn the_slowest_body_makes_place_first() {
    let listening = few(2, 0).await;
    let mut stalled = forged(&listening, 10_000).await;
    let trickling = forged(&listening, 10_000).await;
    let (mut reading, mut writing) = trickling.into_split();
    let trickle = async {
        let mut pace = tokio::time::interval(Duration::from_millis(50));
        loop {
            pace.tick().await;
            if writing.write_all(b"xxxxxxxxxx").await.is_err() {
                return;
            }
        }
    };
    let deliver = async {
        let reply = deliver(&listening, "msg_1").await;
        assert!(reply.starts_with("HTTP/1.1 200"), "{reply:?}");
        assert!(is_ended(&mut stalled).await);
    };
    tokio::select! {
        () = trickle => panic!("the faster one was ended"),
        read = reading.read_u8() => panic!("the faster one was ended: {read:?}"),
        () = deliver => {}
    }
}

type Pieces = Arc<Mutex<Option<UnboundedReceiver<&'static str>>>>;

/// Replies with what comes, as it comes.
async fn stream(State(pieces): State<Pieces>) -> Body {
    let pieces = pieces.lock().unwrap().take().unwrap();
    Body::from_stream(futures_util::stream::unfold(pieces, |mut pieces| async {
        pieces.recv().await.map(|piece| (Ok::<_, std::io::Error>(piece), pieces))
    }))
}

#[tokio::test]
async fn a_reply_that_is_still_to_come_keeps_its_connection() {
    let (pieces, coming) = tokio::sync::mpsc::unbounded_channel();
    let coming: Pieces = Arc::new(Mutex::new(Some(coming)));
    let router = Router::new().route("/stream", get(stream)).with_state(coming);
    let options =
        ServerOptions { head_timeout: Duration::from_millis(50), ..ServerOptions::default() };
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let http = Server::bind(any_port, options, router).await.unwrap();
    let address = http.local_addr().unwrap();
    let mut running = JoinSet::new();
    running.spawn(http.run(CancellationToken::new()));
    let mut streaming = TcpStream::connect(address).await.unwrap();
    streaming.write_all(b"GET /stream HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    pieces.send("first").unwrap();
    let mut silent = TcpStream::connect(address).await.unwrap();
    assert!(is_ended(&mut silent).await, "it idled as long, and was let go");
    pieces.send("last").unwrap();
    drop(pieces);
    let said = rest(streaming).await;
    assert!(said.contains("first") && said.contains("last"), "{said}");
}
