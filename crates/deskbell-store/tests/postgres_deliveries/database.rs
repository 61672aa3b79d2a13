//! A database of a test's own.

use std::future::Future;

use deskbell_store::{Clock, PostgresOptions, PostgresStore};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// What the clock says when a test begins.
const START_MS: i64 = 1_800_000_000_000;

/// It goes when the test ends, also where it fails.
pub(crate) struct Database {
    server: String,
    name: String,
    pub(crate) clock: Clock,
}

impl Database {
    #[expect(clippy::disallowed_methods, reason = "the test server is named by the environment")]
    pub(crate) async fn new() -> Self {
        let server = std::env::var("DESKBELL_TEST_POSTGRES")
            .expect("DESKBELL_TEST_POSTGRES: the URL of a server to make databases on");
        let name = format!("deskbell_test_{:016x}", rand::random::<u64>());
        on_server(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, name, clock: Clock::manual(START_MS) }
    }

    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    /// One more process that has the store open.
    pub(crate) async fn open(&self) -> PostgresStore {
        let mut options = PostgresOptions::new(self.url());
        options.connections_max = 6;
        options.clock = self.clock.clone();
        PostgresStore::open(&options).await.unwrap()
    }

    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        // The test's runtime may be ending: one of its own, on a thread of its own.
        let dropped = std::thread::spawn(move || block_on(on_server(&server, sql))).join();
        assert!(dropped.is_ok() || std::thread::panicking(), "{} was not dropped", self.name);
    }
}

fn block_on(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
}

async fn on_server(server: &str, sql: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
}
