//! A server under test: a real log in a directory of its own, and requests to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use clerk_webhooks::{HeaderFamily, Secret, Signer, Verifier};
use deskbell_server::{
    AdminApp, AdminState, AdminToken, AllowedClients, App, EntityError, EntityRequest,
    IngestOptions, MirrorStates, MirroredEntities, RequestedEntity, Routers, SilentSources, Source,
    routes,
};
use deskbell_store::{
    AccessToken, BackendError, EventLog, LogWriter, LogWriterOptions, NewEvent, ReadLimit, Seq,
    SqliteStore, StoreError, StoredEvent,
};
use deskbell_sync::status::MirrorState;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use testkit::{BeforeWrite, FrontLog};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::memory_admin::MemoryAdmin;
use crate::pages;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub(crate) const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
pub(crate) const ADMIN_TOKEN: &str = "correct-horse-battery-staple";
pub(crate) const EVENT: &str =
    r#"{"data":{"id":"user_1"},"object":"event","type":"user.created","timestamp":1654012591835}"#;

/// A server's routes over a log that can be broken.
pub(crate) struct TestServer {
    pub(crate) router: Router,
    /// The routes that are not public, where they are apart.
    pub(crate) admin_router: Option<Router>,
    pub(crate) store: Arc<BreakableLog>,
    pub(crate) admin: Arc<MemoryAdmin>,
    pub(crate) mirrors: Arc<Mirrors>,
    pub(crate) silent: Arc<Silent>,
    pub(crate) entities: Arc<Entities>,
    _writer: JoinSet<()>,
    _directory: TempDir,
}

impl TestServer {
    pub(crate) async fn start() -> Self {
        Self::with(IngestOptions { body_bytes_max: 10_000, ..IngestOptions::default() }).await
    }

    pub(crate) async fn with(ingest: IngestOptions) -> Self {
        Self::allowing(AllowedClients::default(), ingest).await
    }

    pub(crate) async fn allowing(clients: AllowedClients, ingest: IngestOptions) -> Self {
        Self::changed(clients, ingest, |_| {}).await
    }

