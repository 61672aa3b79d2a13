//! Deskbell's HTTP side: the route that Clerk calls, health, and metrics.
//!
//! [`Server::bind`] takes what it needs as values: sources, the log, the store to ask about
//! health. [`routes`] is the index of everything that is answered.

mod access;
mod admin_body;
mod admin_routes;
mod admin_token;
mod api;
mod backend_api_config;
mod body;
mod body_budget;
mod changed_duplicates;
mod client;
mod client_address;
mod clock;
mod config;
mod connection;
mod current;
mod entities;
mod guard;
mod health;
mod ingest;
mod listen;
mod metrics;
mod metrics_page;
mod mirrors;
mod next_path;
mod once_a_minute;
mod open_connections;
mod open_files;
mod problem;
mod reading;
mod refusals;
mod replies;
mod reply_headers;
mod requests;
pub mod routes;
mod sender_config;
mod serve;
mod server_options;
mod session_cookie;
mod sign_in;
mod silent_sources;
mod site;
mod source_config;
mod stream;
mod streaming;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "the routes are not guarded yet"))]
mod svix;
mod tls;
mod unknown_path;

pub use admin_routes::{AdminApp, Pages};
pub use admin_token::AdminToken;
pub use api::openapi;
pub use backend_api_config::{BackendKey, BackfillMode};
pub use client_address::AllowedClients;
pub use config::{Network, ServerConfig};
pub use current::CurrentRoutes;
pub use entities::{EntityError, EntityRequest, MirroredEntities, RequestedEntity};
pub use ingest::{IngestOptions, Source};
pub use listen::{BindError, ListenAddress, Listener, NoListenAddress};
pub use mirrors::MirrorStates;
pub use refusals::{RefusedCounts, RefusedRequests};
pub use routes::{App, Routers};
pub use sender_config::{SenderConfig, SourceMode};
pub use serve::Server;
pub use server_options::ServerOptions;
pub use silent_sources::SilentSources;
pub use source_config::{SigningSecret, SourceConfig};
pub use tls::{Tls, TlsConfig, TlsError};
