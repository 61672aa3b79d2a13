//! A server under test that listens, and what goes over the wire.

use std::net::SocketAddr;

use deskbell_server::{IngestOptions, Server, ServerOptions, Tls};
use http::Request;
use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::support::{TestServer, within};

pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    pub(crate) server: TestServer,
    pub(crate) running: JoinSet<()>,
    pub(crate) shutdown: CancellationToken,
}

pub(crate) async fn listen(options: ServerOptions, ingest: IngestOptions) -> Listening {
    listen_with(options, ingest, None).await
}

pub(crate) async fn listen_with(
    options: ServerOptions,
    ingest: IngestOptions,
    tls: Option<Tls>,
) -> Listening {
    listen_to(TestServer::with(ingest).await, options, tls).await
}

pub(crate) async fn listen_to(
    server: TestServer,
    options: ServerOptions,
    tls: Option<Tls>,
) -> Listening {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let http = Server::bind(any_port, options, server.router.clone()).await.unwrap();
    let http = http.with_tls(tls);
    let address = http.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(http.run(shutdown.clone()));
    Listening { address, server, running, shutdown }
}

/// The request as it goes over the wire, split in front of its body.
pub(crate) async fn wire(request: Request<axum::body::Body>) -> (Vec<u8>, Vec<u8>) {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    let mut text = format!("{} {} HTTP/1.1\r\nhost: localhost\r\n", head.method, head.uri);
    for (name, value) in &head.headers {
        text += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    text += &format!("content-length: {}\r\n\r\n", body.len());
    (text.into_bytes(), body)
}

/// Everything that the server says until it closes the connection.
pub(crate) async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    within(10, stream.read_to_string(&mut text)).await.unwrap();
    text
}

pub(crate) async fn reply_head(stream: &mut TcpStream) -> String {
    let mut bytes = vec![0; 4_096];
    let read = within(10, stream.read(&mut bytes)).await.unwrap();
    String::from_utf8(bytes[..read].to_vec()).unwrap()
}
