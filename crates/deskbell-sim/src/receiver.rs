//! An HTTP endpoint for tests that answers by plan: any status, never, or by breaking the connection.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response, StatusCode};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::http_server::serve;

/// One request that came in.
#[derive(Debug, Clone)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The message id, from `svix-id` or `webhook-id`; empty where it has neither.
    pub message_id: String,
    /// How many requests with this message id there were, this one included.
    pub attempt: usize,
}

/// How a request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// With this status, a number from 100 to 999, and an empty body. Another number is answered as 500.
    Status(u16),
    /// As [`Status`](Self::Status), with the request's own body.
    Echo(u16),
    /// Not at all: the connection stays open in silence.
    Hang,
    /// Not at all: the connection is closed.
    Close,
}

/// An endpoint on a free port of this machine. Dropped, it is gone, and so are its connections.
pub struct Receiver {
    address: SocketAddr,
    log: Arc<Log>,
    _tasks: JoinSet<()>,
}

type Plan = dyn Fn(&Received) -> Reply + Send + Sync;

struct Log {
    plan: Box<Plan>,
    keeps: bool,
    entries: Mutex<Entries>,
    count: watch::Sender<usize>,
}

#[derive(Default)]
struct Entries {
    received: Vec<Received>,
    attempts: HashMap<String, usize>,
}

impl Receiver {
    /// Listens, and answers every request as the plan says.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(
        plan: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::listen(Box::new(plan), true).await
    }

    /// As [`start`](Self::start), for very many requests: none is kept, so that
    /// [`received`](Self::received) is empty. What is to be known of them, the plan notes.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start_forgetful(
        plan: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::listen(Box::new(plan), false).await
    }

    async fn listen(plan: Box<Plan>, keeps: bool) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let log =
            Arc::new(Log { plan, keeps, entries: Mutex::default(), count: watch::Sender::new(0) });
        let mut tasks = JoinSet::new();
        let answering = Arc::clone(&log);
        tasks.spawn(serve(listener, move |request| answer(request, Arc::clone(&answering))));
        Ok(Self { address, log, _tasks: tasks })
    }

    /// The address to send to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What has come in so far, in order.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.log.entries().received.clone()
    }

    /// How many requests have come in so far.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.log.count.borrow()
    }

    /// Returns once so many requests have come in.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives as long as this receiver, so that waiting cannot fail.
        let _ = self.log.count.subscribe().wait_for(|&received| received >= count).await;
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Log {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, path: String, headers: HeaderMap, body: Bytes) -> Reply {
        let id = headers.get("svix-id").or_else(|| headers.get("webhook-id"));
        let message_id = id.and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let received = {
            let mut entries = self.entries();
            let attempts = entries.attempts.entry(message_id.clone()).or_default();
            *attempts += 1;
            let received = Received { path, headers, body, message_id, attempt: *attempts };
            if self.keeps {
                entries.received.push(received.clone());
            }
            received
        };
        let reply = (self.plan)(&received);
        self.count.send_modify(|count| *count += 1);
        reply
    }
}

async fn answer(request: Request<Incoming>, log: Arc<Log>) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    match log.note(head.uri.to_string(), head.headers, body.clone()) {
        Reply::Status(status) => Ok(response(status, Bytes::new())),
        Reply::Echo(status) => Ok(response(status, body)),
        Reply::Hang => std::future::pending().await,
        Reply::Close => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}

fn response(status: u16, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}
