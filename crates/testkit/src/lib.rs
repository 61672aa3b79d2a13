//! What the tests of several crates share: a proxy that fails on purpose, and databases of a test's own.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod postgres;
mod proxy;
mod sqlite;

pub use postgres::{PostgresDatabase, PostgresServer};
pub use proxy::{Mode, Proxy};
pub use sqlite::SqliteFile;
