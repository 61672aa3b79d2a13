//! The engine, assembled from the config: the store, the server, and the consumers of the log.

mod check;
mod error;
mod handle;
mod listeners;
mod listening;
mod parts;
mod reload;
pub(crate) mod routes;
mod running;
mod supervisor;

pub use self::check::{check_databases, check_destinations};
pub use self::error::StartError;
pub use self::handle::Engine;
pub(crate) use self::listening::Listening;
pub(crate) use self::reload::Reloaded;
