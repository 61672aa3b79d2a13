//! Clerk's sender as an API: the way into it with a secret key, and what Svix's API has of an application.
//!
//! It serves a list of endpoints and of messages. Messages that it is told to send are really sent, signed.

mod attempts;
mod endpoints;
mod listing;
mod login;
mod messages;
mod options;
mod reply;
mod request;
mod routes;
mod shared;
mod state;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Request, Response};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::attempts::Courier;
pub use self::options::SenderApiOptions;
use self::reply::Reply;
pub use self::request::SenderRequest;
use self::routes::{Route, route};
use self::shared::{Shared, lock};
pub use self::state::{SentAttempt, SentMessage, SimulatedEndpoint};
pub use crate::backend_api::Fault;
use crate::http_server::serve;

/// The API, on a free port of this machine. Dropped, it is gone, and so are its connections.
pub struct SenderApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: Arc<Serving>,
    _tasks: JoinSet<()>,
}

type Plan = dyn Fn(&SenderRequest) -> Fault + Send + Sync;

struct Serving {
    shared: Arc<Shared>,
    plan: Box<Plan>,
    requests: Mutex<Vec<SenderRequest>>,
}

impl SenderApi {
    /// Serves the API. The plan sees every request before it is answered.
    ///
    /// # Errors
    /// Where no port can be had, or no client to send with.
    pub async fn start(
        options: SenderApiOptions,
        plan: impl Fn(&SenderRequest) -> Fault + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let courier = Courier::new().map_err(io::Error::other)?;
        let shared = Arc::new(Shared::new(options, courier));
        let serving = Arc::new(Serving {
            shared: Arc::clone(&shared),
            plan: Box::new(plan),
            requests: Mutex::default(),
        });
        let answering = Arc::clone(&serving);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, move |request| answer(request, Arc::clone(&answering))));
        Ok(Self { address, shared, serving, _tasks: tasks })
    }

    /// The base of Clerk's own paths, without a slash at its end.
    #[must_use]
    pub fn clerk_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The base of the sender's paths, without a slash at its end.
    #[must_use]
    pub fn sender_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds an endpoint that somebody else made.
    pub fn insert_endpoint(&self, endpoint: SimulatedEndpoint) {
        self.shared.state().endpoints.push(endpoint);
    }

    #[must_use]
    pub fn endpoints(&self) -> Vec<SimulatedEndpoint> {
        self.shared.state().endpoints.clone()
    }

    /// Adds a message that is newer than all others, and sends it to nobody.
    pub fn insert_message(&self, message: SentMessage) {
        self.shared.state().messages.push(message);
    }

    /// Changes what the sender has of an endpoint, as a person does on its pages.
    pub fn change_endpoint(&self, id: &str, change: impl FnOnce(&mut SimulatedEndpoint)) {
        let mut state = self.shared.state();
        if let Some(endpoint) = state.endpoints.iter_mut().find(|endpoint| endpoint.id == id) {
            change(endpoint);
        }
    }

    /// Adds an attempt of former times.
    pub fn insert_attempt(&self, attempt: SentAttempt) {
        self.shared.state().attempts.push(attempt);
    }

    /// Ends all sessions: their tokens are no longer valid.
    pub fn end_sessions(&self) {
        self.shared.state().tokens.clear();
    }

    /// Adds a message and sends it to every endpoint that takes it.
    pub fn publish(&self, message: &SentMessage) {
        let endpoints = self.endpoints();
        self.insert_message(message.clone());
        for endpoint in endpoints.iter().filter(|endpoint| endpoint.takes(&message.event_type)) {
            self.shared.send(endpoint, message);
        }
    }

    /// The attempts so far to send messages, in order.
    #[must_use]
    pub fn attempts(&self) -> Vec<SentAttempt> {
        self.shared.state().attempts.clone()
    }

    /// Returns once so many attempts have ended.
    pub async fn wait_for_attempts(&self, count: usize) {
        // The sender lives as long as this API, so that waiting cannot fail.
        let _ = self.shared.attempts.subscribe().wait_for(|&ended| ended >= count).await;
    }

    /// What has come in so far, in order.
    #[must_use]
    pub fn requests(&self) -> Vec<SenderRequest> {
        lock(&self.serving.requests).clone()
    }
}

impl fmt::Debug for SenderApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SenderApi").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Serving {
    /// The answer to a request that nothing happened to on its way.
    fn reply(&self, request: &SenderRequest, headers: &HeaderMap) -> Reply {
        let shared = &self.shared;
        let Some(route) = route(&request.method, &request.path) else {
            return Reply::not_found();
        };
        match route {
            Route::Clerk(path) => login::clerk(shared, path, bearer(headers)),
            Route::Instance => login::instance(shared, bearer(headers)),
            Route::OneTimeToken => login::exchange(shared, &request.body),
            _ if !bearer(headers).is_some_and(|token| shared.state().tokens.contains(token)) => {
                Reply::error(401, "authentication_failed", "Invalid token")
            }
            Route::Forbidden => Reply::forbidden(),
            Route::EventTypes => endpoints::event_types(shared, request),
            Route::App(app_id, _) if app_id != shared.options.app_id => Reply::not_found(),
            Route::App(_, rest) => self.repeatable(request, headers, || {
                endpoints::reply(shared, request, &rest)
                    .or_else(|| messages::reply(shared, request, &rest))
                    .unwrap_or_else(Reply::not_found)
            }),
        }
    }

    /// Answers a POST that is repeated with the same idempotency key as it was answered before.
    fn repeatable(
        &self,
        request: &SenderRequest,
        headers: &HeaderMap,
        reply: impl FnOnce() -> Reply,
    ) -> Reply {
        let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let Some(key) = key.filter(|_| request.method == "POST") else { return reply() };
        if let Some(earlier) = self.shared.state().answered.get(key) {
            return earlier.clone();
        }
        let reply = reply();
        self.shared.state().answered.insert(key.to_owned(), reply.clone());
        reply
    }
}

async fn answer(
    request: Request<Incoming>,
    serving: Arc<Serving>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = {
        let mut requests = lock(&serving.requests);
        let request = SenderRequest {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().unwrap_or_default().to_owned(),
            body: String::from_utf8_lossy(&body).into_owned(),
            number: requests.len() + 1,
        };
        requests.push(request.clone());
        request
    };
    let is_clerk = request.path.starts_with("/v1/");
    let reply = match (serving.plan)(&request) {
        Fault::Hang => std::future::pending().await,
        Fault::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
        Fault::Status(status) if is_clerk => {
            Reply::clerk_error(status, "internal_clerk_error", "an injected fault")
        }
        Fault::Status(status) => Reply::error(status, "server_error", "an injected fault"),
        Fault::RateLimited(wait) => Reply::rate_limited(wait),
        Fault::Body(body) => Reply::ok_body(body),
        Fault::None => serving.reply(&request, &head.headers),
        Fault::Lost => {
            serving.reply(&request, &head.headers);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Fault::Slow(time) => {
            sleep(time).await;
            serving.reply(&request, &head.headers)
        }
    };
    Ok(reply.into_response())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