    /// With what is not public changed.
    pub(crate) async fn changed(
        clients: AllowedClients,
        ingest: IngestOptions,
        change: impl FnOnce(&mut AdminApp),
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inner =
            Arc::new(SqliteStore::open(&directory.path().join("deskbell.db")).await.unwrap());
        let store = Arc::new(FrontLog::new(inner, Faults::default()));
        let (writer, log) =
            LogWriter::new(Arc::clone(&store) as Arc<dyn EventLog>, &LogWriterOptions::default());
        let (mirrors, silent): (Arc<Mirrors>, Arc<Silent>) = Default::default();
        let (entities, admin): (Arc<Entities>, Arc<MemoryAdmin>) = Default::default();
        let mut app = AdminApp {
            admin: admin.clone(),
            pages: Some(pages::pages()),
            token: AdminToken::new(ADMIN_TOKEN.to_owned()),
            entities: entities.clone(),
            public_url: None,
            metrics: Arc::new(|| "deskbell_up 1\n".to_owned()),
            listens_apart: false,
            state: AdminState::default(),
        };
        change(&mut app);
        let Routers { public: router, admin: admin_router } = routes::routers(App {
            sources: vec![
                source("clerk", &["/api/webhooks", "/api/webhooks/clerk"], SECRET),
                source("staging", &["/staging"], OTHER_SECRET),
            ],
            log,
            store: Arc::clone(&store) as Arc<dyn EventLog>,
            mirrors: Arc::clone(&mirrors) as Arc<dyn MirrorStates>,
            silent: Arc::clone(&silent) as Arc<dyn SilentSources>,
            clients,
            ingest,
            refused: Arc::default(),
            admin: Some(app),
        });
        let mut writing = JoinSet::new();
        writing.spawn(writer.run());
        Self {
            router,
            admin_router,
            store,
            admin,
            mirrors,
            silent,
            entities,
            _writer: writing,
            _directory: directory,
        }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        Reply::read(self.router.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn send_apart(&self, request: Request<Body>) -> Reply {
        let router = self.admin_router.clone().expect("they are apart");
        Reply::read(router.oneshot(request).await.unwrap()).await
    }

    /// Everything in the log.
    pub(crate) async fn log(&self) -> Vec<StoredEvent> {
        self.store.read(Seq::ZERO, ReadLimit::default()).await.unwrap()
    }
}

/// Knows `user_1`. Whoever asks for `user_waits` waits for ever, and others fail as their ids say.
#[derive(Debug, Default)]
pub(crate) struct Entities {
    pub(crate) asked: Mutex<Vec<EntityRequest>>,
}

#[async_trait]
impl MirroredEntities for Entities {
    async fn row(
        &self,
        request: EntityRequest,
    ) -> Result<Option<Arc<Map<String, Value>>>, EntityError> {
        let id = match &request.entity {
            RequestedEntity::User { id } | RequestedEntity::Organization { id } => id.clone(),
            RequestedEntity::Membership { user_id, .. } => user_id.clone(),
        };
        self.asked.lock().unwrap().push(request);
        match id.as_str() {
            "user_1" => Ok(json!({ "id": id }).as_object().cloned().map(Arc::new)),
            "user_waits" => std::future::pending().await,
            "user_mirror" => Err(EntityError::Mirror("password=hunter2".to_owned())),
            "user_clerk" => Err(EntityError::Clerk("sk_live_hunter2".to_owned())),
            "user_nowhere" => Err(EntityError::NoMirror),
            "user_%20" => Err(EntityError::MalformedId),
            _ => Ok(None),
        }
    }
}

fn source(name: &str, paths: &[&str], secret: &str) -> Source {
    Source {
        name: name.into(),
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        verifier: Verifier::new(Secret::parse(secret).unwrap()),
    }
}

/// A reply, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) async fn read(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    /// The code of an error.
    pub(crate) fn error(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["error"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[expect(clippy::disallowed_methods, reason = "signatures are held against the real time")]
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A request that Clerk's sender would make.
pub(crate) fn signed(message_id: &str, body: impl Into<Vec<u8>>) -> Request<Body> {
    signed_at(message_id, body, now_seconds())
}

pub(crate) fn signed_at(message_id: &str, body: impl Into<Vec<u8>>, seconds: u64) -> Request<Body> {
    signed_in(HeaderFamily::Svix, message_id, body, seconds)
}

pub(crate) fn signed_in(
    family: HeaderFamily,
    message_id: &str,
    body: impl Into<Vec<u8>>,
    seconds: u64,
) -> Request<Body> {
    let body = body.into();
    let signer = Signer::new(&Secret::parse(SECRET).unwrap()).unwrap();
    let signed = signer.sign(message_id, seconds, &body);
    let mut request = Request::post("/api/webhooks").header("content-type", "application/json");
    for (name, value) in signed.iter(family) {
        request = request.header(name, value);
    }
    request.body(Body::from(body)).unwrap()
}

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

pub(crate) fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).body(body.into()).unwrap()
}

/// The same request by a browser that has this session, from a page of ours.
pub(crate) fn in_session(secret: &AccessToken, mut request: Request<Body>) -> Request<Body> {
    let cookie = format!("deskbell_session={}", secret.expose());
    request.headers_mut().insert("cookie", cookie.parse().unwrap());
    request.headers_mut().insert("sec-fetch-site", "same-origin".parse().unwrap());
    request
}

/// The same request by whoever has this token.
pub(crate) fn by(token: &str, mut request: Request<Body>) -> Request<Body> {
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// Waits, for at most as long as a test may take.
pub(crate) async fn within<T>(seconds: u64, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.expect("in time")
}

/// Sets the time forward. It runs on at once: the store's thread takes some.
pub(crate) async fn after(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Mirrors whose states a test sets.
#[derive(Debug, Default)]
pub(crate) struct Mirrors(Mutex<Vec<(String, MirrorState)>>);

impl Mirrors {
    pub(crate) fn set(&self, destination: &str, state: MirrorState) {
        *self.0.lock().unwrap() = vec![(destination.to_owned(), state)];
    }
}

#[async_trait]
impl MirrorStates for Mirrors {
    async fn states(&self) -> Vec<(String, MirrorState)> {
        self.0.lock().unwrap().clone()
    }
}

/// Sources whose silence a test alarms.
#[derive(Debug, Default)]
pub(crate) struct Silent(Mutex<Vec<(String, i64)>>);

impl Silent {
    pub(crate) fn set(&self, source: &str, since_ms: i64) {
        *self.0.lock().unwrap() = vec![(source.to_owned(), since_ms)];
    }
}

#[async_trait]
impl SilentSources for Silent {
    async fn silent(&self) -> Vec<(String, i64)> {
        self.0.lock().unwrap().clone()
    }
}

/// A log that writes nothing while it is broken, and no event while it is full or stuck.
pub(crate) type BreakableLog = FrontLog<Faults>;

#[derive(Debug, Default)]
pub(crate) struct Faults {
    broken: AtomicBool,
    full: AtomicBool,
    stuck: watch::Sender<bool>,
}

impl Faults {
    pub(crate) fn set_broken(&self, broken: bool) {
        self.broken.store(broken, Ordering::SeqCst);
    }

    /// While it is stuck, it answers no append.
    pub(crate) fn set_stuck(&self, stuck: bool) {
        self.stuck.send_replace(stuck);
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::SeqCst);
    }
}

/// The error where `is_so`.
fn refuse_where(is_so: &AtomicBool) -> Result<(), StoreError> {
    if is_so.load(Ordering::SeqCst) {
        let full = std::io::Error::other("database or disk is full");
        return Err(StoreError::Unavailable(BackendError::new(full)));
    }
    Ok(())
}

#[async_trait]
impl BeforeWrite for Faults {
    async fn append(&self, _: &[NewEvent]) -> Result<(), StoreError> {
        refuse_where(&self.broken)?;
        refuse_where(&self.full)?;
        let _ = self.stuck.subscribe().wait_for(|stuck| !stuck).await;
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        refuse_where(&self.broken)
    }
}
