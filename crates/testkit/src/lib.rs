//! What the tests of several crates share: a proxy that fails on purpose, databases of a test's own,
//! events, and a log that refuses them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod event;
mod event_log;
mod postgres;
mod proxy;
mod sqlite;

pub use event::{EventBuilder, event};
pub use event_log::{BeforeWrite, FrontLog};
pub use postgres::{PostgresDatabase, PostgresServer};
pub use proxy::{Mode, Proxy};
pub use sqlite::SqliteFile;
