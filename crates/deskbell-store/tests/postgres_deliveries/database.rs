//! A database of a test's own, with a clock that stands still.

use deskbell_store::{Clock, PostgresStore};
use sqlx::PgConnection;
use testkit::PostgresDatabase;

/// What the clock says when a test begins.
const START_MS: i64 = 1_800_000_000_000;

pub(crate) struct Database {
    database: PostgresDatabase,
    pub(crate) clock: Clock,
}

impl Database {
    pub(crate) async fn new() -> Self {
        Self { database: PostgresDatabase::new().await, clock: Clock::manual(START_MS) }
    }

    /// One more process that has the store open.
    pub(crate) async fn open(&self) -> PostgresStore {
        let mut options = self.database.options();
        options.connections_max = 6;
        options.clock = self.clock.clone();
        PostgresStore::open(&options).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        self.database.connection().await
    }
}
