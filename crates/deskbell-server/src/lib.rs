//! Deskbell's HTTP side: the route that Clerk calls, health, and metrics.
//!
//! [`Server::bind`] takes what it needs as values: sources, the log, the store to ask about
//! health. [`routes`] is the index of everything that is answered.

mod admin_token;
mod body;
mod changed_duplicates;
mod clock;
mod current;
mod health;
mod ingest;
mod metrics;
mod mirrors;
mod once_a_minute;
mod refusals;
mod replies;
pub mod routes;
mod serve;
mod unknown_path;

pub use admin_token::AdminToken;
pub use current::CurrentRoutes;
pub use ingest::{IngestOptions, Source};
pub use mirrors::MirrorStates;
pub use routes::App;
pub use serve::{BindError, Server, ServerOptions};
