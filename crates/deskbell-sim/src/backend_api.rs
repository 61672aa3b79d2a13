//! A simulated Backend API over HTTP: what Clerk documents of reading, with a rate limit that is counted, and faults on demand.
//!
//! It serves a [`SharedDirectory`], which a [`LiveWorld`] or a test changes while it is read.

mod directory;
mod listing;
mod live_world;
mod objects;
pub(crate) mod reply;
mod routes;
mod samples;
mod traffic;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{HeaderMap, Request, Response};
use reqwest::Url;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

pub use self::directory::{Directory, SharedDirectory};
pub use self::listing::UnknownId;
use self::listing::{Parameters, count, page, shown};
pub use self::live_world::LiveWorld;
use self::reply::Reply;
use self::routes::{Route, route};
pub use self::samples::{LISTS, sample};
use self::traffic::Traffic;
use crate::http_server::serve;
use crate::world::INSTANCE_ID;

/// The path that all others are below.
const BASE_PATH: &str = "/v1";
/// The versions that Clerk has.
const VERSIONS: &[&str] =
    &["2021-02-05", "2024-10-01", "2025-03-12", "2025-04-10", "2025-11-10", "2026-05-12"];
const VERSION_HEADER: &str = "clerk-api-version";
const VERSION_PARAMETER: &str = "__clerk_api_version";

/// How the API behaves.
#[derive(Debug, Clone)]
pub struct BackendApiOptions {
    /// The one key that is valid.
    pub secret_key: String,
    pub instance_id: String,
    /// How many requests are accepted in any window.
    pub requests_max: usize,
    pub window: Duration,
    pub unknown_id: UnknownId,
}

/// A request, for a plan to decide on.
#[derive(Debug, Clone)]
pub struct ApiRequest {
    /// The path below `/v1`.
    pub path: String,
    /// The query as it was sent.
    pub query: String,
    /// Which request it is, from 1.
    pub number: usize,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is answered.
    None,
    /// It is answered after this time.
    Slow(Duration),
    /// It is answered with this status, in Clerk's form of errors.
    Status(u16),
    /// It is answered with 429 and this `Retry-After`.
    RateLimited(Duration),
    /// It is answered with status 200 and this body.
    Body(Bytes),
    /// The connection stays open in silence.
    Hang,
    /// The connection is closed.
    Close,
    /// It is dealt with, but the connection is closed before the answer.
    Lost,
}

/// The API, on a port of this machine. Dropped, it is gone, and so are its connections.
pub struct BackendApi {
    address: SocketAddr,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

type Plan = dyn Fn(&ApiRequest) -> Fault + Send + Sync;

struct Shared {
    options: BackendApiOptions,
    directory: SharedDirectory,
    plan: Box<Plan>,
    traffic: Mutex<Traffic>,
}

impl Default for BackendApiOptions {
    /// A development instance: 100 requests in ten seconds.
    fn default() -> Self {
        Self {
            secret_key: "sk_test_SimulatedByDeskbell".to_owned(),
            instance_id: INSTANCE_ID.to_owned(),
            requests_max: 100,
            window: Duration::from_secs(10),
            unknown_id: UnknownId::default(),
        }
    }
}

impl BackendApi {
    /// Serves the directory. The plan sees every request before it is answered, and may change the directory.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start(
        options: BackendApiOptions,
        directory: SharedDirectory,
        plan: impl Fn(&ApiRequest) -> Fault + Send + Sync + 'static,
    ) -> io::Result<Self> {
        Self::start_on(0, options, directory, plan).await
    }

    /// As [`start`](Self::start), on this port of this machine; 0 for a free one.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub async fn start_on(
        port: u16,
        options: BackendApiOptions,
        directory: SharedDirectory,
        plan: impl Fn(&ApiRequest) -> Fault + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let traffic = Mutex::new(Traffic::new(options.requests_max, options.window));
        let shared = Arc::new(Shared { options, directory, plan: Box::new(plan), traffic });
        let answering = Arc::clone(&shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, move |request| answer(request, Arc::clone(&answering))));
        Ok(Self { address, shared, _tasks: tasks })
    }

    /// The base of all paths, without a slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{BASE_PATH}", self.address)
    }

    /// What is served.
    #[must_use]
    pub fn directory(&self) -> &SharedDirectory {
        &self.shared.directory
    }

    /// How many requests have come in so far, those included that were answered with an error.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.shared.traffic().requests
    }

    /// How many requests were answered with 429 for the rate limit.
    #[must_use]
    pub fn rate_limited(&self) -> usize {
        self.shared.traffic().rate_limited
    }

    /// The most requests that came in within any one window.
    #[must_use]
    pub fn in_window_max(&self) -> usize {
        self.shared.traffic().in_window_max
    }
}

