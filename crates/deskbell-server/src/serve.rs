//! Connections: accepted up to a limit, timed, and finished in hand when it is time to stop.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long to wait before accepting again when the system refuses a connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// Bytes of one request's head; a larger one ends the connection.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What a client may cost.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// Connections at the same time; further ones wait to be accepted.
    pub connections_max: usize,
    /// How long a connection may take to send a request's head, or stay idle between two.
    pub head_timeout: Duration,
    /// How long requests in hand may take when the server stops; then their connections are cut.
    pub grace: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            head_timeout: Duration::from_secs(30),
            grace: Duration::from_secs(10),
        }
    }
}

/// A listening server that has not begun to accept.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    options: ServerOptions,
    router: Router,
}

/// The address could not be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
pub struct BindError {
    /// The address that was asked for.
    pub address: SocketAddr,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl Server {
    /// Listens on the address; port 0 lets the system choose.
    ///
    /// # Errors
    /// [`BindError`]: the address is in use, not ours, or not permitted.
    pub async fn bind(
        address: SocketAddr,
        options: ServerOptions,
        router: Router,
    ) -> Result<Self, BindError> {
        let listener =
            TcpListener::bind(address).await.map_err(|source| BindError { address, source })?;
        Ok(Self { listener, options, router })
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown`, then stops accepting, finishes the requests in hand within the
    /// grace period, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let connections = TaskTracker::new();
        let cut = CancellationToken::new();
        let slots = Arc::new(Semaphore::new(self.options.connections_max.max(1)));
        while let Some((stream, slot)) = self.accept(&slots, &shutdown).await {
            let connection = Connection {
                head_timeout: self.options.head_timeout,
                router: self.router.clone(),
                shutdown: shutdown.clone(),
            };
            let cut = cut.clone();
            connections.spawn(async move {
                tokio::select! {
                    () = connection.serve(stream) => {}
                    () = cut.cancelled() => {}
                }
                drop(slot);
            });
        }
        drop(self.listener);
        connections.close();
        if tokio::time::timeout(self.options.grace, connections.wait()).await.is_err() {
            tracing::warn!(connections = connections.len(), "cut what did not finish in time");
            cut.cancel();
            connections.wait().await;
        }
    }

    /// The next connection, or `None` when it is time to stop.
    async fn accept(
        &self,
        slots: &Arc<Semaphore>,
        shutdown: &CancellationToken,
    ) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        shutdown
            .run_until_cancelled(async {
                let slot = Arc::clone(slots).acquire_owned().await.ok()?;
                loop {
                    match self.listener.accept().await {
                        Ok((stream, _)) => return Some((stream, slot)),
                        Err(error) => {
                            tracing::warn!(%error, "a connection could not be accepted");
                            tokio::time::sleep(ACCEPT_BACKOFF).await;
                        }
                    }
                }
            })
            .await
            .flatten()
    }
}

struct Connection {
    head_timeout: Duration,
    router: Router,
    shutdown: CancellationToken,
}

impl Connection {
    async fn serve(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection went away");
            return;
        }
        let serving = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout)
            .max_buf_size(HEAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(self.router));
        let mut serving = pin!(serving);
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = self.shutdown.cancelled() => {
                serving.as_mut().graceful_shutdown();
                serving.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended");
        }
    }
}
