//! The embedded backend: one SQLite file, one writing connection, a pool of readers.

mod access_tokens;
mod append;
mod arrivals;
mod audit_log;
mod backup;
mod browser_sessions;
mod commands;
mod deliveries;
mod event_heads;
mod event_log;
mod files;
mod instances;
mod json;
mod leases;
mod lock;
mod migrations;
mod open;
mod queues;
mod refusals;
mod retention;
mod store;
mod stored_endpoints;
mod subject_events;
mod subject_index;
mod user_refs;
mod writer;

pub use backup::{Backup, BackupError};
pub use open::SqliteOpenError;
pub(crate) use open::require_a_file;
pub use store::SqliteStore;
