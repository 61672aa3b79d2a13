//! What can keep a benchmark from being run.

use std::io;

use deskbell_store::{OpenError, SqliteOpenError, StoreError};

/// A benchmark that came to no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BenchError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("{0}")]
    OpenFile(#[from] SqliteOpenError),
    #[error("{0}")]
    Open(#[from] OpenError),
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("the bare loop: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("{0}")]
    Bind(#[from] deskbell_server::BindError),
    #[error("the benchmark's own secret: {0}")]
    Secret(#[from] clerk_webhooks::SecretError),
    #[error("the benchmark's own secret: {0}")]
    CannotSign(#[from] clerk_webhooks::CannotSign),
    #[error("{0}")]
    Submit(#[from] deskbell_store::SubmitError),
    #[error("{0}")]
    Channel(#[from] deskbell_delivery::HttpError),
    #[error("{0}")]
    Host(#[from] deskbell_delivery::NotAHost),
    #[error("{0}")]
    Config(String),
    #[error("{sent} requests were sent, and {received} came")]
    Requests { sent: usize, received: usize },
    #[error("the engine: {0}")]
    Engine(#[from] deskbell::StartError),
    #[error("the engine: {0}")]
    EngineConfig(#[from] deskbell::config::ConfigError),
    #[error("the engine: {0}")]
    Stopped(#[from] deskbell::StoppedEarly),
    #[error("{path} answered {status}")]
    Answer { path: String, status: u16 },
    #[error("the client: {0}")]
    Client(#[from] reqwest::Error),
    #[error("the receiver's address: {0}")]
    Url(#[from] url::ParseError),
    #[error("the mirror's URL: {0}")]
    MirrorUrl(String),
    #[error("{0}")]
    Mirror(#[from] deskbell_sync::ConnectError),
    #[error("{0}")]
    Mapping(#[from] deskbell_sync::MappingError),
    #[error("{0}")]
    Sync(#[from] deskbell_sync::SyncError),
    #[error("{0}")]
    Target(#[from] deskbell_sync::TargetError),
    #[error("{0}")]
    Inspect(#[from] deskbell_sync::inspect::InspectError),
    #[error("PostgreSQL: {0}")]
    Postgres(#[from] sqlx::Error),
    #[error("the mirror is not what it must be: {example}")]
    Drift { example: String },
    #[error("the store does not find {what}")]
    NotFound { what: String },
    #[error("`{program}` failed")]
    Program { program: String },
    #[error("a server acked {acked} of {answered} answered requests, and {broken} got no answer")]
    NotAcked { acked: usize, answered: usize, broken: usize },
}
