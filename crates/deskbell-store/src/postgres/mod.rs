//! The backend on PostgreSQL: one schema of a database, and any number of processes that share it.

mod access_tokens;
mod append;
mod arrivals;
mod audit_log;
mod browser_sessions;
mod check;
mod commands;
mod connect;
mod contention;
mod deliveries;
mod event_heads;
mod event_log;
mod executor;
mod instances;
mod leases;
mod migrations;
mod open;
mod open_error;
mod options;
mod parameters;
mod pool;
mod pooled_connection;
mod pooler;
mod pools;
mod refusals;
#[cfg(unix)]
mod relay;
mod replica;
mod retention;
mod silence;
mod store;
mod stored_endpoints;
mod subject_index;
mod user_refs;
mod wake;

pub use connect::PostgresConnector;
pub use open_error::PostgresOpenError;
pub use options::PostgresOptions;
pub(crate) use pooled_connection::PooledConnection;
pub use store::PostgresStore;
