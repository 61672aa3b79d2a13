//! One connection from its first byte to its last.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::client::{Client, Phase};
use crate::requests::Requests;
use crate::stream::WatchedStream;

/// Bytes of one request's head; a larger one is answered with 431, and ends the connection.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// How long a TLS handshake may take; then the connection is ended.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// How long we wait for the client to hang up once its last reply is out. A connection that is
/// closed with bytes unread is reset, and the reply may be lost with it.
const LINGER_MAX: Duration = Duration::from_secs(2);
/// Bytes that are read and thrown away meanwhile; more ends the connection at once.
const LINGER_BYTES_MAX: u64 = 2 << 20;

#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: Arc<Client>,
    pub(crate) requests: Requests,
    pub(crate) tls: Option<TlsAcceptor>,
    pub(crate) shutdown: CancellationToken,
}

impl Connection {
    /// Serves until the client hangs up, or the connection is ended.
    pub(crate) async fn serve(self, stream: TcpStream) {
        let client = Arc::clone(&self.client);
        tokio::select! {
            () = self.accept(stream) => {}
            () = client.ended() => {}
        }
    }

    async fn accept(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection went away");
            return;
        }
        let stream = WatchedStream::new(stream, Arc::clone(&self.client));
        match self.tls.clone() {
            None => self.http(stream).await,
            Some(tls) => {
                if let Some(stream) = self.handshake(&tls, stream).await {
                    self.http(stream).await;
                }
            }
        }
    }

    async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        tls: &TlsAcceptor,
        stream: S,
    ) -> Option<TlsStream<S>> {
        let handshake = timeout(HANDSHAKE_MAX, tls.accept(stream));
        match self.shutdown.run_until_cancelled(handshake).await? {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => {
                let error = format_args!("the TLS handshake failed: {error}");
                self.requests.refuse_malformed(&error);
            }
            Err(_) => tracing::debug!(peer = %self.client.peer, "a TLS handshake took too long"),
        }
        None
    }

    async fn http<S: AsyncRead + AsyncWrite + Unpin + Send>(self, stream: S) {
        let service = self.requests.of(&self.client);
        let mut serving = http1::Builder::new()
            // Idling is looked after from outside, which sees a client that reads nothing too.
            .header_read_timeout(None::<Duration>)
            // Who has no more to send may still read.
            .half_close(true)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service);
        let ended = match self.shutdown.run_until_cancelled(&mut serving).await {
            Some(ended) => ended,
            None => {
                Pin::new(&mut serving).graceful_shutdown();
                (&mut serving).await
            }
        };
        match ended {
            Ok(()) => {}
            Err(error) if error.is_parse() => self.requests.refuse_malformed(&error),
            Err(error) => {
                tracing::debug!(%error, "a connection ended");
                return;
            }
        }
        self.client.enter(Phase::Idle);
        let lingering = linger(serving.into_parts().io.into_inner());
        self.shutdown.run_until_cancelled(lingering).await;
    }
}

/// Lets the client read its last reply: our side is closed already.
async fn linger(stream: impl AsyncRead + Unpin) {
    let mut rest = stream.take(LINGER_BYTES_MAX);
    let mut nowhere = tokio::io::sink();
    let hung_up = tokio::io::copy(&mut rest, &mut nowhere);
    if let Ok(Err(error)) = timeout(LINGER_MAX, hung_up).await {
        tracing::debug!(%error, "a connection ended");
    }
}
