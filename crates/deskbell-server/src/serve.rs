//! The server: accepts connections, watches over them, and drains them when it shuts down.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpStream;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::client::{Busy, Client};
use crate::connection::Connection;
use crate::listen::{BindError, ListenAddress, Listener};
use crate::metrics;
use crate::once_a_minute::OnceAMinute;
use crate::open_connections::OpenConnections;
use crate::requests::Requests;
use crate::server_options::ServerOptions;
use crate::tls::Tls;

/// How long to wait before accepting again when the system refuses a connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);
/// How often connections are looked through for those whose time is over.
const SWEEP_INTERVAL: Duration = Duration::from_millis(100);

/// A listening server that has not begun to accept.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    options: ServerOptions,
    router: Router,
    tls: Option<Tls>,
}

impl Server {
    /// Serves these routes at a port that is ours already.
    #[must_use]
    pub fn new(listener: Listener, options: ServerOptions, router: Router) -> Self {
        metrics::describe_server();
        Self { listener, options, router, tls: None }
    }

    /// Speaks HTTPS with this certificate, whose files are read again when they change.
    #[must_use]
    pub fn with_tls(self, tls: Option<Tls>) -> Self {
        Self { tls, ..self }
    }

    /// As [`new`](Self::new), at this address; port 0 lets the system choose.
    ///
    /// # Errors
    /// [`BindError`]: the address is in use, not ours, or not permitted.
    pub async fn bind(
        address: impl Into<ListenAddress>,
        options: ServerOptions,
        router: Router,
    ) -> Result<Self, BindError> {
        Ok(Self::new(Listener::bind(address).await?, options, router))
    }

    /// The address that is listened on.
    ///
    /// # Errors
    /// The system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown`, then stops accepting, drains the requests in flight within the
    /// grace period, and returns.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self { listener, options, router, tls } = self;
        let options = options.within_open_files();
        let mut serving = Serving {
            tasks: JoinSet::new(),
            connections: OpenConnections::new(&options),
            requests: Requests::new(router),
            busy: Arc::new(Busy::new(options.connections_max.max(1))),
            not_accepted: OnceAMinute::new(),
            tls: tls.as_ref().map(Tls::acceptor),
            shutdown,
        };
        let changes = async {
            match &tls {
                Some(tls) => tls.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = serving.accept(&listener) => {}
            () = changes => {}
        }
        drop(listener);
        serving.finish(options.grace).await;
    }
}

struct Serving {
    tasks: JoinSet<()>,
    connections: OpenConnections,
    requests: Requests,
    busy: Arc<Busy>,
    not_accepted: OnceAMinute,
    tls: Option<TlsAcceptor>,
    shutdown: CancellationToken,
}

impl Serving {
    /// Accepts until it is time to stop.
    async fn accept(&mut self, listener: &Listener) {
        let mut sweep = interval(SWEEP_INTERVAL);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                Some(ended) = self.tasks.join_next_with_id() => self.ended(ended),
                _ = sweep.tick(), if !self.connections.is_empty() => self.connections.sweep(),
                accepted = listener.0.accept(), if self.connections.can_accept() => match accepted {
                    Ok((stream, peer)) => self.serve(stream, peer),
                    Err(error) => self.refused(&error).await,
                },
            }
        }
    }

    fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        let (busy, stopping) = (Arc::clone(&self.busy), self.shutdown.clone());
        let client = Arc::new(Client::new(peer, busy, self.tls.is_some(), stopping));
        let connection = Connection {
            client: Arc::clone(&client),
            requests: self.requests.clone(),
            tls: self.tls.clone(),
            shutdown: self.shutdown.clone(),
        };
        let task = self.tasks.spawn(connection.serve(stream));
        self.connections.add(task.id(), client);
    }

    /// The system refused a connection: most often it has no more file descriptors for us.
    async fn refused(&mut self, error: &io::Error) {
        match self.not_accepted.count() {
            Some(times) => tracing::warn!(times, %error, "cannot accept connections"),
            None => tracing::debug!(%error, "cannot accept a connection"),
        }
        self.connections.evict();
        tokio::time::sleep(ACCEPT_BACKOFF).await;
    }

    fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let task = match &ended {
            Ok((task, ())) => *task,
            Err(error) => error.id(),
        };
        self.connections.remove(task);
        if let Err(error) = ended
            && error.is_panic()
        {
            tracing::error!(%error, "a connection's task panicked");
        }
    }

    /// Drains the requests in flight, and cuts them where that takes too long.
    async fn finish(&mut self, grace: Duration) {
        let all_end = async {
            while let Some(ended) = self.tasks.join_next_with_id().await {
                self.ended(ended);
            }
        };
        if tokio::time::timeout(grace, all_end).await.is_err() {
            tracing::warn!(
                connections = self.connections.len(),
                "closed connections that did not finish in time"
            );
            self.tasks.shutdown().await;
        }
    }
}