impl fmt::Debug for BackendApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackendApi").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Shared {
    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a request that nothing happened to on its way.
    fn reply(&self, headers: &HeaderMap, path: &str, query: &[(String, String)]) -> Reply {
        if let Err(error) = self.check(headers, query) {
            return error;
        }
        let Some((route, id)) = route(path) else { return Reply::not_found() };
        let parameters = Parameters(query);
        let directory = self.directory.lock();
        match route {
            Route::Instance => Reply::ok(self.instance()),
            Route::Count(list) => count(&directory, list),
            Route::List(route) => page(&directory, route, id, &parameters, self.options.unknown_id)
                .unwrap_or_else(|error| error),
            Route::Single(list) => {
                let with_members_count = parameters.get("include_members_count") == Some("true");
                let objects = directory.objects(list);
                let object = id.and_then(|id| objects.get(id).or_else(|| objects.by_slug(id)));
                object.map_or_else(Reply::not_found, |object| {
                    Reply::ok(shown(list, object, with_members_count))
                })
            }
            Route::SingleOf(list) => {
                let object = id.and_then(|id| directory.objects(list).of_parent(id));
                object.map_or_else(Reply::not_found, |object| Reply::ok(object.json.clone()))
            }
        }
    }

    fn instance(&self) -> String {
        let is_production = self.options.secret_key.starts_with("sk_live_");
        json!({
            "object": "instance",
            "id": self.options.instance_id,
            "environment_type": if is_production { "production" } else { "development" },
            "allowed_origins": null,
        })
        .to_string()
    }

    /// The key and the version.
    fn check(&self, headers: &HeaderMap, query: &[(String, String)]) -> Result<(), Reply> {
        let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = authorization.and_then(|value| value.strip_prefix("Bearer "));
        if key != Some(self.options.secret_key.as_str()) {
            let message = "The provided Clerk Secret Key is invalid. Make sure that your Clerk Secret Key is correct.";
            return Err(Reply::error(401, "clerk_key_invalid", message));
        }
        let header = headers.get(VERSION_HEADER).map(|value| value.to_str().unwrap_or_default());
        let parameter = Parameters(query).get(VERSION_PARAMETER).map(str::to_owned);
        match (header, parameter.as_deref()) {
            (None, None) => Ok(()),
            (Some(version), None) | (None, Some(version)) if VERSIONS.contains(&version) => Ok(()),
            _ => Err(Reply::error(400, "api_version_invalid", "the API version is invalid")),
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> io::Result<Response<Full<Bytes>>> {
    let (arrived, number) = {
        let mut traffic = shared.traffic();
        (traffic.arrive(Instant::now()), traffic.requests)
    };
    let uri = request.uri();
    let path = uri.path().strip_prefix(BASE_PATH).unwrap_or_default().to_owned();
    let query = uri.query().unwrap_or_default().to_owned();
    let parameters = parsed(&query);
    let reply = match (shared.plan)(&ApiRequest { path: path.clone(), query, number }) {
        Fault::Hang => std::future::pending().await,
        Fault::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
        Fault::Status(status) => Reply::error(status, "internal_clerk_error", "an injected fault"),
        Fault::RateLimited(wait) => Reply::rate_limited(wait),
        Fault::Body(body) => Reply::ok(body),
        _ if arrived.is_err() => Reply::rate_limited(arrived.err().unwrap_or_default()),
        Fault::None => shared.reply(request.headers(), &path, &parameters),
        Fault::Lost => {
            shared.reply(request.headers(), &path, &parameters);
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Fault::Slow(time) => {
            sleep(time).await;
            shared.reply(request.headers(), &path, &parameters)
        }
    };
    let now_ms = shared.directory.lock().now_ms();
    Ok(reply.into_response(now_ms))
}

/// The parameters of a query; of several with one name the first is the one that counts, but for ids.
pub(crate) fn parsed(query: &str) -> Vec<(String, String)> {
    let Ok(url) = Url::parse(&format!("http://localhost/?{query}")) else { return Vec::new() };
    let pairs = url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned()));
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}
